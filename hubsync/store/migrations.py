"""The schema, as an append-only list of steps. Each step and its record are one transaction."""

from __future__ import annotations

import sqlite3

import sqlite_utils
from sqlite_utils.migrations import Migrations

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
    """LoRAs with their trigger groups and tags, and renders with the LoRAs in them."""
    for statement in _INITIAL.split(";"):
        database.execute(statement)
    database.execute("PRAGMA user_version = 1")


# `path` and `preview` are relative to the root where they lie inside it, so that a library can be moved whole.
# `name_key` is the case-folded stem: stems are unique on every file system.
# `written` is what hubsync last wrote into the sidecar, so that a human's edits there are recognised.
_INITIAL = """
CREATE TABLE loras (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    alias TEXT,
    ref TEXT,
    type TEXT NOT NULL,
    base_model TEXT,
    family TEXT,
    network TEXT,
    rank INTEGER,
    alpha REAL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    sha256 TEXT,
    autov2 TEXT,
    autov3 TEXT,
    weight REAL,
    negative TEXT,
    notes TEXT,
    creator TEXT,
    nsfw_level INTEGER,
    preview TEXT,
    installed_at TEXT,
    raw_words TEXT NOT NULL DEFAULT '[]',
    suggestions TEXT NOT NULL DEFAULT '[]',
    written TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX loras_sha256 ON loras (sha256);
CREATE INDEX loras_ref ON loras (ref);
CREATE TABLE tags (
    lora_id INTEGER NOT NULL REFERENCES loras (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (lora_id, tag)
) WITHOUT ROWID;
CREATE TABLE trigger_groups (
    lora_id INTEGER NOT NULL REFERENCES loras (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    PRIMARY KEY (lora_id, position)
) WITHOUT ROWID;
CREATE TABLE trigger_words (
    lora_id INTEGER NOT NULL,
    group_position INTEGER NOT NULL,
    position INTEGER NOT NULL,
    text TEXT NOT NULL,
    source TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    PRIMARY KEY (lora_id, group_position, position),
    FOREIGN KEY (lora_id, group_position) REFERENCES trigger_groups (lora_id, position) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX trigger_words_text ON trigger_words (text);
CREATE TABLE renders (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    trigger_words TEXT NOT NULL,
    prompt TEXT NOT NULL,
    negative_prompt TEXT NOT NULL,
    seed INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    cfg REAL NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    sampler TEXT NOT NULL,
    checkpoint TEXT NOT NULL,
    family TEXT,
    effect REAL,
    trigger_effect REAL,
    created_at TEXT NOT NULL
);
CREATE TABLE render_loras (
    render_id INTEGER NOT NULL REFERENCES renders (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    weight REAL NOT NULL,
    PRIMARY KEY (render_id, position)
) WITHOUT ROWID;
CREATE INDEX render_loras_name ON render_loras (name)
"""
