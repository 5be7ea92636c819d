"""Prompts composed from a library, on a real database with real files beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hubsync.config import Prompt
from hubsync.domain import Entry, Installed, LoraType, Stamp, Statement, WordSource, grouped
from hubsync.errors import UsageError
from hubsync.prompts.compose import Composed, Format
from hubsync.services.library import LibraryService
from hubsync.services.triggers import TriggerService, Wish
from hubsync.store.database import Database
from hubsync.store.prompts import PromptRecords
from hubsync.store.records import Records

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


class Shelf:
    """A library of files, each with words of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        database = Database(root / ".hubsync" / "library.db", root)
        self.records = Records(database=database)
        self.triggers = TriggerService(
            library=LibraryService(records=self.records),
            defaults=Prompt(),
            prompts=PromptRecords(database=database),
            now=lambda: NOW,
        )

    def put(
        self,
        name: str,
        *words: str,
        alias: str | None = None,
        family: str | None = "sd1",
        negative: str | None = None,
        kind: LoraType = LoraType.LORA,
    ) -> Path:
        """Where the new file lies."""
        path = self.root / "models" / "Lora" / f"{name}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"weights")
        lora = Installed(name=path.stem, path=path, title=name, alias=alias, family=family, type=kind)
        groups = grouped((words,), WordSource.CIVITAI) if words else None
        said = Statement(source=WordSource.CIVITAI, groups=groups, weight=0.7, negative=negative)
        self.records.save(Entry(lora=lora, stamp=Stamp(size=7, mtime_ns=1), statements=(said,), written={}))
        return path


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """An empty library."""
    return Shelf(tmp_path)


def _codes(composed: Composed) -> list[str]:
    return [note.code for note in composed.warnings]


def test_a_bare_tag_gets_the_words_it_lacks(shelf: Shelf) -> None:
    """Its weight stays, and so does the case of every other name."""
    shelf.put("ring", "sks ring", negative="blurry")
    composed = shelf.triggers.compose("a <lora:Ring:te=0.5:unet=0.9>", [])
    assert composed.prompt == "a, sks ring <lora:ring:te=0.5:unet=0.9>"
    assert (composed.negative_prompt, _codes(composed)) == ("blurry", [])
    back = shelf.triggers.remove(composed.prompt, "ring", negative=composed.negative_prompt)
    assert (back.prompt, back.negative_prompt) == ("a", "")


def test_an_alias_loads_a_file_in_automatic1111_alone(shelf: Shelf) -> None:
    """The text stays, the words come, and the note says which stem to write; asked for by name, the tag is mended."""
    shelf.put("renamed", "ohwx", alias="last")
    bare = shelf.triggers.compose("a <lora:last:1>", [])
    assert bare.prompt == "a, ohwx <lora:last:1>"
    assert [use.found for use in bare.loras] == [True]
    assert [(note.code, "<lora:renamed:" in note.message) for note in bare.warnings] == [("alias_name", True)]
    asked = shelf.triggers.compose("a <lora:last:1>", [Wish(name="renamed", weight=0.5)])
    assert (asked.prompt, _codes(asked)) == ("a, ohwx <lora:renamed:0.5>", [])
    assert shelf.triggers.remove(bare.prompt, "renamed").prompt == "a"


def test_an_alias_two_files_share_loads_none(shelf: Shelf) -> None:
    """The note names both."""
    shelf.put("one", alias="last")
    shelf.put("two", alias="last")
    composed = shelf.triggers.compose("<lora:last:1> <lora:last:1>", [])
    (unknown,) = [note for note in composed.warnings if note.code == "unknown_lora"]
    assert "one, two" in unknown.message


def test_a_stem_that_is_an_alias_too(shelf: Shelf) -> None:
    """The file of that stem is loaded, and the note names the other."""
    shelf.put("a", alias="b")
    shelf.put("b", alias="own")
    composed = shelf.triggers.compose("x", [Wish(name="b")])
    assert [(note.code, "'a'" in note.message) for note in composed.warnings] == [("alias_collision", True)]
    assert shelf.triggers.compose("x", [Wish(name="a")]).prompt == "x <lora:a:0.7>"


def test_families_that_do_not_mix(shelf: Shelf) -> None:
    """Both are named with their families; an unknown one fits any."""
    for name, family in (("old", "sd1"), ("new", "sdxl"), ("odd", "other"), ("mute", None)):
        shelf.put(name, family=family)
    composed = shelf.triggers.compose("<lora:old:1> <lora:odd:1> <lora:mute:1>", [Wish(name="new")])
    (note,) = composed.warnings
    assert note.code == "mixed_families"
    assert all(part in note.message for part in ("'old' for sd1", "'new' for sdxl"))
    assert _codes(shelf.triggers.compose("<lora:odd:1> <lora:mute:1>", [Wish(name="new")])) == []


def test_files_of_one_stem(shelf: Shelf) -> None:
    """AUTOMATIC1111 loads the last it walks past, folder 10 after folder 9; the note names it, once."""
    shelf.put("9/foo", "early")
    path = shelf.put("10/foo", "late")
    composed = shelf.triggers.compose("<lora:foo:1> <lora:foo:1>", [])
    assert composed.prompt.startswith("late ")
    assert [note.message for note in composed.warnings if note.code == "same_stem" and str(path) in note.message]


def test_names_that_lead_nowhere(shelf: Shelf) -> None:
    """A file that is gone, a name with a folder or an ending, a number that is a reference elsewhere."""
    shelf.put("gone").unlink()
    shelf.put("ring")
    assert _codes(shelf.triggers.compose("<lora:gone:1>", [])) == ["missing_file"]
    for name in ("sub/ring", "ring.safetensors", "1"):
        composed = shelf.triggers.compose(f"<lora:{name}:1>", [])
        assert (composed.prompt, _codes(composed)) == (f"<lora:{name}:1>", ["unknown_lora"])


def test_words_another_lora_needs_stay(shelf: Shelf) -> None:
    """Also where it spells them differently, and where a tag calls it by its alias."""
    shelf.put("one", "red hat", "ohwx")
    shelf.put("two", "Red_Hat", alias="second")
    put = shelf.triggers.compose("a <lora:second:1>", [Wish(name="one")])
    assert put.prompt == "a, red hat, ohwx <lora:second:1> <lora:one:0.7>"
    left = shelf.triggers.remove(put.prompt, "one")
    assert left.prompt == "a, red hat <lora:second:1>"
    assert shelf.triggers.remove(left.prompt, "two").prompt == "a"


def test_embeddings_as_comfyui_calls_them(shelf: Shelf) -> None:
    """Installed ones, whole words alone, in both prompts, and once."""
    shelf.put("EasyNeg", kind=LoraType.EMBEDDING)
    composed = shelf.triggers.compose(
        "x, embedding:EasyNeg", [], negative="(easyneg:1.2), easyneg2", format=Format.COMFYUI
    )
    assert composed.prompt == "x, embedding:EasyNeg"
    assert composed.negative_prompt == "(embedding:EasyNeg:1.2), easyneg2"


@pytest.mark.parametrize("text", ["x:nan", "x:inf", "x:a", ":1", "x:1:a", "x:1:1:1"])
def test_wishes_that_cannot_be_read(text: str) -> None:
    """The form is said."""
    with pytest.raises(UsageError, match="NAME"):
        Wish.parse(text)


def test_words_wanted_one_by_one(shelf: Shelf) -> None:
    """Exactly those go in, also one that its group leaves out, and none where none is wanted."""
    shelf.put("mona", "mona", "day outfit")
    service = shelf.triggers
    assert (
        service.compose("a", [Wish(name="mona", words=((1, "day outfit"),))]).prompt == "a, day outfit <lora:mona:0.7>"
    )
    assert service.compose("a", [Wish(name="mona", words=())]).prompt == "a <lora:mona:0.7>"
    assert service.compose("a", [Wish(name="mona", words=((2, "mona"), (1, "gone")))]).prompt == "a <lora:mona:0.7>"


def test_a_saved_prompt_comes_back_exactly(shelf: Shelf) -> None:
    """Texts with their line breaks, every kind of wish, what is switched off; a name is kept once, the newest first."""
    service = shelf.triggers
    wishes = (
        Wish(name="one", weight=-0.5),
        Wish(name="two", groups=(1, 3)),
        Wish(name="three", every=True),
        Wish(name="four", words=((1, "red hat"), (2, "ohwx (x)"))),
        Wish(name="five", words=()),
    )
    service.save_prompt("first", "old", [])
    service.save_prompt(" first ", "a\n <lora:x:1> # ü", wishes, negative="blurry\n", off={"two"})
    (saved,) = service.saved_prompts()
    assert (saved.name, saved.text, saved.negative) == ("first", "a\n <lora:x:1> # ü", "blurry\n")
    assert (saved.wishes, saved.off, saved.saved_at) == (wishes, frozenset({"two"}), NOW)
    later = replace(service, now=lambda: NOW + timedelta(days=1))
    later.save_prompt("second", "", [])
    assert [one.name for one in service.saved_prompts()] == ["second", "first"]
    service.forget_prompt("second")
    service.forget_prompt("second")
    assert [one.name for one in service.saved_prompts()] == ["first"]
    with pytest.raises(UsageError, match="name"):
        service.save_prompt("  ", "a", [])
