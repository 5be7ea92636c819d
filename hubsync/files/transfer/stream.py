"""One answer of a server while its bytes come in: what part of which file it is, and its blocks."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx2

_BLOCK = 1 << 19
# A body shorter than that is read to its end through the client, which keeps the connection for the next request.
_LEAST_RAW = 8 << 20
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class Broken(Exception):
    """The connection broke, stalled or ended early: what is missing can be asked for again."""


@dataclass(frozen=True, slots=True)
class Stream:
    """An open answer. `patience` is how many seconds without a byte end it."""

    response: httpx2.Response
    patience: float

    @property
    def url(self) -> str:
        """The address the bytes come from in the end, signed where the hub redirects to storage."""
        return str(self.response.url)

    @property
    def partial(self) -> bool:
        """Whether this is the range asked for, not the whole file."""
        return self.response.status_code == 206

    @property
    def first(self) -> int:
        """The position of the first byte; -1 where a partial answer does not say."""
        if not self.partial:
            return 0
        span = _RANGE.fullmatch(self._header("Content-Range"))
        return int(span[1]) if span else -1

    @property
    def size(self) -> int | None:
        """The length of the whole file, None where it is not said."""
        if self.response.status_code in {206, 416}:
            total = self._header("Content-Range").rpartition("/")[2]
        else:
            total = self._header("Content-Length")
        return int(total) if total.isdecimal() else None

    @property
    def validator(self) -> str:
        """The strong ETag, which tells one state of a file from another; empty where there is none."""
        etag = self._header("ETag")
        return etag if etag.startswith('"') else ""

    def blocks(self) -> Iterator[bytes]:
        """The body as it arrives.

        Of a long one the first block comes through the HTTP client and the rest straight from the connection: the
        client's parser costs twice the time of everything else at 700 MB/s. A connection used so is closed after.

        Raises:
            Broken: the connection failed, or nothing came for `patience` seconds.
        """
        with _translated():
            body = self.response.iter_raw()
            length = self._header("Content-Length")
            raw = self.response.extensions.get("network_stream")
            if raw is None or not length.isdecimal() or int(length) < _LEAST_RAW or not self._is_plain():
                yield from body
                return
            left = int(length)
            # What the parser holds comes out as one block, and nothing of the body stays behind in it.
            block = next(body, b"")
            while block:
                left -= len(block)
                yield block
                block = raw.read(min(_BLOCK, left), timeout=self.patience) if left else b""
            if left:
                raise Broken("the body ended early")

    def abort(self) -> None:
        """End it from another thread: whoever waits for its next block wakes up at once."""
        raw: Any = self.response.extensions.get("network_stream")
        if raw is not None and isinstance(connection := raw.get_extra_info("socket"), socket.socket):
            with contextlib.suppress(OSError):
                # Not the method of a TLS socket, which would take away what the other thread reads with.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def _header(self, name: str) -> str:
        return str(self.response.headers.get(name, "")).strip()

    def _is_plain(self) -> bool:
        version = self.response.extensions.get("http_version", b"")
        return version == b"HTTP/1.1" and not self._header("Transfer-Encoding")


@contextlib.contextmanager
def open_stream(
    client: httpx2.Client, url: str, *, start: int, stop: int | None, validator: str, patience: float
) -> Iterator[Stream]:
    """Ask for the bytes from `start` up to `stop`, of the file in that state; from 0 without end for the whole.

    Raises:
        Broken: there is no connection, or it fails.
    """
    headers = {"Accept-Encoding": "identity"}
    if start or stop is not None:
        headers["Range"] = f"bytes={start}-{'' if stop is None else stop - 1}"
        if validator:
            headers["If-Range"] = validator
    with _translated(), client.stream("GET", url, headers=headers) as response:
        yield Stream(response, patience)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    import httpcore2
    import httpx2

    lower = (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError)
    try:
        yield
    except (httpx2.RequestError, httpx2.InvalidURL, *lower) as error:
        # Not in its own words, which may quote a signed address.
        raise Broken(type(error).__name__) from error
