"""Search over the library: what is found, in what order, and that any text is a question like others."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubsync.store import finding, folding
from hubsync.store.database import Database
from hubsync.store.migrations import MIGRATIONS
from hubsync.store.schema import STEPS, statements
from tests.benchmarks.catalogue import fill


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An empty library, in a transaction."""
    with Database(tmp_path / "library.db", tmp_path).writing() as database:
        yield database.conn


def _add(connection: sqlite3.Connection, name: str, *, words: Sequence[str] = (), tags: Sequence[str] = (),
         title: str = "", creator: str | None = None, alias: str | None = None) -> int:  # fmt: skip
    query = (
        "INSERT INTO loras (path, name, name_key, title, alias, creator, type, size, mtime_ns) "
        "VALUES ((SELECT COUNT(*) FROM loras), ?, ?, ?, ?, ?, 'lora', 1, 1) RETURNING id"
    )
    key: int = connection.execute(query, [name, name.casefold(), title, alias, creator]).fetchone()[0]
    connection.execute("INSERT INTO trigger_groups VALUES (?, 1, 1)", [key])
    rows = [(key, 1, at, word, "user", at % 2) for at, word in enumerate(words)]
    connection.executemany("INSERT INTO trigger_words VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.executemany("INSERT INTO tags VALUES (?, ?)", [(key, tag) for tag in tags])
    finding.refresh(connection, [key])
    return key


@pytest.mark.parametrize(
    "text",
    ["add_detail_v2", "ADD-Detail", "det", "etai", "v2", "2", "l_v", "detail add", "tweak", "snow hat", "off", "film",
     "KiNo", "maker", "mor", "more_alias", "cafe", "CAFÉ", "Ⅻ", "\uff21dd", "d", "❄ add"],
)  # fmt: skip
def test_every_part_of_what_a_lora_says_finds_it(connection: sqlite3.Connection, text: str) -> None:
    """Name, title, words on or off, tags, creator and alias, whole or in part, whatever case, accents or separators."""
    _add(connection, "other", words=["elsewhere"])
    key = _add(connection, "add_detail_v2", title="Detail Tweaker xii", words=["snow hat", "offed"],
               tags=["film grain", "Café"], creator="KinoMaker", alias="more_alias")  # fmt: skip
    assert finding.find(connection, text) == [key]


@pytest.mark.parametrize(
    "text", ["美", "女", "美女", "女写", "古装美女", "写真 xl", "ガ", "ガール", "한", "국어", "Ж", "жен"]
)
def test_scripts_without_spaces_are_found_by_any_character(connection: sqlite3.Connection, text: str) -> None:
    """One character is enough, at the beginning or inside."""
    _add(connection, "カール_白")
    key = _add(connection, "古装美女写真_XL", words=["ガール", "한국어", "женщина"])
    assert finding.find(connection, text) == [key]


def test_the_likeliest_comes_first(connection: sqlite3.Connection) -> None:
    """Name, name's beginning, a word of the name, any word, anywhere; in each the newest."""
    kinds = [
        ("ink", {}), ("ink_wash", {}), ("Inky-lines", {}), ("my_ink", {}), ("x1", {"title": "Some inks"}),
        ("x2", {"words": ["ink drawing"]}), ("x3", {"tags": ["inked"]}), ("x4", {"creator": "inkling"}),
        ("pinks", {}), ("x5", {"words": ["drinking"]}),
    ]  # fmt: skip
    keys = {name: _add(connection, name, **said) for name, said in kinds}  # type: ignore[arg-type]
    names = {key: name for name, key in keys.items()}
    order = ["ink", "Inky-lines", "ink_wash", "x1", "my_ink", "x4", "x3", "x2", "x5", "pinks"]
    assert [names[key] for key in finding.find(connection, "ink")] == order


def test_pages_follow_each_other(connection: sqlite3.Connection) -> None:
    """Pages put together are the whole, nothing twice; -1 is no limit."""
    fill(connection, 3000)
    finding.refresh(connection, None)
    whole = finding.find(connection, "style", limit=-1)
    assert len(whole) > 400
    assert len(set(whole)) == len(whole)
    assert [key for at in range(0, len(whole), 100) for key in finding.find(connection, "style", offset=at)] == whole
    assert finding.find(connection, "style", limit=-1, offset=400) == whole[400:]


@pytest.mark.parametrize("text", ["style", "ha", "hair c", "1girl solo", "v1", "tail", "ail", "dragon xl", "ir", "re"])
def test_nothing_is_left_out(connection: sqlite3.Connection, text: str) -> None:
    """In a library where trigrams are common, all that have the words are found, and only they."""
    fill(connection, 3000)
    finding.refresh(connection, None)
    first, *others = folding.words(text)
    marked = [first, *(word if len(word) > 2 else f"  {word}" for word in others)]
    bodies = connection.execute("SELECT id, body FROM lookup").fetchall()
    expected = {key for key, body in bodies if all(word in body for word in marked)}
    assert {*finding.find(connection, text, limit=-1)} == expected != set()


@given(st.text(max_size=40))
def test_any_text_is_a_question(text: str) -> None:
    """Quotes, operators, control characters and emoji raise nothing, and a LoRA called so is found if it has a word."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(";".join(STEPS))
        name = text.encode("utf-8", "ignore").decode()
        key = _add(connection, name)
        assert finding.find(connection, name) == ([key] if folding.words(name) else [])
        finding.near(connection, name)


@pytest.mark.parametrize(
    "text",
    ['"', "' OR 1=1 --", '" OR "', "NEAR(add detail)", "add* ^add", "body:add", "add\0detail", "{a b}: c", "- +"],
)
def test_operators_are_no_operators(connection: sqlite3.Connection, text: str) -> None:
    """What SQLite's query language would take for an order is text or nothing."""
    _add(connection, "plain")
    assert finding.find(connection, text) == []


def test_a_text_of_any_length_is_a_question(connection: sqlite3.Connection) -> None:
    """Of 10,000 characters the first 200 count."""
    key = _add(connection, "a" * 300)
    assert finding.find(connection, "a" * 10_000) == [key]
    assert finding.find(connection, "x " * 10_000) == []
    assert finding.find(connection, " \0 ") == []


def test_the_index_follows_the_rows(connection: sqlite3.Connection) -> None:
    """A renamed LoRA has its new name only; one that is removed or in the trash is not found."""
    key, other = _add(connection, "before"), _add(connection, "before_too")
    connection.execute("UPDATE loras SET name = 'after' WHERE id = ?", [key])
    finding.refresh(connection, [key, key])
    assert (finding.find(connection, "before"), finding.find(connection, "after")) == ([other], [key])
    connection.execute("DELETE FROM loras WHERE id = ?", [other])
    connection.execute("UPDATE loras SET trashed = '2026-11-01' WHERE id = ?", [key])
    finding.refresh(connection, [key])
    assert finding.find(connection, "after") == finding.find(connection, "before") == []
    assert connection.execute("SELECT COUNT(*) FROM lookup").fetchone()[0] == 0
    connection.execute("INSERT INTO finder (finder, rank) VALUES ('integrity-check', 1)")


def test_ten_thousand_are_indexed_at_once(connection: sqlite3.Connection) -> None:
    """A scan's batch is one statement: 0.3 s on a free machine, ten times that on none."""
    ids = fill(connection, 10_000)
    started = time.process_time()
    finding.refresh(connection, ids)
    assert time.process_time() - started < 3
    assert len(finding.find(connection, "v1")) == 100


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ad_detail_v2", "add_detail_v2"),
        ("addd_detail", "add_detail_v2"),
        ("Yukki", "Yuki"),
        ("イラスト風", "イラスト風景"),
    ],
)
def test_near_names_forgive_a_slip(connection: sqlite3.Connection, typed: str, meant: str) -> None:
    """The name that was meant comes first, among many."""
    fill(connection, 2000)
    finding.refresh(connection, None)
    for name in ("add_detail_v2", "Yuki", "イラスト風景"):
        _add(connection, name)
    assert finding.near(connection, typed)[0] == meant
    assert len(finding.near(connection, typed, 1)) == 1


@pytest.mark.parametrize("name", ["", "_", "a", "\0", "q" * 10_000])
def test_names_like_nothing_have_none_near(connection: sqlite3.Connection, name: str) -> None:
    """A name too short or too odd is no mistake of another."""
    _add(connection, "add_detail")
    assert finding.near(connection, name) == []


def test_a_library_of_before_is_searchable(tmp_path: Path) -> None:
    """The migration fills the index from the rows there are."""
    path = tmp_path / "library.db"
    with closing(sqlite3.connect(path)) as connection:
        import sqlite_utils

        database = sqlite_utils.Database(connection)
        MIGRATIONS.apply(database, stop_before="m004_finding")
        columns = "path, name, name_key, title, type, size, mtime_ns"
        connection.execute(f"INSERT INTO loras ({columns}) VALUES ('p', 'Old', 'old', '', 'lora', 1, 1)")
        connection.commit()
    with Database(path, tmp_path).reading() as connection:
        assert finding.find(connection, "old") == [1]


def test_a_step_is_taken_apart_where_statements_end() -> None:
    """The semicolons in a trigger's body are no ends."""
    for version in range(1, len(STEPS) + 1):
        assert all(sqlite3.complete_statement(one) for one in statements(version))
    assert sum("CREATE TRIGGER" in one for one in statements(4)) == 3
