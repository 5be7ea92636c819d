"""What a service says while it works. `key` names the job and stays the same through its life."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from hubsync.errors import HubsyncError


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A job began; `total` in bytes for a download, in pictures for a render, None if unknown."""

    key: str
    label: str
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """`done` of `total` is reached, in the units of `Started`.

    Of a download also: bytes a second, seconds left where that can be told, and connections in use. Of a render:
    `share`, 0..1, of all its sampling steps, of which `done` is the pictures' worth; and seconds left.
    """

    key: str
    done: int
    total: int | None = None
    rate: float | None = None
    eta: float | None = None
    connections: int | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Of a render: pictures of its plan's `drawn`, by number, are drawn from here on, all at once."""

    key: str
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictured:
    """Of a render: picture `row` of its plan's `drawn` is there, a PNG without infotext at `path` till the job ends."""

    key: str
    row: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """Something the user should know though nothing failed."""

    key: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The bytes are what the hub promised."""

    key: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The job is done; `message` says what came of it."""

    key: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The job ended with an error; others go on."""

    key: str
    error: HubsyncError


Event: TypeAlias = Started | Advanced | Drawing | Pictured | Noted | Verified | Finished | Failed
Sink: TypeAlias = Callable[[Event], object]
