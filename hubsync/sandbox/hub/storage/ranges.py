"""Byte ranges as an object store takes them (RFC 9110 §14): one range, If-Range; several at once are ignored."""

from __future__ import annotations

import re

from hubsync.sandbox.hub.messages import Request

ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def wanted(request: Request, *, size: int, etag: str) -> tuple[int, int] | None:
    """The range a request is to be answered with, as start and stop; None for the whole file.

    Raises:
        ValueError: the range starts at or after the end, or asks for no byte.
    """
    match = ONE_RANGE.fullmatch(request.header("Range").replace(" ", ""))
    if match is None or match.groups() == ("", "") or request.header("If-Range") not in {"", etag}:
        return None
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    stop = min(int(last) + 1, size) if first and last else size
    if start >= stop:
        raise ValueError(request.header("Range"))
    return start, stop
