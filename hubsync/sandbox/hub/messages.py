"""What crosses the wire, parsed: a request as the routes read it, the reply they give, the record tests look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, urlencode

from hubsync.sandbox.hub.blobs import Span
from hubsync.sandbox.hub.faults import Fault, FaultKind, Origin

Json = dict[str, Any]
# Product names a server takes for a browser, wherever they stand in the User-Agent ("knowledge" holds "edge").
BROWSERS = ("mozilla", "chrome", "safari", "firefox", "opera", "edge")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request: `path` as sent (still percent-encoded), `query` as decoded pairs in their order."""

    origin: Origin
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Message
    body: bytes = b""
    faults: tuple[Fault, ...] = ()

    def all(self, name: str) -> list[str]:
        """Every value of a query parameter."""
        return [value for key, value in self.query if key == name]

    def one(self, name: str) -> str | None:
        """The first value of a query parameter, None where it is absent."""
        return next(iter(self.all(name)), None)

    def flag(self, name: str) -> bool:
        """Whether a query parameter says true."""
        return (self.one(name) or "").lower() in {"true", "1", "yes", "on"}

    def header(self, name: str) -> str:
        """A header's value, empty where it is absent."""
        return str(self.headers.get(name, ""))

    def fault(self, kind: FaultKind) -> Fault | None:
        """The fault of this kind that is switched on for this request."""
        return next((fault for fault in self.faults if fault.kind == kind), None)

    def with_query(self, **changed: str) -> str:
        """The query string with some parameters replaced: what a link to the next page carries."""
        kept = [(key, value) for key, value in self.query if key not in changed]
        return urlencode([*kept, *changed.items()])

    @property
    def bearer(self) -> str | None:
        """The key of the Authorization header: whatever follows its first space."""
        _scheme, _space, key = self.header("Authorization").partition(" ")
        return key or None

    @property
    def site(self) -> str:
        """The origin as the client names it in its Host header."""
        return f"http://{self.header('Host')}"

    @property
    def from_browser(self) -> bool:
        """Whether the User-Agent looks like a browser's."""
        agent = self.header("User-Agent").lower()
        return any(name in agent for name in BROWSERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: status, headers but for Content-Length, and a body in memory or a span of a file."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Span = b""

    @property
    def length(self) -> int:
        """The length of the body in bytes."""
        return len(self.body) if isinstance(self.body, bytes) else self.body.stop - self.body.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One request as the hub saw it: header names in lower case, `status` 0 until answered, `sent` body bytes."""

    origin: Origin
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    status: int = 0
    sent: int = 0


def pairs(text: str) -> tuple[tuple[str, str], ...]:
    """A query string's or form's decoded pairs; a parameter without a value is kept."""
    return tuple(parse_qsl(text, keep_blank_values=True))


def as_json(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON answer."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(
        status=status, headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})}, body=body
    )


def as_text(text: str, *, status: int = 200, kind: str = "text/plain") -> Reply:
    """A text answer; `kind` is its media type."""
    return Reply(status=status, headers={"Content-Type": f"{kind}; charset=utf-8"}, body=text.encode())


def redirect(location: str, *, status: int = 307, headers: Mapping[str, str] | None = None) -> Reply:
    """A redirect that nobody may keep."""
    return Reply(status=status, headers={"Location": location, "Cache-Control": "no-store", **(headers or {})})
