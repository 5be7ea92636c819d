"""Reads a safetensors header, without its tensors, from a file nobody vouches for.

Format: eight bytes, little-endian, say how long the JSON is; the JSON names each tensor's dtype, shape and place; then
the data, without gaps (huggingface/safetensors, README "Format").
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NoReturn

import msgspec

from hubsync.errors import NotSafetensors
from hubsync.files.opening import opened
from hubsync.files.tensors import STRINGS, Tensor, check_text, duplicate, misfit, misplaced, wrong_size

MAX_HEADER = 100_000_000
"""Longest JSON accepted, in bytes: the limit of the safetensors library itself."""

# A tensor has three, the largest models 100,000 tensors. 100 MB of nothing else would take 46 s and 3.6 GB to read.
_MOST_BRACKETS = 1_000_000

_INSTEAD = (
    (b"PK\x03\x04", "it is a zip archive: a PyTorch pickle, or a download that was never unpacked"),
    (b"\x80\x02", "it is a Python pickle"),
    (b"GGUF", "it is a GGUF file"),
    (b"version https://git-lfs", "it is a Git LFS pointer; the file itself was never fetched"),
    (b"<", "it is a web page"),
    (b'{"', "it is a JSON text, probably a hub's error message"),
)


class _Metadata(msgspec.Struct):
    texts: dict[str, str] = msgspec.field(name="__metadata__", default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the header says. `length` is where the data begins, `file_size` what the file measures, both in bytes."""

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]
    length: int
    file_size: int


_TENSORS = msgspec.json.Decoder(dict[str, Tensor])
_METADATA = msgspec.json.Decoder(_Metadata)
_TEXTS = msgspec.json.Decoder(dict[str, str])
_FIRST = b'{"__metadata__":'


def header_length(prefix: bytes) -> int:
    """Where the data begins, told by a file's first eight bytes; more of them make a better message.

    Raises:
        NotSafetensors: fewer than eight bytes, or a length no safetensors file has.
    """
    length = int.from_bytes(prefix[:8], "little")
    if len(prefix) < 8 or length > MAX_HEADER:
        _bad(_instead(prefix))
    return 8 + length


def _instead(prefix: bytes) -> str:
    if len(prefix) < 8:
        return f"{len(prefix)} bytes are too short for a header"
    length = int.from_bytes(prefix[:8], "little")
    absurd = f"its header would be {length:,} bytes long; at most {MAX_HEADER:,} are allowed"
    return next((words for magic, words in _INSTEAD if prefix.lstrip().startswith(magic)), absurd)


def parse_header(prefix: bytes, file_size: int | None = None) -> Header:
    """Read the header from a file's first bytes; bytes beyond the header are ignored.

    Args:
        prefix: at least `header_length(prefix)` bytes.
        file_size: of the whole file, in bytes; None if unknown: then the size the header implies is taken.

    Raises:
        NotSafetensors: saying what is wrong.
    """
    length = header_length(prefix)
    header, problem = _parse(prefix[8:length], length, file_size)
    if header is None or problem:
        _bad(problem)
    return header


def read_header(path: Path) -> Header:
    """Read a file's header; its tensors are not touched.

    Raises:
        NotSafetensors: saying what is wrong.
        NotFound, NoPermission: it cannot be opened.
    """
    header, problem = partial_header(path)
    if header is None or problem:
        raise NotSafetensors(f"{path.name} is no sound safetensors file: {problem}", hint="download it again")
    return header


def partial_header(path: Path) -> tuple[Header | None, str]:
    """What even a damaged file tells, and what is wrong with it ('' for a sound one).

    Raises:
        NotFound, NoPermission: it cannot be opened.
    """
    with opened(path) as file:
        prefix = os.read(file, 8)
        try:
            length = header_length(prefix)
        except NotSafetensors:
            return None, _instead(prefix + os.read(file, 64))
        size = os.fstat(file).st_size
        return _parse(_read(file, min(length, size) - 8), length, size)


def _read(file: int, count: int) -> bytes:
    """Up to `count` bytes; fewer only at the end of the file (one read may stop short)."""
    pieces = []
    while count > 0 and (piece := os.read(file, count)):
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def _parse(raw: bytes, length: int, file_size: int | None) -> tuple[Header | None, str]:
    problem = ""
    if missing := length - 8 - len(raw):
        problem = f"truncated inside its header: {missing:,} of its {length:,} bytes are missing"
        # The entries before the cut still tell something.
        raw = raw[: raw.rfind(b"}") + 1] + b"}"
    try:
        tensors, metadata = _decode(raw)
    except NotSafetensors as error:
        return None, problem or error.message
    places = list(chain.from_iterable([tensor.data_offsets for tensor in tensors.values()]))
    end = length + max(places, default=0)
    size = end if file_size is None else file_size
    header = Header(tensors=tensors, metadata=metadata, length=length, file_size=size)
    texts = [*metadata, *metadata.values()]
    strings = STRINGS * len(tensors) + len(texts) + (b'"__metadata__"' in raw)
    problem = problem or duplicate(raw, strings=strings, texts=texts) or misplaced(tensors, places) or misfit(tensors)
    return header, problem or wrong_size(end, size)


def _decode(raw: bytes) -> tuple[dict[str, Tensor], dict[str, str]]:
    if not raw.startswith(b"{"):
        _bad("its header is not JSON")
    if len(raw) > _MOST_BRACKETS and raw.count(b"{") + raw.count(b"[") > _MOST_BRACKETS:
        _bad("its header holds more than any model needs")
    try:
        check_text(raw)
        metadata = _metadata(raw)
        try:
            tensors = _TENSORS.decode(raw)
        except msgspec.ValidationError:
            # Metadata may have a key named like a tensor's field.
            everything = msgspec.json.decode(raw)
            everything.pop("__metadata__", None)
            tensors = msgspec.convert(everything, dict[str, Tensor])
    except UnicodeDecodeError:
        _bad("its header is not UTF-8")
    except RecursionError:
        _bad("its header is nested too deeply")
    except msgspec.DecodeError as error:
        _bad(f"its header makes no sense: {error}")
    tensors.pop("__metadata__", None)
    return tensors, metadata


def _metadata(raw: bytes) -> dict[str, str]:
    if raw.startswith(_FIRST):
        # Nearly always it stands first: read it alone, and skip no tensors (a seventh of the time of a whole header).
        end = raw.rfind(b"}", 0, raw.find(b'"data_offsets"')) + 1
        try:
            return _TEXTS.decode(raw[len(_FIRST) : end])
        except msgspec.DecodeError:
            pass
    return _METADATA.decode(raw).texts if b"__metadata__" in raw else {}


def _bad(reason: str) -> NoReturn:
    raise NotSafetensors(reason)
