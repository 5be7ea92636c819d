"""Opening the library database: one connection per unit of work, WAL, migrations when needed.

Reading uses sqlite3 alone, for sqlite_utils takes 25 ms to load; writing and migrating go through
sqlite_utils. Several hubsync processes on one root are normal: `busy_timeout` makes them wait.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hubsync.errors import DatabaseTrouble
from hubsync.store import schema
from hubsync.store.lightly import load_sqlite_utils

if TYPE_CHECKING:
    import sqlite_utils

_BUSY_MS = 10_000


@dataclass(frozen=True)
class Database:
    """The database file of one library root; it need not exist yet.

    With `keep` the last reader's connection is kept for the next until `close`: opening one and reading the same pages
    again takes 1 ms of the 5 a keystroke has.
    """

    path: Path
    root: Path
    keep: bool = False
    _idle: list[tuple[int, sqlite3.Connection]] = field(default_factory=list, compare=False, repr=False)

    def stored(self, path: str | Path) -> str:
        """A path as rows keep it: relative to the root where it lies inside, so that a library can be moved."""
        # As text: a scan asks for thousands, and `relative_to` takes 5 µs.
        text, inside = os.fspath(path), self._inside
        if not text.startswith(inside):
            return text
        return text[len(inside) :] if os.sep == "/" else text[len(inside) :].replace(os.sep, "/")

    @cached_property
    def _inside(self) -> str:
        return f"{self.root}{os.sep}"

    def absolute(self, stored: str) -> Path:
        """The path a row means."""
        return self.root / stored

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for queries; rows are `sqlite3.Row`. A library that does not exist is empty, and stays so.

        Raises:
            DatabaseTrouble: locked, damaged, or made by a newer hubsync.
        """
        with _explained(self.path):
            file = self.path.stat().st_ino if self.path.exists() else 0
            connection = self._kept(file) or self._readable()
            try:
                connection.row_factory = sqlite3.Row
                yield connection
                if self.keep and not self._idle:
                    self._idle.append((file, connection))
                    return
            except BaseException:
                connection.close()
                raise
            connection.close()

    def close(self) -> None:
        """Close the connection that was kept."""
        while self._idle:
            self._idle.pop()[1].close()

    def _kept(self, file: int) -> sqlite3.Connection | None:
        """The idle connection, unless the database is another file by now."""
        try:
            known, connection = self._idle.pop()
        except IndexError:
            return None
        if known == file:
            return connection
        connection.close()
        return None

    def _readable(self) -> sqlite3.Connection:
        if not self.path.exists():
            return _empty()
        try:
            return self._open(self.path)
        except sqlite3.OperationalError:
            # In WAL even a reader writes; on a disk that cannot be written nobody else does either.
            if os.access(self.path.parent, os.W_OK):
                raise
            return sqlite3.connect(f"{self.path.absolute().as_uri()}?immutable=1", uri=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Of all processes and threads only this one changes what it has read before; may be nested.

        Raises:
            DatabaseTrouble: the library's folder cannot be written.
        """
        from filelock import FileLock

        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock = FileLock(self.path.with_name("library.lock"), is_singleton=True)
            lock.acquire()
        except OSError as error:
            raise DatabaseTrouble(
                f"the library database cannot be used: {error.strerror}", hint=f"check {self.path.parent}"
            ) from error
        try:
            yield
        finally:
            lock.release()

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
        # A kept connection is handed from thread to thread, and used by one at a time.
        connection = sqlite3.connect(path, timeout=_BUSY_MS / 1000, check_same_thread=False)
        try:
            connection.execute("PRAGMA foreign_keys=on")
            # In WAL a power cut may take the last commits with it, never the database; files on disk tell them again.
            connection.execute("PRAGMA synchronous=normal")
            # KiB. The index of 100,000 LoRAs takes 36 MB; with SQLite's 2 MB a hard search takes half as long again.
            connection.execute("PRAGMA cache_size=-65536")
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
    connection = sqlite3.connect(":memory:", check_same_thread=False)
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
