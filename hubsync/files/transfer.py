"""One download: streamed to a part file beside its place, hashed while written, checked, resumable.

A part file is kept when a download is interrupted and its SHA-256 is known beforehand: the hash at the end decides
whether old and new bytes belong together, so no state is needed beside it. Naming the result is the caller's job.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from hubsync.domain import Download
from hubsync.errors import Cancelled, HashMismatch, NoPermission, NoSpace, NotAModel, SizeMismatch, Unreachable

if TYPE_CHECKING:
    import httpx2

_BLOCK = 1 << 20
_PROGRESS_SECONDS = 0.1  # ten events a second a file are enough for any face
_RETRY_SECONDS = 1.0

Progress = Callable[[int, int | None], object]
"""Called with bytes done and bytes in all (None if unknown), at most ten times a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What came: the SHA-256 of the whole file, bytes fetched now, and where an earlier part left off."""

    sha256: str
    size: int
    bytes_downloaded: int
    resumed_from: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Downloads files. `check` raises the hub's own error for a bad status; `sleep` and `clock` are for tests."""

    client: httpx2.Client
    check: Callable[[httpx2.Response], object]
    retries: int = 3
    sleep: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def fetch(
        self, download: Download, part: Path, *, progress: Progress, cancel: threading.Event, fresh: bool = False
    ) -> Received:
        """Bring the file to `part`, continuing what is there unless `fresh`, and verify it.

        Raises:
            Cancelled: `cancel` was set; the part file stays.
            HashMismatch, SizeMismatch: the bytes are wrong; the part file is removed. NotAModel: a page came instead.
            HubsyncError: whatever the hub answered; NoSpace, NoPermission for the disk.
        """
        if fresh or download.sha256 is None:
            part.unlink(missing_ok=True)
        job = _Job(self, download, part, progress, cancel)
        try:
            with _disk_errors(part):
                received = job.run()
            _verify(download, received)
        except (HashMismatch, SizeMismatch):
            part.unlink()
            if not job.resumed_from:
                raise
            # The kept part may have been of other bytes: one clean start tells.
            return self.fetch(download, part, progress=progress, cancel=cancel, fresh=True)
        return received


def _verify(download: Download, received: Received) -> None:
    if download.sha256 and download.sha256.lower() != received.sha256:
        raise HashMismatch(
            f"the bytes do not match: the hub states SHA-256 {download.sha256.lower()[:12]}…, "
            f"the file has {received.sha256[:12]}…",
            hint="nothing was installed; try again, or report the file to the hub",
        )


@contextmanager
def _disk_errors(part: Path) -> Iterator[None]:
    import errno

    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoSpace(
                f"no space left for {part.parent}", hint="free some space and run it again: it goes on"
            ) from error
        if isinstance(error, PermissionError):
            raise NoPermission(
                f"{part.parent} cannot be written", hint=f"check the permissions of {part.parent}"
            ) from error
        raise


class _Job:
    """The state of one download: how far it is, and the hash so far."""

    def __init__(
        self, transfer: Transfer, download: Download, part: Path, progress: Progress, cancel: threading.Event
    ) -> None:
        self.transfer = transfer
        self.download = download
        self.part = part
        self.progress = progress
        self.cancel = cancel
        self.hash = hashlib.sha256()
        self.done = 0
        self.total = download.size
        self.fetched = 0
        self.resumed_from = 0
        self.told = float("-inf")

    def run(self) -> Received:
        self.part.parent.mkdir(parents=True, exist_ok=True)
        with self.part.open("a+b") as file:
            self._read_back(file)
            self.resumed_from = self.done
            self._fetch_rest(file)
            file.flush()
            os.fsync(file.fileno())
        self._tell(force=True)
        return Received(
            sha256=self.hash.hexdigest(),
            size=self.done,
            bytes_downloaded=self.fetched,
            resumed_from=self.resumed_from,
        )

    def _read_back(self, file: BinaryIO) -> None:
        file.seek(0)
        while block := file.read(_BLOCK):
            self._stop_if_asked()
            self.hash.update(block)
            self.done += len(block)
            self._tell()

    def _fetch_rest(self, file: BinaryIO) -> None:
        """Ask for the missing bytes until they are here; a try that brought some does not count as failed."""
        import httpx2

        tries = 0
        while self.total is None or self.done < self.total or self.done == 0:
            before = self.done
            try:
                self._fetch_once(file)
                return
            except httpx2.TransportError as error:
                tries = 0 if self.done > before else tries + 1
                if tries > self.transfer.retries:
                    raise Unreachable(
                        f"the connection broke after {self.done:,} bytes", hint="run it again: it goes on from there"
                    ) from error
                self.transfer.sleep(_RETRY_SECONDS * 2**tries)

    def _fetch_once(self, file: BinaryIO) -> None:
        import httpx2

        headers = {"Accept-Encoding": "identity"}
        if self.done:
            headers["Range"] = f"bytes={self.done}-"
        with self.transfer.client.stream("GET", self.download.url, headers=headers) as response:
            if response.status_code == 416:
                if response.headers.get("content-range") == f"bytes */{self.done}":
                    return
                self._start_over(file)
                raise httpx2.ReadError("the kept part is longer than the file")
            self.transfer.check(response)
            self._accept(response, file)
            # In the sizes the network gives: blocks gathered up to a size would be lost when the connection breaks.
            for block in response.iter_raw():
                self._stop_if_asked()
                self._write(block, file)
        if self.total is not None and self.done < self.total:
            raise httpx2.ReadError("the body ended early")

    def _accept(self, response: httpx2.Response, file: BinaryIO) -> None:
        """Match what is promised with what is here; a 200 in answer to a Range is the whole file again."""
        if response.headers.get("content-type", "").startswith("text/html"):
            raise NotAModel(
                f"{response.url.host} sent a web page instead of the model",
                hint="it may want you to log in: hubsync config set civitai.api_key KEY",
            )
        start, total = _extent(response)
        if start != self.done:
            self._start_over(file)
        if start != self.done:
            import httpx2

            raise httpx2.ReadError("the server sent another range than the one asked for")
        if total is None:
            return
        expected = self.download.size
        if expected is not None and total != expected:
            raise SizeMismatch(f"the hub states {expected:,} bytes, the server sends {total:,}")
        if self.total is None:
            free = shutil.disk_usage(self.part.parent).free
            if free < total - self.done:
                raise NoSpace(f"{total:,} bytes are needed, {free:,} are free on {self.part.parent}")
        self.total = total

    def _write(self, block: bytes, file: BinaryIO) -> None:
        if self.done == 0 and looks_like_text(block):
            raise NotAModel("the server sent a text instead of the model", hint="try again later")
        file.write(block)
        self.hash.update(block)
        self.done += len(block)
        self.fetched += len(block)
        if self.total is not None and self.done > self.total:
            raise SizeMismatch(f"more than the announced {self.total:,} bytes arrived")
        self._tell()

    def _start_over(self, file: BinaryIO) -> None:
        file.truncate(0)
        self.hash = hashlib.sha256()
        self.done = self.resumed_from = 0

    def _stop_if_asked(self) -> None:
        if self.cancel.is_set():
            raise Cancelled

    def _tell(self, *, force: bool = False) -> None:
        now = self.transfer.clock()
        if force or now - self.told >= _PROGRESS_SECONDS:
            self.told = now
            self.progress(self.done, self.total)


def looks_like_text(block: bytes) -> bool:
    """Whether a file begins like HTML, XML or a JSON error: what servers send in place of a model."""
    start = block[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith((b"<", b"{"))


def _extent(response: httpx2.Response) -> tuple[int, int | None]:
    """(first byte, bytes in all) of a body; no length is known of a chunked one."""
    if response.status_code == 206:
        span, _, total = response.headers.get("content-range", "").removeprefix("bytes ").partition("/")
        start = span.partition("-")[0]
        return (int(start) if start.isdecimal() else -1), (int(total) if total.isdecimal() else None)
    length = response.headers.get("content-length", "")
    return 0, (int(length) if length.isdecimal() else None)
