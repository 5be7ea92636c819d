"""Bytes the hub serves, from a file or from memory, with every hash a hub publishes: computed once, when asked for."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

CHUNK = 1 << 20
AUTOV1_OFFSET, AUTOV1_LENGTH = 1 << 20, 64 << 10
AUTOV3_LARGEST_HEADER = 16 << 20


class Blob:
    """Content that never changes while the hub runs: the file at a path, or bytes made on first use."""

    def __init__(self, source: Path | Callable[[], bytes]) -> None:
        self.path = source if isinstance(source, Path) else None
        self._make = source if not isinstance(source, Path) else source.read_bytes

    @cached_property
    def _data(self) -> bytes:
        return self._make()

    @cached_property
    def size(self) -> int:
        """Length in bytes."""
        return self.path.stat().st_size if self.path else len(self._data)

    def read(self, start: int = 0, stop: int | None = None) -> bytes:
        """The bytes from `start` up to `stop`."""
        end = self.size if stop is None else stop
        if self.path is None:
            return self._data[start:end]
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """The bytes from `start` on, a mebibyte at a time."""
        for offset in range(start, self.size, CHUNK):
            yield self.read(offset, min(offset + CHUNK, self.size))

    def _sha256(self, start: int) -> str:
        digest = hashlib.sha256()
        for chunk in self.chunks(start):
            digest.update(chunk)
        return digest.hexdigest()

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the whole, 64 lower-case hex digits."""
        return self._sha256(0)

    @cached_property
    def autov3(self) -> str:
        """SHA-256 of what follows the safetensors header (Civitai's scanner; kohya's `sshs_model_hash`)."""
        header = int.from_bytes(self.read(0, 8), "little")
        return self._sha256(8 + (header if header < AUTOV3_LARGEST_HEADER else 0))

    @cached_property
    def autov1(self) -> str | None:
        """The oldest web UIs' hash: 64 KiB at 1 MiB, 8 digits; None below 2 MiB."""
        if self.size < 2 * AUTOV1_OFFSET:
            return None
        return hashlib.sha256(self.read(AUTOV1_OFFSET, AUTOV1_OFFSET + AUTOV1_LENGTH)).hexdigest()[:8]

    @cached_property
    def crc32(self) -> str:
        """CRC-32 with its bytes swapped, as Civitai's scanner writes it."""
        value = 0
        for chunk in self.chunks():
            value = zlib.crc32(chunk, value)
        return value.to_bytes(4, "little").hex()

    @cached_property
    def git_oid(self) -> str:
        """The id git gives this content as a blob, 40 hex digits."""
        digest = hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)
        for chunk in self.chunks():
            digest.update(chunk)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes of a blob from `start` up to `stop`."""

    blob: Blob
    start: int
    stop: int
