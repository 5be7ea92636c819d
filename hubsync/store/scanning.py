"""What a scan compares the disk with, and what it notes: rows by path, files that are gone, files that are no LoRAs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from hubsync.domain import Stamp
from hubsync.store.database import Database

_HASHES = ("sha256", "autov1", "autov2", "autov3", "blake3", "crc32")


State: TypeAlias = list[Any] | None
"""Size, time and sidecars as `Stamp` has them."""


class Row(NamedTuple):
    """What a scan needs of a LoRA's row to know its file again; `path` as it is stored."""

    path: str
    size: int
    mtime_ns: int
    inode: int
    missing: bool
    sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A file that needs a human: `code` as in the contract's table, or `misfiled`, `same_stem`, `alias_collision`."""

    path: str
    code: str
    message: str
    size: int = 0
    mtime_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRecords:
    """The library as a scan sees it. Paths are as rows keep them: relative to the root where they lie inside."""

    database: Database

    def states(self) -> dict[str, State]:
        """How each file that is not in the trash was when it was read, by path; of missing ones None."""
        query = "SELECT path, missing, size, mtime_ns, sidecars FROM loras WHERE trashed IS NULL"
        with self.database.reading() as connection:
            return {path: None if gone else state for path, gone, *state in _plain(connection, query)}

    def rows(self, paths: Iterable[str]) -> list[Row]:
        """What else is known of files."""
        chosen = "path IN (SELECT value FROM json_each(?))"
        query = f"SELECT path, size, mtime_ns, inode, missing, sha256 FROM loras WHERE {chosen}"  # noqa: S608
        with self.database.reading() as connection:
            return [Row._make(row) for row in _plain(connection, query, [json.dumps([*paths])])]

    def problems(self) -> dict[str, Problem]:
        """Files a scan found wrong, by path."""
        query = "SELECT path, size, mtime_ns, code, message FROM problems"
        with self.database.reading() as connection:
            return {
                path: Problem(path=path, size=size, mtime_ns=mtime, code=code, message=message)
                for path, size, mtime, code, message in _plain(connection, query)
            }

    def note(self, *, missing: Iterable[str], problems: Iterable[Problem], settled: Iterable[str]) -> None:
        """Files that are gone, files that are wrong, and paths that are wrong no more."""
        gone, wrong, right = list(missing), list(problems), list(settled)
        if not (gone or wrong or right):
            return
        with self.database.writing() as database:
            connection: sqlite3.Connection = database.conn
            connection.executemany("UPDATE loras SET missing = 1 WHERE path = ?", [(path,) for path in gone])
            connection.executemany("DELETE FROM problems WHERE path = ?", [(path,) for path in right])
            connection.executemany(
                "INSERT OR REPLACE INTO problems VALUES (?, ?, ?, ?, ?)",
                [(one.path, one.size, one.mtime_ns, one.code, one.message) for one in wrong],
            )

    def collisions(self) -> list[Problem]:
        """Names that tools mix up: one stem twice, and a stem that is another file's alias."""
        stems = (
            "SELECT path, name FROM loras WHERE trashed IS NULL AND NOT missing AND name_key IN (SELECT name_key "
            "FROM loras WHERE trashed IS NULL AND NOT missing GROUP BY name_key HAVING COUNT(*) > 1) ORDER BY name_key"
        )
        aliases = (
            "SELECT a.path, a.name, b.name FROM loras a JOIN loras b ON b.name_key = lower(a.alias) "
            "WHERE a.alias != a.name AND a.id != b.id AND b.name = a.alias AND a.trashed IS NULL "
            "AND b.trashed IS NULL AND NOT a.missing AND NOT b.missing ORDER BY a.path"
        )
        with self.database.reading() as connection:
            same = [(path, name) for path, name in _plain(connection, stems)]
            called = [(path, name, other) for path, name, other in _plain(connection, aliases)]
        twice = "another file is called {} too: tools load one of them"
        card = "{} was trained as {}, which another file is called: AUTOMATIC1111's card of it loads that one"
        return [
            *(Problem(path=path, code="same_stem", message=twice.format(name)) for path, name in same),
            *(Problem(path=path, code="alias_collision", message=card.format(*names)) for path, *names in called),
        ]

    def unhashed(self, *, partly: bool = False) -> dict[Path, int]:
        """Files nobody has hashed yet, with their sizes, the newest first.

        With `partly` also those of which only some hashes are known: a download computes what it needs.
        """
        query = (
            f"SELECT path, size FROM loras WHERE (sha256 IS NULL OR ({int(partly)} AND blake3 IS NULL)) "  # noqa: S608
            "AND trashed IS NULL AND NOT missing ORDER BY sha256 IS NOT NULL, mtime_ns DESC"
        )
        with self.database.reading() as connection:
            return {self.database.absolute(path): size for path, size in _plain(connection, query)}

    def count_unhashed(self) -> int:
        """How many they are."""
        query = "SELECT COUNT(*) FROM loras WHERE sha256 IS NULL AND trashed IS NULL AND NOT missing"
        with self.database.reading() as connection:
            return int(connection.execute(query).fetchone()[0])

    def set_hashes(self, path: Path, stamp: Stamp, hashes: Mapping[str, str | None]) -> bool:
        """Note the hashes of a file, unless its row tells of another state of it; whether they were noted."""
        changes = ", ".join((*(f"{name} = ?" for name in _HASHES), "asked_at = NULL"))
        values = [hashes[name] for name in _HASHES]
        with self.database.writing() as database:
            found = database.conn.execute(
                f"UPDATE loras SET {changes} WHERE path = ? AND size = ? AND mtime_ns = ?",  # noqa: S608
                [*values, self.database.stored(path), stamp.size, stamp.mtime_ns],
            )
            return bool(found.rowcount)

    def unidentified(self, *, asked_before: datetime) -> list[tuple[Path, str, str | None]]:
        """Hashed files without a reference that no hub was asked about since: path, SHA-256, AutoV3."""
        query = (
            "SELECT path, sha256, autov3 FROM loras WHERE ref IS NULL AND sha256 IS NOT NULL AND trashed IS NULL "
            "AND NOT missing AND (asked_at IS NULL OR asked_at < ?) ORDER BY path"
        )
        with self.database.reading() as connection:
            found = _plain(connection, query, [asked_before.isoformat()])
            return [(self.database.absolute(path), sha256, autov3) for path, sha256, autov3 in found]

    def asked(self, paths: Collection[Path], moment: datetime) -> None:
        """A hub was asked about these."""
        if not paths:
            return
        with self.database.writing() as database:
            database.conn.executemany(
                "UPDATE loras SET asked_at = ? WHERE path = ?",
                [(moment.isoformat(), self.database.stored(path)) for path in paths],
            )


def _plain(connection: sqlite3.Connection, query: str, values: list[object] | None = None) -> list[Any]:
    """Rows as tuples: half the time of named ones."""
    connection.row_factory = None
    return connection.execute(query, values or []).fetchall()
