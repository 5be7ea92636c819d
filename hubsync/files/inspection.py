"""All that can be said of a model file without loading it: the answer of `hubsync inspect`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from hubsync.domain import Suggestion
from hubsync.files.hashes import hash_file
from hubsync.files.header import Header, partial_header
from hubsync.files.metadata import alias, suggestions, title, trigger_phrase
from hubsync.files.network import NetworkInfo, examine


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection(NetworkInfo):
    """One file, in the words of the contract.

    A damaged file has `valid` False, the reason in `problem`, and elsewhere what can still be told. Sizes are in
    bytes; hashes as in `hashes.Hashes`; `trigger_words` are those its author stated.
    """

    path: Path
    valid: bool
    problem: str
    size: int
    sha256: str
    autov1: str | None
    autov2: str
    autov3: str | None
    blake3: str | None
    crc32: str | None
    alias: str | None
    title: str | None
    trigger_words: tuple[str, ...]
    suggestions: tuple[Suggestion, ...]
    metadata: Mapping[str, str]


def inspect(
    path: Path, *, progress: Callable[[int], object] | None = None, cancel: threading.Event | None = None
) -> Inspection:
    """Read a file's header and hash its bytes.

    Args:
        path: any file; one that is not safetensors is described, not refused.
        progress: called with the number of bytes hashed so far.
        cancel: stops the hashing when set.

    Raises:
        NotFound, NoPermission: it cannot be read.
        Cancelled: `cancel` was set.
    """
    found, problem = partial_header(path)
    header = found or Header(tensors={}, metadata={}, length=0, file_size=0)
    hashes = hash_file(path, progress=progress, cancel=cancel)
    network = examine(header, path=path)
    return Inspection(
        **{field.name: getattr(network, field.name) for field in fields(network)},
        path=path,
        valid=not problem,
        problem=problem,
        size=path.stat().st_size,
        sha256=hashes.sha256,
        autov1=hashes.autov1,
        autov2=hashes.autov2,
        autov3=hashes.autov3,
        blake3=hashes.blake3,
        crc32=hashes.crc32,
        alias=alias(header.metadata),
        title=title(header.metadata),
        trigger_words=trigger_phrase(header.metadata),
        suggestions=suggestions(header.metadata),
        metadata=header.metadata,
    )
