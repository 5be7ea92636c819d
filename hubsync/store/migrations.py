"""Brings a library up to date, step by step. Each step and its record are one transaction."""

from __future__ import annotations

import sqlite3

import sqlite_utils
from sqlite_utils.migrations import Migrations

from hubsync.store import finding
from hubsync.store.schema import statements

MIGRATIONS = Migrations("hubsync")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database up to date, a new and empty one included. Of several processes one does it, the others wait."""
    _enter_wal(connection)
    # A table that others refer to is replaced by a new one: with this on, dropping the old would empty the others.
    connection.execute("PRAGMA foreign_keys=off")
    connection.execute("BEGIN IMMEDIATE")
    MIGRATIONS.apply(sqlite_utils.Database(connection, execute_plugins=False))
    connection.commit()
    connection.execute("PRAGMA foreign_keys=on")


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


@MIGRATIONS()
def m003_knowledge(database: sqlite_utils.Database) -> None:
    """What every source says, and files as they were found."""
    _step(database, 3)


@MIGRATIONS()
def m004_finding(database: sqlite_utils.Database) -> None:
    """What LoRAs are found by."""
    _step(database, 4)
    finding.refresh(database.conn, None)


@MIGRATIONS()
def m005_probing(database: sqlite_utils.Database) -> None:
    """Words that were tried out."""
    _step(database, 5)


@MIGRATIONS()
def m006_prompts(database: sqlite_utils.Database) -> None:
    """Prompts kept under a name."""
    _step(database, 6)


@MIGRATIONS()
def m007_jobs(database: sqlite_utils.Database) -> None:
    """Work that is over."""
    _step(database, 7)


def _step(database: sqlite_utils.Database, version: int) -> None:
    for statement in statements(version):
        database.execute(statement)
    database.execute(f"PRAGMA user_version = {version}")
