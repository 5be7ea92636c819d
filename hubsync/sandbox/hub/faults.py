"""Faults that can be switched on: what goes wrong, at which requests, how often."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase


class Origin(StrEnum):
    """The three servers of the sandbox."""

    CIVITAI = "civitai"
    HUGGINGFACE = "huggingface"
    STORAGE = "storage"


class FaultKind(StrEnum):
    """What can go wrong; the fields of `Fault` each kind reads stand in brackets."""

    STATUS = "status"  # another answer instead of the real one [status, headers, text]
    REDIRECT = "redirect"  # somewhere else [text: Location, with {path}, {host} and {storage} filled in]
    LATENCY = "latency"  # the answer comes later [seconds]
    GZIP = "gzip"  # JSON comes compressed, asked for or not
    CUT = "cut"  # the connection is closed in the middle of the body [at]
    RESET = "reset"  # the same with a TCP reset; at 0, before the status line [at]
    STALL = "stall"  # silence from there on; at 0, a server that accepts and never answers [at]
    DRIP = "drip"  # from there on one byte a second [at]
    THROTTLE = "throttle"  # no faster than that on each connection [rate, bytes a second]
    CORRUPT = "corrupt"  # 16 bytes in the middle of what is sent are flipped
    CHANGED = "changed"  # another file of the same length, with another ETag
    WRONG_LENGTH = "wrong_length"  # Content-Length is `at` times the truth, and no more than the file is sent [at]
    NO_LENGTH = "no_length"  # no Content-Length; the body ends there, by closing [at]
    NO_RANGE = "no_range"  # Range is ignored: 200 with the whole file
    RANGE_LIES = "range_lies"  # 206 with the right Content-Range, and bytes from the start of the file
    EXPIRED = "expired"  # 403, and every address signed so far is refused for good
    REVOKE = "revoke"  # this answer is given; every address signed so far is refused afterwards
    ONE_USE = "one_use"  # a signed address serves one request
    DISPOSITION = "disposition"  # another Content-Disposition; an empty text takes it away [text]
    EMPTY_PAGE = "empty_page"  # a page of no items that still says where the next one is
    DUPLICATE = "duplicate"  # a page begins with the last item of the page before
    MALFORMED = "malformed"  # a row of the page is not what it should be


LISTS = frozenset({FaultKind.EMPTY_PAGE, FaultKind.DUPLICATE, FaultKind.MALFORMED})
ANYWHERE = frozenset({FaultKind.STATUS, FaultKind.REDIRECT, FaultKind.LATENCY, FaultKind.GZIP})
LIST_PATHS = ("/api/v1/models", "/api/models")
DEFAULT_AT: Mapping[FaultKind, float] = {FaultKind.NO_LENGTH: 1.0, FaultKind.WRONG_LENGTH: 1.1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    `path` is a glob over the request's path; without one a fault of the body stays with signed downloads, one of
    a page with the two list routes, and any other applies to every request. `times` counts down, None never
    ends; `skip` requests pass first. `at` is a share of the body (float) or a number of bytes (int).
    """

    kind: FaultKind
    path: str = ""
    method: str = ""
    origin: Origin | None = None
    times: int | None = None
    skip: int = 0
    at: float | None = None
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    seconds: float = 0.0
    rate: int = 0

    def applies(self, origin: Origin, method: str, path: str) -> bool:
        """Whether this fault is meant for a request."""
        if (self.origin and self.origin != origin) or (self.method and self.method != method):
            return False
        if self.path:
            return fnmatchcase(path, self.path)
        if self.kind in LISTS:
            return path in LIST_PATHS
        return self.kind in ANYWHERE or (method == "GET" and path.startswith("/files/"))

    def stop(self, length: int) -> int:
        """Where in a body of `length` bytes this fault strikes."""
        at = DEFAULT_AT.get(self.kind, 0.5) if self.at is None else self.at
        return min(at, length) if isinstance(at, int) else int(at * length)


class Switchboard:
    """The faults that are on, with what is left of each; shared by all connections."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._lock = threading.Lock()
        self._seen: list[tuple[Fault, int]] = []
        self.switch(faults)

    def switch(self, faults: Sequence[Fault]) -> None:
        """Replace what is on."""
        with self._lock:
            self._seen = [(fault, 0) for fault in faults]

    def take(self, origin: Origin, method: str, path: str) -> tuple[Fault, ...]:
        """The faults of this request, each of them counted."""
        taken = []
        with self._lock:
            for index, (fault, seen) in enumerate(self._seen):
                if not fault.applies(origin, method, path):
                    continue
                self._seen[index] = (fault, seen + 1)
                if seen >= fault.skip and (fault.times is None or seen < fault.skip + fault.times):
                    taken.append(fault)
        return tuple(taken)
