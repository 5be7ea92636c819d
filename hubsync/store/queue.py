"""Downloads that were asked for and are not done: they survive a restart, a kill and a power cut."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hubsync.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """One file to be fetched: canonical reference, the name it gets, options as JSON, where its part lies.

    `error` says what went wrong last, None if nothing did: it was interrupted.
    """

    ref: str
    name: str
    size: int | None
    options: Mapping[str, Any]
    data: Path
    journal: Path
    lock: Path
    error: str | None = None
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The unfinished downloads of one library root."""

    database: Database

    def all(self) -> list[Queued]:
        """Oldest first."""
        with self.database.reading() as connection:
            return [self._queued(row) for row in connection.execute("SELECT * FROM downloads ORDER BY added_at, ref")]

    def add(self, entries: Iterable[Queued]) -> None:
        """Remember downloads; one of a file that is queued already is replaced."""
        rows = [self._row(entry) for entry in entries]
        if rows:
            with self.database.writing() as database:
                database.table("downloads").upsert_all(rows, pk="ref")

    def fail(self, ref: str, error: str) -> None:
        """Note why a download did not go on."""
        with self.database.writing() as database:
            database.execute("UPDATE downloads SET error = ? WHERE ref = ?", [error, ref])

    def remove(self, ref: str) -> None:
        """Forget a download: it is done, or nobody wants it."""
        with self.database.writing() as database:
            database.execute("DELETE FROM downloads WHERE ref = ?", [ref])

    def _row(self, entry: Queued) -> dict[str, object]:
        paths = {name: self.database.stored(getattr(entry, name)) for name in ("data", "journal", "lock")}
        return {
            "ref": entry.ref,
            "name": entry.name,
            "size": entry.size,
            "options": json.dumps(dict(entry.options)),
            "error": entry.error,
            "added_at": entry.added_at.isoformat(),
            **paths,
        }

    def _queued(self, row: sqlite3.Row) -> Queued:
        return Queued(
            ref=row["ref"],
            name=row["name"],
            size=row["size"],
            options=json.loads(row["options"]),
            data=self.database.absolute(row["data"]),
            journal=self.database.absolute(row["journal"]),
            lock=self.database.absolute(row["lock"]),
            error=row["error"],
            added_at=datetime.fromisoformat(row["added_at"]),
        )
