"""The library database: what is saved comes back, on a real SQLite file."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlite_utils

from hubsync.domain import (
    Installed,
    LoraType,
    LoraUse,
    Render,
    RenderKind,
    Suggestion,
    TriggerGroup,
    TriggerWord,
    WordSource,
)
from hubsync.errors import DatabaseTrouble
from hubsync.refs import CivitaiRef
from hubsync.store.database import Database
from hubsync.store.migrations import MIGRATIONS
from hubsync.store.records import Records
from hubsync.store.renders import RenderRecords
from hubsync.store.schema import VERSION

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """A library that does not exist yet."""
    return Database(tmp_path / ".hubsync" / "library.db", tmp_path)


def _lora(root: Path, name: str = "Yuki") -> Installed:
    path = root / "models" / "Lora" / f"{name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"weights")
    words = (
        TriggerWord(text="yuki (snow)", source=WordSource.CIVITAI),
        TriggerWord(text="hat", source=WordSource.USER),
    )
    return Installed(
        name=name,
        path=path,
        title="Yuki ❄ — a title",
        alias="yuki_v1",
        ref=CivitaiRef(model=1, version=2, file=3),
        type=LoraType.LOCON,
        base_model="Pony",
        family="sdxl",
        network="locon",
        rank=16,
        alpha=8.0,
        size=7,
        sha256="ab" * 32,
        autov2="ab" * 5,
        autov3="cd" * 6,
        groups=(
            TriggerGroup(index=1, words=words, enabled=True),
            TriggerGroup(index=2, words=(TriggerWord(text="b", source=WordSource.CIVITAI, enabled=False),)),
        ),
        suggestions=(Suggestion(text="1girl", score=0.5, source="ss_tag_frequency"),),
        weight=0.7,
        tags=("character", "snow"),
        nsfw_level=1,
        preview=path.with_name("Yuki.preview.png"),
        installed_at=NOW,
    )


def test_a_lora_comes_back_as_it_was_saved(database: Database) -> None:
    """Every field survives, groups and tags in their order."""
    lora = _lora(database.root)
    records = Records(database=database)
    records.save(lora, raw_words=["yuki (snow), hat", "b"], written={"activation text": "x"})
    assert records.by_name("yUKI") == [lora]
    assert records.by_path(lora.path) == records.by_sha256("AB" * 32) == [lora]
    assert records.written(lora.path) == {"activation text": "x"}
    assert records.refs() == {"civitai:1@2#3"}
    assert records.names() == {"yuki": lora.path}


def test_saving_again_replaces_and_keeps_what_is_not_said(database: Database) -> None:
    """A second save of the same file updates its row; raw words and sidecar memory stay unless given."""
    lora = _lora(database.root)
    records = Records(database=database)
    records.save(lora, written={"notes": "n"})
    records.save(replace(lora, title="new", groups=(), tags=("one",)))
    (found,) = records.all()
    assert (found.title, found.groups, found.tags) == ("new", (), ("one",))
    assert records.written(lora.path) == {"notes": "n"}


def test_a_vanished_file_is_missing_not_gone(database: Database) -> None:
    """The row stays when the file goes."""
    lora = _lora(database.root)
    records = Records(database=database)
    records.save(lora)
    lora.path.unlink()
    assert [found.missing for found in records.all()] == [True]


def test_a_library_can_be_moved_whole(database: Database, tmp_path: Path) -> None:
    """Paths inside the root are stored relative to it."""
    Records(database=database).save(_lora(database.root))
    moved = Database(database.path, tmp_path / "elsewhere")
    assert Records(database=moved).all()[0].path == tmp_path / "elsewhere/models/Lora/Yuki.safetensors"


def _insert_twice(connection: sqlite_utils.Database) -> None:
    row = {"path": "a", "name": "a", "name_key": "a", "title": "", "type": "lora", "size": 0, "mtime_ns": 0}
    connection.table("loras").insert(row)
    connection.table("loras").insert(row)


def test_a_failed_write_leaves_nothing(database: Database) -> None:
    """A unit of work is kept whole or not at all."""
    records = Records(database=database)
    half = Database(database.path, database.root)
    with pytest.raises(sqlite3.IntegrityError), half.writing() as connection:
        _insert_twice(connection)
    assert records.all() == []


def test_renders_come_back_newest_first(database: Database) -> None:
    """Renders are found by LoRA, and counted on it."""
    records, renders = Records(database=database), RenderRecords(database=database)
    records.save(_lora(database.root))
    base = Render(
        path=database.root / "r" / "0.png", kind=RenderKind.BASE, prompt="a ring", seed=1, steps=8, cfg=3.0,
        size=(64, 64), sampler="DDIM", checkpoint="tiny", created_at=NOW,
    )  # fmt: skip
    use = (LoraUse(name="Yuki", weight=-0.5),)
    later = replace(
        base, path=database.root / "r" / "1.png", kind=RenderKind.TRIGGERED, loras=use, trigger_words=("a", "b"),
        effect=0.25, trigger_effect=0.125, created_at=NOW.replace(hour=13),
    )  # fmt: skip
    renders.save([base, later])
    renders.save([base])
    assert renders.all() == [later, base]
    assert renders.all("Yuki") == [later]
    assert records.by_name("yuki")[0].renders == 1


def test_schema_version_counts_the_migrations() -> None:
    """The number checked at every start is the number of migrations there are."""
    assert len(MIGRATIONS._migrations) == VERSION


def test_many_may_open_a_new_library_at_once(database: Database) -> None:
    """Of eight processes that make the same library at the same moment, none fails."""
    code = (
        "import sys; from pathlib import Path; from hubsync.store.database import Database\n"
        "import sqlite_utils; print('ready', flush=True); sys.stdin.readline()\n"
        "with Database(Path(sys.argv[1]), Path('.')).writing(): pass"
    )
    command = [sys.executable, "-c", code, str(database.path)]
    pipe, same = subprocess.PIPE, subprocess.STDOUT
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=same, text=True) for _ in range(8)]
    ready = [process.stdout.readline() for process in processes if process.stdout]
    for process in processes:
        if process.stdin:
            process.stdin.write("go\n")
            process.stdin.flush()
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert (ready, said) == (["ready\n"] * 8, [""] * 8)


def test_reading_makes_nothing(database: Database) -> None:
    """A library that does not exist is empty, and still does not exist afterwards."""
    assert Records(database=database).all() == []
    assert RenderRecords(database=database).all() == []
    assert not database.path.parent.exists()


def test_a_newer_library_is_refused(database: Database) -> None:
    """A library a newer hubsync made is not touched."""
    with database.writing():
        pass
    with closing(sqlite3.connect(database.path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(DatabaseTrouble, match="newer"):
        Records(database=database).all()


def test_a_damaged_library_is_said_to_be(database: Database) -> None:
    """Bytes that are no database end in a sentence, and stay."""
    database.path.parent.mkdir(parents=True)
    database.path.write_bytes(b"not a database, " * 400)
    with pytest.raises(DatabaseTrouble, match="damaged"):
        Records(database=database).all()
    assert database.path.read_bytes().startswith(b"not a database")
