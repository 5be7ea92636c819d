"""A draft composed again and again, whatever became of the LoRAs in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubsync.services.drafting import Drafter, weighed
from hubsync.services.triggers import Wish
from tests.unit.services.test_triggers import Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """An empty library."""
    return Shelf(tmp_path)


@pytest.fixture
def drafter(shelf: Shelf) -> Drafter:
    """On that library."""
    return Drafter(lambda: shelf.triggers)


def test_of_two_files_of_one_name_the_loaded_one_counts(shelf: Shelf, drafter: Drafter) -> None:
    """A draft is no place for an error: the words are those of the file a tag loads, and the note names it."""
    shelf.put("9/foo", "early")
    path = shelf.put("10/foo", "late")
    drafted = drafter.draft("a", [Wish(name="foo")])
    assert drafted.composed.prompt == "a, late <lora:foo:0.7>"
    assert [note.code for note in drafted.composed.warnings] == ["same_stem"]
    assert [part.lora.path for part in drafted.parts if part.lora] == [path]


def test_a_lora_called_by_its_second_name(shelf: Shelf, drafter: Drafter) -> None:
    """A tag with the name in the header is a row of that file; wished for too it is one row, and keeps its weight."""
    shelf.put("renamed", "ohwx", alias="last")
    text = "a, ohwx <lora:last:0.4>"
    (part,) = drafter.draft(text, []).parts
    assert (part.name, part.weight, part.listed) == ("renamed", 0.4, False)
    assert drafter.without(text, part) == ("a", "")
    assert weighed(text, part, 0.5) == "a, ohwx <lora:last:0.5>"
    drafted = drafter.draft(text, [Wish(name="renamed")])
    assert [(one.name, one.weight, one.listed) for one in drafted.parts] == [("renamed", 0.4, True)]
    assert drafted.composed.prompt == "a, ohwx <lora:renamed:0.4>"


def test_a_library_is_read_anew_when_told(shelf: Shelf, drafter: Drafter) -> None:
    """Names are kept between keystrokes; after news of the library another file is known."""
    shelf.put("one")
    assert [note.code for note in drafter.draft("<lora:two:1>", []).composed.warnings] == ["unknown_lora"]
    shelf.put("two", alias="second")
    drafter.renew()
    (part,) = drafter.draft("<lora:second:1>", []).parts
    assert (part.name, part.lora is not None) == ("two", True)


def test_what_is_off_says_nothing(shelf: Shelf, drafter: Drafter) -> None:
    """A LoRA that is switched off and not installed is no warning, and its weight is still known."""
    shelf.put("one", "ohwx", negative="blurry")
    drafted = drafter.draft("a", [Wish(name="one"), Wish(name="gone", weight=2)], off={"one", "gone"})
    assert (drafted.composed.prompt, drafted.composed.negative_prompt, drafted.composed.warnings) == ("a", "", ())
    assert [(part.name, part.weight, part.on) for part in drafted.parts] == [("one", 0.7, False), ("gone", 2, False)]
