"""Opening the library database: one connection per unit of work, WAL, migrations when needed.

Reading uses sqlite3 alone, for sqlite_utils takes 25 ms to load; writing and migrating go through
sqlite_utils. Several hubsync processes on one root are normal: `busy_timeout` makes them wait.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hubsync.errors import DatabaseTrouble
from hubsync.store import schema
from hubsync.store.lightly import load_sqlite_utils

if TYPE_CHECKING:
    import sqlite_utils

_BUSY_MS = 10_000


@dataclass(frozen=True, slots=True)
class Database:
    """The database file of one library root; it need not exist yet."""

    path: Path
    root: Path

    def stored(self, path: Path) -> str:
        """A path as rows keep it: relative to the root where it lies inside, so that a library can be moved."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    def absolute(self, stored: str) -> Path:
        """The path a row means."""
        return self.root / stored

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for queries; rows are `sqlite3.Row`. A library that does not exist is empty, and stays so.

        Raises:
            DatabaseTrouble: locked, damaged, or made by a newer hubsync.
        """
        with _explained(self.path), closing(self._open(self.path) if self.path.exists() else _empty()) as connection:
            connection.row_factory = sqlite3.Row
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite_utils.Database]:
        """A connection inside one transaction: all of the block is kept, or nothing.

        Raises:
            DatabaseTrouble: locked, damaged, or made by a newer hubsync.
        """
        load_sqlite_utils()
        import sqlite_utils

        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _explained(self.path), closing(self._open(self.path)) as connection:
            database = sqlite_utils.Database(connection, execute_plugins=False)
            connection.execute("BEGIN IMMEDIATE")  # waits here for other writers, never inside
            try:
                yield database
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def _open(self, path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=_BUSY_MS / 1000)
        try:
            connection.execute("PRAGMA foreign_keys=on")
            # In WAL a power cut may take the last commits with it, never the database; files on disk tell them again.
            connection.execute("PRAGMA synchronous=normal")
            self._bring_up_to_date(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _bring_up_to_date(self, connection: sqlite3.Connection) -> None:
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found > schema.VERSION:
            raise DatabaseTrouble(
                f"{self.path} was made by a newer hubsync", hint="upgrade hubsync: pip install --upgrade hubsync"
            )
        if found < schema.VERSION:
            load_sqlite_utils()
            from hubsync.store.migrations import migrate

            migrate(connection)


def _empty() -> sqlite3.Connection:
    """What a library that does not exist holds."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(";".join(schema.STEPS))
    return connection


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn SQLite's own errors into a sentence."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # a bug of ours, not of the file
    except sqlite3.OperationalError as error:
        hint = "another hubsync is writing; try again" if "locked" in str(error) else f"check {path} and its folder"
        raise DatabaseTrouble(f"the library database cannot be used: {error}", hint=hint) from error
    except sqlite3.DatabaseError as error:
        raise DatabaseTrouble(
            f"the library database is damaged: {error}", hint=f"move {path} away; hubsync starts a new one"
        ) from error
