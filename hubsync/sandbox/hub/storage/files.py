"""Answers of the storage origin: signed files with ranges, pictures, and a flat refusal of anything like a token."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import unquote

from hubsync.sandbox.hub.blobs import Blob, Span
from hubsync.sandbox.hub.faults import FaultKind
from hubsync.sandbox.hub.messages import Reply, Request, as_text
from hubsync.sandbox.hub.storage.pictures import Gallery
from hubsync.sandbox.hub.storage.ranges import wanted
from hubsync.sandbox.hub.storage.signing import Signer

FLIPPED = 16


class Storage:
    """Serves what a hub has signed an address for; everything else is refused."""

    def __init__(self, url: str, gallery: Gallery, *, clock: Callable[[], float]) -> None:
        self._url = url
        self._gallery = gallery
        self._signer = Signer(clock)
        self._lock = threading.Lock()
        self._offered: dict[str, Blob] = {}

    def offer(self, blob: Blob, path: str, *, disposition: str) -> str:
        """A signed address of a blob under `/files/<path>`."""
        place = f"/files/{path}"
        with self._lock:
            self._offered[place] = blob
        return self._url + self._signer.sign(place, disposition=disposition)

    def answer(self, request: Request) -> Reply:
        """The answer to any request."""
        if request.header("Authorization") or request.header("Cookie") or request.one("token"):
            return error(400, "InvalidArgument", "Only one auth mechanism allowed")
        if request.path.startswith("/image/"):
            return self._gallery.answer(request)
        if request.fault(FaultKind.EXPIRED):
            self._signer.revoke()
        # A signature covers the method, so HEAD is refused where GET would do.
        refusal = self._signer.refusal(request, one_use=request.fault(FaultKind.ONE_USE) is not None)
        if request.method != "GET" or refusal:
            return error(403, "AccessDenied", refusal or "The signature is not for this method.")
        if request.fault(FaultKind.REVOKE):
            self._signer.revoke()
        return self._file(request, self._offered[unquote(request.path)])

    def _file(self, request: Request, blob: Blob) -> Reply:
        etag, content = identity(request, blob)
        headers = {"ETag": etag, "Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
        if disposition := disposition_of(request):
            headers["Content-Disposition"] = disposition
        if request.fault(FaultKind.NO_RANGE) or request.fault(FaultKind.WRONG_LENGTH):
            del headers["Accept-Ranges"]
            return Reply(headers=headers, body=span(request, content, 0, blob.size))
        try:
            part = wanted(request, size=blob.size, etag=etag)
        except ValueError:
            return error(416, "InvalidRange", "Not satisfiable", {"Content-Range": f"bytes */{blob.size}"})
        if part is None:
            return Reply(headers=headers, body=span(request, content, 0, blob.size))
        start, stop = part
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{blob.size}"
        shift = start if request.fault(FaultKind.RANGE_LIES) else 0
        return Reply(status=206, headers=headers, body=span(request, content, start - shift, stop - shift))


def identity(request: Request, blob: Blob) -> tuple[str, Blob]:
    """ETag and content; a changed file has the same length, another ETag, and not one byte in common."""
    if not request.fault(FaultKind.CHANGED):
        return f'"{blob.sha256[:32]}"', blob
    flip = bytes(255 - value for value in range(256))
    return f'"{blob.sha256[32:]}"', Blob(lambda: blob.read().translate(flip))


def disposition_of(request: Request) -> str:
    """The Content-Disposition the address was signed with, or the one a fault puts in its place."""
    fault = request.fault(FaultKind.DISPOSITION)
    return fault.text if fault else request.one("response-content-disposition") or ""


def span(request: Request, blob: Blob, start: int, stop: int) -> bytes | Span:
    """The bytes to send, with some in their middle flipped by a CORRUPT fault."""
    if not request.fault(FaultKind.CORRUPT):
        return Span(blob, start, stop)
    data = bytearray(blob.read(start, stop))
    middle = len(data) // 2
    data[middle : middle + FLIPPED] = bytes(255 - value for value in data[middle : middle + FLIPPED])
    return bytes(data)


def error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Reply:
    """An error as S3-like stores write it."""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    reply = as_text(text, status=status, kind="application/xml")
    return replace(reply, headers={**reply.headers, **(headers or {})})
