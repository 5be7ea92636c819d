"""Rows to domain and back: work that is over."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hubsync.domain.jobs import EndedJob
from hubsync.store.database import Database

_PLAIN = ("key", "label", "state", "note", "error", "hint")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecords:
    """What ended in one library root."""

    database: Database

    def all(self) -> list[EndedJob]:
        """Oldest first."""
        with self.database.reading() as connection:
            return [self._job(row) for row in connection.execute("SELECT * FROM jobs ORDER BY ended, rowid")]

    def keep(self, job: EndedJob, *, most: int) -> None:
        """Remember one, in the place of what it came to before; of all the newest `most` are kept."""
        row = {
            **{name: getattr(job, name) for name in _PLAIN},
            "refs": json.dumps(job.refs),
            "begun": job.begun.isoformat(),
            "ended": job.ended.isoformat(),
            "place": job.place and self.database.stored(job.place),
            "picture": job.picture and self.database.stored(job.picture),
        }
        newest = "SELECT key FROM jobs ORDER BY ended DESC, rowid DESC LIMIT ?"
        with self.database.writing() as database:
            database.table("jobs").upsert(row, pk="key")
            database.execute(f"DELETE FROM jobs WHERE key NOT IN ({newest})", [most])  # noqa: S608

    def clear(self) -> None:
        """Forget them all."""
        with self.database.writing() as database:
            database.execute("DELETE FROM jobs")

    def _job(self, row: sqlite3.Row) -> EndedJob:
        return EndedJob(
            **{name: row[name] for name in _PLAIN},
            refs=tuple(json.loads(row["refs"])),
            begun=datetime.fromisoformat(row["begun"]),
            ended=datetime.fromisoformat(row["ended"]),
            place=self._path(row["place"]),
            picture=self._path(row["picture"]),
        )

    def _path(self, stored: str | None) -> Path | None:
        return None if stored is None else self.database.absolute(stored)
