"""Work that is over, as it is remembered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedJob:
    """A download, a test render or another piece of work that ended; `key` is its own, also when it is tried again.

    `state` is `done`, `failed` or `cancelled`; `note` the last thing it said; `error` and `hint` say what went wrong,
    empty where nothing did. A download has `refs`. `place` is what came of it, `picture` shows that.
    """

    key: str
    label: str
    state: str
    note: str = ""
    error: str = ""
    hint: str = ""
    refs: tuple[str, ...] = ()
    begun: datetime
    ended: datetime
    place: Path | None = None
    picture: Path | None = None
