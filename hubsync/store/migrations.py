"""Brings a library up to date, step by step. Each step and its record are one transaction."""

from __future__ import annotations

import sqlite3

import sqlite_utils
from sqlite_utils.migrations import Migrations

from hubsync.store.schema import STEPS

MIGRATIONS = Migrations("hubsync")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database up to date, a new and empty one included. Of several processes one does it, the others wait."""
    _enter_wal(connection)
    connection.execute("BEGIN IMMEDIATE")
    MIGRATIONS.apply(sqlite_utils.Database(connection, execute_plugins=False))
    connection.commit()


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Switch the journal. SQLite does not wait for a lock here as it does elsewhere, so a transaction does."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode=wal")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
        connection.execute("BEGIN IMMEDIATE")  # raises when the lock is not had in `busy_timeout`
        connection.rollback()


@MIGRATIONS()
def m001_initial(database: sqlite_utils.Database) -> None:
    """The first tables."""
    _step(database, 1)


@MIGRATIONS()
def m002_downloads(database: sqlite_utils.Database) -> None:
    """The queue of downloads."""
    _step(database, 2)


def _step(database: sqlite_utils.Database, version: int) -> None:
    for statement in STEPS[version - 1].split(";"):
        database.execute(statement)
    database.execute(f"PRAGMA user_version = {version}")
