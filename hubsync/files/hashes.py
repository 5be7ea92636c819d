"""The hashes hubs know a file by, computed from its bytes in one pass."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hubsync.errors import Cancelled
from hubsync.files.opening import opened

_BLOCK = 1 << 20
_AUTOV1_START, _AUTOV1_STOP = 1 << 20, (1 << 20) + (1 << 16)
_AUTOV1_LEAST = 2 << 20
_LONGEST_SKIPPED = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashes:
    """Lower-case hex. Definitions: civitai/model-scanner, HashTask.

    sha256: of the whole file, 64 digits.
    autov1: 8 digits of the SHA-256 of 64 KiB at 1 MiB; None for files under 2 MiB.
    autov2: first 10 digits of `sha256`.
    autov3: 12 digits of the SHA-256 of what follows the header, so it survives edited metadata; None where nothing
        follows (the hash of nothing matches unrelated files).
    """

    sha256: str
    autov1: str | None
    autov2: str
    autov3: str | None


def hash_file(
    path: Path,
    *,
    header_length: int | None = None,
    progress: Callable[[int], object] | None = None,
    cancel: threading.Event | None = None,
) -> Hashes:
    """Hash a file, 1 MiB at a time.

    Args:
        path: any file.
        header_length: where the data begins; None: as the first eight bytes say, in any file, which is what Civitai
            does (a length of 16 MiB or more counts as no header: only the eight bytes are skipped).
        progress: called with the number of bytes done so far.
        cancel: stops the work when set.

    Raises:
        Cancelled: `cancel` was set.
        NotFound, NoPermission: the file cannot be read.
    """
    whole, sample, data = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
    done, skip = 0, header_length
    with opened(path) as file:
        while block := memoryview(os.read(file, _BLOCK)):
            if cancel and cancel.is_set():
                raise Cancelled
            if skip is None:
                skip = _data_start(block[:8])
            whole.update(block)
            sample.update(_part(block, done, _AUTOV1_START, _AUTOV1_STOP))
            data.update(_part(block, done, skip, None))
            done += len(block)
            if progress:
                progress(done)
    sha256 = whole.hexdigest()
    return Hashes(
        sha256=sha256,
        autov1=sample.hexdigest()[:8] if done >= _AUTOV1_LEAST else None,
        autov2=sha256[:10],
        autov3=data.hexdigest()[:12] if skip is not None and done > skip else None,
    )


def _part(block: memoryview, offset: int, start: int, stop: int | None) -> memoryview:
    """What a block that lies at `offset` holds of the file's bytes `start` to `stop`."""
    return block[max(0, start - offset) : None if stop is None else max(0, stop - offset)]


def _data_start(first: memoryview) -> int:
    length = int.from_bytes(first, "little")
    return 8 + (length if length < _LONGEST_SKIPPED else 0)
