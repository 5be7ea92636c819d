"""Moves are finished after a kill, undone after a failure, and never written over anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from filelock import FileLock

from hubsync.errors import DatabaseTrouble, UnsafeName
from hubsync.files.relocation import Relocation, finish, relocate, unfinished


def _files(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(name, "utf-8")
    return [folder / name for name in names]


def _pairs(sources: list[Path], target: Path) -> tuple[tuple[Path, Path], ...]:
    return tuple((source, target / source.name) for source in sources)


def _journal(folder: Path, pairs: tuple[tuple[Path, Path], ...]) -> Path:
    folder.mkdir()
    journal = folder / "1.json"
    content = {"pairs": [[str(one), str(other)] for one, other in pairs], "trashed": None}
    journal.write_text(json.dumps(content), "utf-8")
    return journal


def test_all_files_move_then_the_library_follows(tmp_path: Path) -> None:
    """Nothing is left of the note of it."""
    pairs = _pairs(_files(tmp_path / "a", "x", "y"), tmp_path / "b")
    followed: list[Relocation] = []
    relocate(Relocation(pairs=pairs), journals=tmp_path / "j", settle=followed.append)
    assert [target.read_text("utf-8") for _, target in pairs] == ["x", "y"]
    assert followed == [Relocation(pairs=pairs)]
    assert not unfinished(tmp_path / "j")
    assert list((tmp_path / "j").iterdir()) == []


def test_a_library_that_cannot_follow_gets_its_files_back(tmp_path: Path) -> None:
    """All of them, and no note is left that would move them again."""
    pairs = _pairs(_files(tmp_path / "a", "x", "y"), tmp_path / "b")

    def fail(_: Relocation) -> None:
        raise DatabaseTrouble("locked")

    with pytest.raises(DatabaseTrouble):
        relocate(Relocation(pairs=pairs), journals=tmp_path / "j", settle=fail)
    assert [source.exists() for source, _ in pairs] == [True, True]
    assert not unfinished(tmp_path / "j")


def test_ctrl_c_in_the_middle_leaves_the_move_to_the_next_start(tmp_path: Path) -> None:
    """Half of the files moved without a note would be lost to the library."""
    pairs = _pairs(_files(tmp_path / "a", "x"), tmp_path / "b")

    def interrupt(_: Relocation) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        relocate(Relocation(pairs=pairs), journals=tmp_path / "j", settle=interrupt)
    followed: list[Relocation] = []
    finish(tmp_path / "j", settle=followed.append)
    assert followed == [Relocation(pairs=pairs)]
    assert pairs[0][1].exists()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    """One target that is taken stops the whole move, a dead link too."""
    pairs = _pairs(_files(tmp_path / "a", "x", "y"), tmp_path / "b")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "y").symlink_to("nowhere")
    with pytest.raises(UnsafeName, match="is there already"):
        relocate(Relocation(pairs=pairs), journals=tmp_path / "j", settle=lambda _: None)
    assert [source.exists() for source, _ in pairs] == [True, True]


def test_what_a_killed_process_had_begun_is_finished(tmp_path: Path) -> None:
    """Whichever files had moved already."""
    pairs = _pairs(_files(tmp_path / "a", "x", "y"), tmp_path / "b")
    _journal(tmp_path / "j", pairs)
    (tmp_path / "b").mkdir()
    pairs[0][0].rename(pairs[0][1])
    followed: list[Relocation] = []
    finish(tmp_path / "j", settle=followed.append)
    assert [target.exists() for _, target in pairs] == [True, True]
    assert followed == [Relocation(pairs=pairs)]
    assert not unfinished(tmp_path / "j")


def test_what_is_under_way_is_left_alone(tmp_path: Path) -> None:
    """Another process holds its lock."""
    pairs = _pairs(_files(tmp_path / "a", "x"), tmp_path / "b")
    journal = _journal(tmp_path / "j", pairs)
    with FileLock(journal.with_suffix(".lock")):
        finish(tmp_path / "j", settle=lambda _: pytest.fail("it was taken over"))
    assert pairs[0][0].exists()
    assert unfinished(tmp_path / "j")


def test_what_cannot_be_finished_now_waits(tmp_path: Path) -> None:
    """No command fails because of it, and the next start tries again."""
    pairs = _pairs(_files(tmp_path / "a", "x"), tmp_path / "b")
    _journal(tmp_path / "j", pairs)

    def fail(_: Relocation) -> None:
        raise DatabaseTrouble("locked")

    finish(tmp_path / "j", settle=fail)
    assert unfinished(tmp_path / "j")
    finish(tmp_path / "j", settle=lambda _: None)
    assert not unfinished(tmp_path / "j")


@pytest.mark.parametrize("content", ["", "[]", '{"pairs": 3}', '{"pairs": [["a"]], "trashed": null}'])
def test_a_note_that_makes_no_sense_is_dropped(tmp_path: Path, content: str) -> None:
    """Half of one is left by a kill while it was written."""
    (tmp_path / "1.json").write_text(content, "utf-8")
    finish(tmp_path, settle=lambda _: pytest.fail("there is nothing to follow"))
    assert not unfinished(tmp_path)
