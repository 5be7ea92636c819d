"""What hubsync writes beside a LoRA: nobody's words are lost, its own survive a lost database."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from hubsync.domain import Statement, WordSource
from hubsync.errors import NoPermission, NoSpace
from hubsync.files.sidecars import beside, sidecar_path, told_by, write, write_info
from hubsync.refs import HuggingFaceRef
from tests.unit.files.sidecars.conftest import Say, Tell
from tests.unit.files.sidecars.lora import group, installed
from tests.unit.files.sidecars.tools import dialog, put, read

USER = Statement(
    source=WordSource.USER,
    groups=(group("mine", "-not this", source=WordSource.USER), group("hat", index=2, enabled=False)),
    weight=0.5,
    negative="",
    notes="two\nlines",
)


def _write(path: Path, before: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return write(installed(path, **changes), user=None, before=before or {}, description="An astrologist")


def _foreign(path: Path) -> dict[str, Any]:
    return {key: value for key, value in read(path).items() if key != "hubsync"}


def test_a_new_sidecar_says_what_other_tools_read(path: Path) -> None:
    """The words that are on, ready for a prompt, the weight, the base model by AUTOMATIC1111's name."""
    _write(path)
    assert _foreign(path) == {
        "description": "An astrologist",
        "sd version": "SDXL",
        "activation text": r"mona \(day\)",
        "preferred weight": 0.7,
        "negative text": "",
        "notes": "",
    }


def test_all_groups_that_are_on_are_written(path: Path) -> None:
    """In their order, each word once."""
    groups = (group("a", "b"), group("x", index=2, enabled=False), group("b", "c (d)", "-e", index=3))
    _write(path, groups=groups)
    assert read(path)["activation text"] == r"a, b, c \(d\)"


def test_writing_twice_does_not_touch_the_file(path: Path) -> None:
    """Nor does a library that forgot what was written."""
    lora = installed(path, pinned=True)
    before = write(lora, user=USER, before={}, description="x")
    os.utime(sidecar_path(path), ns=(1, 1))
    assert write(lora, user=USER, before=before, description="x") == before
    assert write(lora, user=USER, before={}, description="x") == before
    assert sidecar_path(path).stat().st_mtime_ns == 1


def test_what_a_user_edited_stays_and_is_told(path: Path, say: Say) -> None:
    """What was edited, emptied or is unknown to hubsync is not touched; what hubsync wrote is renewed."""
    before = _write(path)
    dialog(path, activation_text="my words", preferred_weight=0.0, my_key=[1])
    edited = _foreign(path)
    again = write(installed(path, weight=1.0, notes="n"), user=None, before=before, description="text")
    assert _foreign(path) == {**edited, "description": "text", "notes": "n"}
    assert again == {**before, "description": "text", "notes": "n"}
    assert say()[WordSource.SIDECAR] == Statement(
        source=WordSource.SIDECAR,
        raw=("my words",),
        groups=(group("my words", source=WordSource.SIDECAR),),
    )


@pytest.mark.parametrize("lost", [True, False])
def test_ownership_survives_a_lost_database_or_a_lost_key(path: Path, lost: bool) -> None:  # noqa: FBT001
    """What the file or the library knows that hubsync wrote may be renewed; either is enough."""
    before = _write(path)
    if not lost:
        put(path, ".json", _foreign(path))
    _write(path, {} if lost else before, weight=0.9, groups=())
    assert (read(path)["preferred weight"], read(path)["activation text"]) == (0.9, "")


def test_a_foreign_sidecar_is_filled_where_empty(path: Path) -> None:
    """Another tool's file keeps its keys; 0 and "Unknown" count as empty where that tool means it."""
    foreign = {
        "activation text": "theirs",
        "preferred weight": 0,
        "sd version": "Unknown",
        "notes": "Unknown",
        "x": "½",
    }
    sidecar_path(path).write_text(json.dumps(foreign), encoding="utf-8-sig")
    _write(path)
    filled = {"preferred weight": 0.7, "sd version": "SDXL", "negative text": "", "description": "An astrologist"}
    assert _foreign(path) == {**foreign, **filled}


@pytest.mark.parametrize("text", ["[1]", "not json", "", "[" * 100_000])
def test_a_sidecar_that_is_no_object_is_left_alone(path: Path, tell: Tell, text: str) -> None:
    """hubsync does not repair what it does not understand, but says so."""
    put(path, ".json", text)
    assert _write(path, {"notes": "n"}) == {"notes": "n"}
    assert sidecar_path(path).read_text() == text
    assert tell().problems[0].startswith("mona v1.5.json is not JSON" if text != "[1]" else "mona v1.5.json is not a")


def test_users_words_survive_a_lost_database(path: Path, tell: Tell) -> None:
    """Groups, words switched off, weight, an empty negative and notes come back as they were said."""
    written = write(installed(path, pinned=True), user=USER, before={}, description="x")
    told = tell()
    assert told.statements[0] == USER
    assert (told.ref, told.pinned, told.wrote, told.description) == (installed(path).ref, True, written, "x")
    write(installed(path), user=None, before=written)
    assert (tell().pinned, [one.source for one in tell().statements]) == (False, [WordSource.CIVITAI])


def test_a_user_who_wants_no_words_is_remembered(path: Path, tell: Tell) -> None:
    """No group at all is a statement, too."""
    none = Statement(source=WordSource.USER, groups=())
    write(installed(path, groups=()), user=none, before={})
    assert tell().statements[0] == none


def test_a_hubs_words_survive_a_lost_database(path: Path, say: Say) -> None:
    """What hubsync wrote for a hub is that hub's word, not a human's, until the hub is asked again."""
    _write(path, negative="hat")
    (found,) = say().values()
    assert (found.source, found.weight, found.negative) == (WordSource.CIVITAI, 0.7, "hat")
    assert [word.text for one in found.groups or () for word in one.words] == [r"mona \(day\)"]
    sidecar_path(path).unlink()
    _write(path, ref=HuggingFaceRef(repo="ann/mona"))
    assert list(say()) == [WordSource.CARD]
    sidecar_path(path).unlink()
    _write(path, ref=None)
    assert say() == {}


def test_numbers_and_texts_that_json_has_no_words_for_are_written_soundly(path: Path, tell: Tell) -> None:
    """No NaN, and half a surrogate, which no UTF-8 holds, stays an escape."""
    put(path, ".json", '{"x": "\\ud83d", "notes": ""}')
    _write(path, weight=math.nan)
    assert (read(path)["x"], read(path)["preferred weight"], tell().problems) == ("\ud83d", 0, ())


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="folders can be written by everyone here")
def test_a_folder_that_cannot_be_written_is_the_houses_error(path: Path) -> None:
    """The file that was there stays."""
    path.parent.chmod(0o500)
    try:
        with pytest.raises(NoPermission):
            _write(path)
        with pytest.raises(NoPermission):
            write_info(path, {})
    finally:
        path.parent.chmod(0o700)


def test_a_full_disk_leaves_the_old_sidecar(path: Path) -> None:
    """The new one is written aside first."""
    put(path, ".json", {"notes": "theirs"})
    path.with_name("mona v1.5.json.new").symlink_to("/dev/full")
    path.with_name("mona v1.5.civitai.info.new").symlink_to("/dev/full")
    with pytest.raises(NoSpace):
        _write(path)
    with pytest.raises(NoSpace):
        write_info(path, {"id": 1})
    assert read(path) == {"notes": "theirs"}


def test_civitais_answer_is_written_only_where_there_is_none(path: Path) -> None:
    """Be it a dummy, what lies there is another tool's."""
    info = write_info(path, {"id": 20, "trainedWords": ["möna"]})
    assert info == path.with_name("mona v1.5.civitai.info")
    assert write_info(path, {"id": 21}) is None
    assert told_by(path, beside(path)).statements[0].raw == ("möna",)
