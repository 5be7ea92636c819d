"""Saved prompts in the library database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlite_utils

from hubsync.store.database import Database
from hubsync.store.migrations import MIGRATIONS
from hubsync.store.prompts import PromptRecords, Saved
from hubsync.store.schema import STEPS, VERSION

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """A library that does not exist yet."""
    return Database(tmp_path / ".hubsync" / "library.db", tmp_path)


def test_prompts_are_kept_by_name(database: Database) -> None:
    """What is saved comes back, the newest first; a second one of a name replaces the first."""
    records = PromptRecords(database=database)
    assert records.all() == []
    assert not database.path.exists()
    first = Saved(
        name="a 'quoted' name", text="x\ny", negative="", loras=({"name": "é", "weight": None},), saved_at=NOW
    )
    second = Saved(name="b", text="", negative="z", loras=(), saved_at=NOW + timedelta(seconds=1))
    records.save(first)
    records.save(second)
    assert records.all() == [second, first]
    changed = Saved(name="b", text="other", negative="", loras=(), saved_at=NOW - timedelta(seconds=1))
    records.save(changed)
    assert records.all() == [first, changed]
    records.forget(first.name)
    assert records.all() == [changed]


def test_a_library_from_before_saved_prompts_gets_a_place_for_them(database: Database) -> None:
    """Its version moves on by itself, when it is first read."""
    database.path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(database.path)) as connection:
        for step in STEPS[:5]:
            connection.executescript(step)
        connection.execute("PRAGMA user_version = 5")
        old = sqlite_utils.Database(connection)
        for migration in MIGRATIONS.pending(old)[:5]:
            row = {"migration_set": "hubsync", "name": migration.name, "applied_at": "2026"}
            old.table("_sqlite_migrations").insert(row)
        connection.commit()
    records = PromptRecords(database=database)
    assert records.all() == []
    records.save(Saved(name="a", text="x", negative="", loras=(), saved_at=NOW))
    with database.reading() as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == VERSION
    assert [one.text for one in records.all()] == ["x"]
