"""Ended jobs in the library database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlite_utils

from hubsync.domain.jobs import EndedJob
from hubsync.store.database import Database
from hubsync.store.jobs import JobRecords
from hubsync.store.migrations import MIGRATIONS
from hubsync.store.schema import STEPS, VERSION

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
JOB = EndedJob(key="a", label="Installing 'é'", state="done", begun=NOW, ended=NOW)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """A library that does not exist yet."""
    return Database(tmp_path / ".hubsync" / "library.db", tmp_path)


def test_jobs_come_back_as_they_ended(database: Database, tmp_path: Path) -> None:
    """Oldest first, with what went wrong and what came of them; one that was tried again has its last end."""
    records = JobRecords(database=database)
    assert records.all() == []
    assert not database.path.exists()
    done = replace(JOB, place=tmp_path / "models" / "a.safetensors", picture=Path("/elsewhere/a.png"))
    failed = EndedJob(
        key="b",
        label="Installing b",
        state="failed",
        note="a line\nand another",
        error="wrong bytes",
        hint="try again",
        refs=("civitai:1", "hf:x/y"),
        begun=NOW,
        ended=NOW + timedelta(seconds=1),
    )
    for job in (failed, done):
        records.keep(job, most=9)
    assert records.all() == [done, failed]
    again = replace(done, state="cancelled", ended=NOW + timedelta(seconds=2), place=None)
    records.keep(again, most=9)
    assert records.all() == [failed, again]
    records.clear()
    assert records.all() == []


def test_only_the_newest_stay(database: Database) -> None:
    """Whatever the order they were written in."""
    records = JobRecords(database=database)
    for second in (3, 1, 4, 2, 5):
        records.keep(replace(JOB, key=str(second), ended=NOW + timedelta(seconds=second)), most=3)
    assert [job.key for job in records.all()] == ["3", "4", "5"]


def test_a_library_from_before_jobs_gets_a_place_for_them(database: Database) -> None:
    """Its version moves on by itself, when it is first read."""
    database.path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(database.path)) as connection:
        for step in STEPS[:6]:
            connection.executescript(step)
        connection.execute("PRAGMA user_version = 6")
        old = sqlite_utils.Database(connection)
        for migration in MIGRATIONS.pending(old)[:6]:
            row = {"migration_set": "hubsync", "name": migration.name, "applied_at": "2026"}
            old.table("_sqlite_migrations").insert(row)
        connection.commit()
    records = JobRecords(database=database)
    assert records.all() == []
    records.keep(JOB, most=1)
    with database.reading() as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == VERSION
    assert records.all() == [JOB]
