"""The hashes hubs know a file by, computed from its bytes in one pass."""

from __future__ import annotations

import hashlib
import os
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from hubsync.errors import Cancelled
from hubsync.files.opening import opened

if TYPE_CHECKING:
    from blake3 import blake3

_BLOCK = 4 << 20
_WORTH_HELP = 1 << 18  # bytes below which handing over costs more than hashing
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
    blake3: of the whole file, 64 digits; None where it was not asked for.
    crc32: of the whole file, 8 digits in zlib's order (Civitai states the bytes turned round, or did until 2025); None
        where it was not asked for.
    """

    sha256: str
    autov1: str | None
    autov2: str
    autov3: str | None
    blake3: str | None = None
    crc32: str | None = None


class Hasher:
    """Hashes a file in one pass, as its bytes come.

    The data begin where the first eight bytes say, in any file, which is what Civitai does (a length of 16 MiB or more
    counts as no header: only the eight bytes are skipped). AutoV3 is a second SHA-256 of nearly all bytes: a helper
    thread takes it where there is a core for it (200 MB in 0.13 s instead of 0.25), and `autov3` False leaves it out.
    `every` adds BLAKE3 and CRC32, two thirds of a SHA-256 together.
    """

    def __init__(self, *, autov3: bool = True, every: bool = False) -> None:
        self._autov3 = autov3
        self._blake3 = _blake3() if every else None
        self._crc32 = 0
        self._whole, self._sample, self._data = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
        self._skip: int | None = None
        self._helpers = ThreadPoolExecutor(max_workers=2 if every else 1, thread_name_prefix="hubsync-hash")
        self.done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the helpers."""
        self._helpers.shutdown(wait=False)

    def update(self, block: memoryview) -> None:
        """Take in the next bytes; the first block holds eight or all there are."""
        if self._skip is None:
            self._skip = _data_start(block[:8])
        data = _part(block, self.done, self._skip, None) if self._autov3 else block[:0]
        jobs = [(self._data.update, data), *([(self._others, block)] if self._blake3 else [])]
        helped = [self._helpers.submit(job, part) for job, part in jobs if len(part) >= _WORTH_HELP]
        self._whole.update(block)
        self._sample.update(_part(block, self.done, _AUTOV1_START, _AUTOV1_STOP))
        for job, part in jobs:
            if len(part) < _WORTH_HELP:
                job(part)
        for one in helped:
            one.result()
        self.done += len(block)

    def _others(self, block: memoryview) -> None:
        if self._blake3:
            self._blake3.update(block)
            self._crc32 = zlib.crc32(block, self._crc32)

    def result(self) -> Hashes:
        """The hashes of all bytes so far."""
        sha256 = self._whole.hexdigest()
        return Hashes(
            sha256=sha256,
            autov1=self._sample.hexdigest()[:8] if self.done >= _AUTOV1_LEAST else None,
            autov2=sha256[:10],
            autov3=self._data.hexdigest()[:12] if self._autov3 and self._skip and self.done > self._skip else None,
            blake3=self._blake3.hexdigest() if self._blake3 else None,
            crc32=f"{self._crc32:08x}" if self._blake3 else None,
        )


def hash_file(
    path: Path,
    *,
    progress: Callable[[int], object] | None = None,
    cancel: threading.Event | None = None,
) -> Hashes:
    """Compute every hash of a file, 4 MiB at a time.

    Args:
        path: any file.
        progress: called with the number of bytes done so far.
        cancel: stops the work when set.

    Raises:
        Cancelled: `cancel` was set.
        NotFound, NoPermission: the file cannot be read.
    """
    with opened(path) as file, Hasher(every=True) as hasher:
        while block := os.read(file, _BLOCK):
            if cancel and cancel.is_set():
                raise Cancelled
            hasher.update(memoryview(block))
            if progress:
                progress(hasher.done)
        return hasher.result()


def _blake3() -> blake3:
    from blake3 import blake3

    return blake3()


def _part(block: memoryview, offset: int, start: int, stop: int | None) -> memoryview:
    """What a block that lies at `offset` holds of the file's bytes `start` to `stop`."""
    return block[max(0, start - offset) : None if stop is None else max(0, stop - offset)]


def _data_start(first: memoryview) -> int:
    length = int.from_bytes(first, "little")
    return 8 + (length if length < _LONGEST_SKIPPED else 0)
