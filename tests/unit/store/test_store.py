"""The library database: what is saved comes back, on a real SQLite file."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils

from hubsync.domain import (
    Entry,
    Installed,
    ListFilter,
    ListSort,
    LoraType,
    LoraUse,
    Render,
    RenderKind,
    Stamp,
    Statement,
    TriggerGroup,
    TriggerWord,
    WordSource,
)
from hubsync.errors import DatabaseTrouble
from hubsync.refs import CivitaiRef, Source
from hubsync.store.database import Database
from hubsync.store.migrations import MIGRATIONS
from hubsync.store.records import Records
from hubsync.store.renders import RenderRecords
from hubsync.store.schema import STEPS, VERSION

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """A library that does not exist yet."""
    return Database(tmp_path / ".hubsync" / "library.db", tmp_path)


WORDS = (
    TriggerWord(text="yuki (snow)", source=WordSource.CIVITAI),
    TriggerWord(text="hat", source=WordSource.USER),
)
GROUPS = (
    TriggerGroup(index=1, words=WORDS, enabled=True),
    TriggerGroup(index=2, words=(TriggerWord(text="b", source=WordSource.CIVITAI, enabled=False),)),
)
STATEMENTS = (
    Statement(source=WordSource.USER, groups=GROUPS, notes="mine"),
    Statement(source=WordSource.CIVITAI, raw=("yuki (snow), hat", "b"), weight=0.7, negative="blurry"),
)


def _lora(root: Path, name: str = "Yuki") -> Installed:
    """As it comes back: with what follows from the statements."""
    path = root / "models" / "Lora" / f"{name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"weights")
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
        autov1="ef" * 4,
        autov2="ab" * 5,
        autov3="cd" * 6,
        blake3="01" * 32,
        crc32="23" * 4,
        groups=GROUPS,
        weight=0.7,
        negative="blurry",
        notes="mine",
        tags=("character", "snow"),
        nsfw_level=1,
        preview=path.with_name("Yuki.preview.png"),
        installed_at=NOW,
        newer=CivitaiRef(model=1, version=4),
        outdated=True,
        pinned=True,
    )


def _entry(lora: Installed) -> Entry:
    return Entry(
        lora=lora,
        stamp=Stamp(size=lora.size, mtime_ns=5, inode=6, sidecars="x.json/1/2"),
        statements=STATEMENTS,
        written={"activation text": "x"},
        description="a girl in the snow",
    )


def test_a_lora_comes_back_as_it_was_saved(database: Database) -> None:
    """Every field survives, groups and tags in their order."""
    lora = _lora(database.root)
    records = Records(database=database)
    assert records.save(_entry(lora)) == lora
    assert records.by_name("yUKI") == [lora]
    assert records.by_path(lora.path) == records.by_sha256("AB" * 32) == [lora]
    assert records.by_autov3("CD" * 6) == [lora]
    assert records.entry(lora.path) == _entry(lora)
    assert records.refs() == {"civitai:1@2#3"}
    assert records.having(["ab" * 32, "ef" * 32]) == {"ab" * 32}
    assert records.names() == {"yuki": lora.path}
    assert records.names_and_aliases() == [("Yuki", "yuki_v1", "sdxl")]


def test_what_is_used_follows_from_the_statements(database: Database) -> None:
    """Whatever the LoRA itself came with: without its user, the hub's word holds."""
    entry = replace(_entry(_lora(database.root)), statements=STATEMENTS[1:])
    found = Records(database=database).save(entry)
    assert (found.groups, found.weight, found.notes) == ((), 0.7, None)


def test_saving_again_replaces_the_row(database: Database) -> None:
    """A second save of the same file is the same row."""
    records = Records(database=database)
    entry = _entry(_lora(database.root))
    records.save(entry)
    records.save(replace(entry, lora=replace(entry.lora, title="new", tags=("one",)), statements=()))
    (found,) = records.all()
    assert (found.title, found.groups, found.tags) == ("new", (), ("one",))


def test_two_files_may_share_a_stem(database: Database) -> None:
    """Other tools leave such libraries behind: neither row is lost."""
    records = Records(database=database)
    lora = _lora(database.root)
    other = replace(lora, path=lora.path.parent / "sub" / lora.path.name)
    records.save_all([_entry(lora), _entry(other)])
    assert [found.path for found in records.by_name("yuki")] == [lora.path, other.path]


def test_a_vanished_file_is_missing_not_gone(database: Database) -> None:
    """The row stays when the file goes."""
    lora = _lora(database.root)
    records = Records(database=database)
    records.save(_entry(lora))
    lora.path.unlink()
    assert [found.missing for found in records.all()] == [True]


def test_what_is_in_the_trash_is_not_in_the_library(database: Database) -> None:
    """Its row waits there, and comes back with all it held."""
    records, lora = Records(database=database), _lora(database.root)
    records.save(_entry(lora))
    trash = database.root / ".hubsync" / "trash" / lora.path.name
    trash.parent.mkdir(parents=True)
    lora.path.rename(trash)
    records.relocate({lora.path: trash}, trashed=NOW)
    assert records.all() == records.page(ListFilter(text="yuki")) == []
    assert (records.names(), records.refs(), records.entry(trash)) == ({}, frozenset(), None)
    assert not records.having(["ab" * 32])
    trash.rename(lora.path)
    records.relocate({trash: lora.path})
    assert records.all() == [lora]


def test_pages_are_cut_and_ordered_by_the_database(database: Database) -> None:
    """By every filter of `list`, with and without a text."""
    records = Records(database=database)
    one = _lora(database.root, "Yuki")
    two = replace(
        _lora(database.root, "Ameyuki"), ref=None, family="sd1", base_model="SD 1.5", tags=("Style",), size=99,
        installed_at=NOW.replace(year=2025), newer=None, outdated=False,
    )  # fmt: skip
    records.save_all([_entry(one), replace(_entry(two), statements=())])

    def names(limit: int = -1, offset: int = 0, **conditions: Any) -> list[str]:
        return [found.name for found in records.page(ListFilter(**conditions), limit=limit, offset=offset)]

    assert names() == ["Ameyuki", "Yuki"]
    assert (names(1), names(1, 1), names(5, 2)) == (["Ameyuki"], ["Yuki"], [])
    assert names(sort=ListSort.NEWEST) == ["Yuki", "Ameyuki"]
    assert names(sort=ListSort.SIZE) == ["Ameyuki", "Yuki"]
    assert names(text="yuki") == names(2, text="yuki") == ["Yuki", "Ameyuki"]
    assert names(1, 1, text="yuki") == ["Ameyuki"]
    assert names(text="yuki", sort=ListSort.SIZE) == ["Ameyuki", "Yuki"]
    assert names(text="snow hat") == ["Yuki"]
    assert names(family="SD1") == names(base="sd 1.5") == names(tag="style") == ["Ameyuki"]
    assert names(source=Source.CIVITAI) == names(trigger="HAT") == names(outdated=True) == ["Yuki"]
    assert names(source=Source.HUGGINGFACE) == names(text="yuki", family="flux1") == []


def test_a_filter_is_counted_and_the_library_told_by_its_facets(database: Database) -> None:
    """With numbers that are those of the pages; a file that went away is missing though no scan saw it."""
    records = Records(database=database)
    one, two = _lora(database.root, "Yuki"), replace(_lora(database.root, "Ame"), preview=None, tags=("snow",))
    three = replace(_lora(database.root, "Kage"), family=None, newer=None, outdated=False)
    records.save_all([_entry(one), replace(_entry(two), statements=()), _entry(three)])
    one.path.unlink()
    filters: list[dict[str, Any]] = [{"missing": True}, {"outdated": True}, {"no_words": True}, {"no_preview": True}]
    wanted = [ListFilter(**conditions) for conditions in (*filters, {"text": "snow"}, {"text": "ki", "missing": True})]
    pages = [[lora.name for lora in records.page(one)] for one in wanted]
    assert pages == [["Yuki"], ["Ame", "Yuki"], ["Ame"], ["Ame"], ["Kage", "Ame", "Yuki"], ["Yuki"]]
    assert [records.count(one) for one in wanted] == [len(page) for page in pages]
    assert records.page(ListFilter(missing=True), limit=1, offset=1) == []
    facets = records.facets()
    assert (dict(facets.families), list(facets.tags.items())) == ({"sdxl": 2}, [("snow", 3), ("character", 2)])
    assert [facets.missing, facets.outdated, facets.no_words, facets.no_preview] == [1, 2, 1, 1]


def test_a_library_can_be_moved_whole(database: Database, tmp_path: Path) -> None:
    """Paths inside the root are stored relative to it."""
    Records(database=database).save(_entry(_lora(database.root)))
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
    records.save(_entry(_lora(database.root)))
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


VERSION_2 = """
INSERT INTO loras (path, name, name_key, title, ref, type, size, mtime_ns, weight, raw_words, sha256)
VALUES ('models/Lora/a.safetensors', 'a', 'a', 'A', 'civitai:1@2', 'lora', 7, 5, 0.7, '["x, y", "z, w"]', 'ab');
INSERT INTO loras (path, name, name_key, title, ref, type, size, mtime_ns)
VALUES ('models/Lora/b.safetensors', 'b', 'b', 'B', 'hf:o/r@c/b.safetensors', 'lora', 8, 6);
INSERT INTO trigger_groups VALUES (1, 1, 1), (1, 2, 0);
INSERT INTO trigger_words VALUES (1, 1, 0, 'x', 'civitai', 1), (1, 1, 1, 'y', 'civitai', 1);
INSERT INTO trigger_words VALUES (1, 2, 0, 'z', 'civitai', 1);
INSERT INTO tags VALUES (1, 'style');
"""


def test_a_library_of_an_earlier_hubsync_keeps_everything(database: Database) -> None:
    """Words become what their hub said; groups, tags and rows stay, and everything is found."""
    database.path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(database.path)) as connection:
        for step in STEPS[:2]:
            connection.executescript(step)
        connection.executescript(VERSION_2)
        connection.execute("PRAGMA user_version = 2")
        old = sqlite_utils.Database(connection)
        for name in ("m001_initial", "m002_downloads"):
            old.table("_sqlite_migrations").insert({"migration_set": "hubsync", "name": name, "applied_at": "2026"})
        connection.commit()
    records = Records(database=database)
    assert [lora.name for lora in records.page(ListFilter(text="style"))] == ["a"]
    a = records.entry(database.root / "models/Lora/a.safetensors")
    b = records.entry(database.root / "models/Lora/b.safetensors")
    assert a
    assert b
    assert a.lora.trigger_words == (("x", "y"), ("z",))
    assert a.statements == (
        Statement(source=WordSource.CIVITAI, raw=("x, y", "z, w"), groups=a.lora.groups, weight=0.7),
    )
    assert b.statements == (Statement(source=WordSource.CARD),)
    assert records.save(a) == a.lora
