"""How a LoRA is used, edited in the library: each edit is saved at once, and the row follows."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hubsync.domain import WordSource
from hubsync.services.app import Hubsync
from hubsync.tui.answers import LoraEdited, LoraKnown
from hubsync.tui.screens.adding import Adding
from hubsync.tui.screens.confirm import Confirm
from hubsync.tui.screens.editing import Editor
from tests.tui.conftest import Journey, OpenHubsync, Start, install

PROBER = (sys.executable, str(Path(__file__).with_name("scripted_prober.py")))


@pytest.fixture
def outfits(open_library: OpenHubsync) -> Hubsync:
    """A LoRA with two groups of words."""
    hubsync = open_library()
    install(hubsync, "civitai:1005")
    return hubsync


async def edit(journey: Journey) -> Editor:
    """From the search box to the words of the first LoRA."""
    await journey.press("escape", "2")
    await journey.until(lambda: journey.library.listing.row)
    await journey.press("e")
    await journey.until(lambda: journey.all(LoraKnown))
    await journey.pilot.pause()
    assert isinstance(journey.app.screen, Editor)
    return journey.app.screen


def words(hubsync: Hubsync) -> list[tuple[bool, list[str]]]:
    """The groups of the library's one LoRA as they are saved: whether each is on, and its words that are on."""
    return [(group.enabled, [*group.texts]) for group in hubsync.library.list()[0].groups]


async def test_words_and_groups_are_switched(outfits: Hubsync, start: Start) -> None:
    """Space on a word and on a group, pressed faster than it is saved; the library's row tells it meanwhile."""
    async with start(outfits) as journey:
        await edit(journey)
        await journey.press("space", "down", "space")
        await journey.sees(LoraEdited, times=4)
        assert words(outfits) == [(False, ["day outfit"]), (False, ["mona", "night outfit"])]
        await journey.press("g", "space", "space", "space", "escape")
        await journey.until(lambda: journey.app.screen is journey.library)
        row = journey.library.listing.row
        assert row
        assert row.groups == outfits.library.list()[0].groups
        assert row.groups[0].enabled


async def test_words_are_moved_and_removed(outfits: Hubsync, start: Start) -> None:
    """A word moves in its group, a group takes the highlight along; what goes leaves its place to the next."""
    async with start(outfits) as journey:
        editor = await edit(journey)
        await journey.press("down", "J")
        await journey.until(lambda: words(outfits)[0] == (True, ["day outfit", "mona"]))
        await journey.press("g", "J")
        await journey.until(lambda: words(outfits)[1] == (True, ["day outfit", "mona"]))
        await journey.until(lambda: editor.listing.row and editor.listing.row.key == (2, ""))
        await journey.press("shift+up")
        await journey.until(lambda: words(outfits)[0] == (True, ["day outfit", "mona"]))
        await journey.press("down", "delete")
        await journey.until(lambda: words(outfits)[0] == (True, ["mona"]))
        await journey.until(lambda: editor.listing.row and editor.listing.row.words == ("mona",))
        await journey.press("G", "k", "k", "delete")
        assert isinstance(journey.app.screen, Confirm)
        assert "mona, night outfit" in journey.text
        await journey.press("escape", "delete", "enter")
        await journey.until(lambda: words(outfits) == [(True, ["mona"])])


async def test_words_are_typed_or_picked(outfits: Hubsync, start: Start) -> None:
    """Typed words go to the line's group, suggestions tell their score and source, A makes a group that is on."""
    async with start(outfits) as journey:
        editor = await edit(journey)
        await journey.press("a", *"red hat, boots", "enter")
        await journey.until(lambda: words(outfits)[0][1] == ["mona", "day outfit", "red hat", "boots"])
        await journey.press("A")
        adding = journey.app.screen
        assert isinstance(adding, Adding)
        first, second, *_ = [one.text for one in adding.listing.rows]
        assert f"{adding.listing.rows[0].score:.0%}" in journey.text
        await journey.press("down", "space", "space", "enter")
        await journey.until(lambda: len(words(outfits)) == 3)
        assert words(outfits)[2] == (True, [first, second])
        await journey.until(lambda: editor.listing.row and editor.listing.row.key == (3, ""))
        await journey.press("a", "escape")
        assert isinstance(journey.app.screen, Editor)


async def test_weight_negative_and_notes_are_written_and_reset(outfits: Hubsync, start: Start) -> None:
    """What is no number is refused in place; R forgets all of it, once confirmed."""
    before = outfits.library.list()[0]
    async with start(outfits) as journey:
        await edit(journey)
        await journey.press("w", *"much", "enter")
        assert "“much” is no number" in journey.text
        await journey.press("escape", "w", *"0.65", "enter", "n", *"blurry", "enter", "o", *"for Tuesdays", "ctrl+s")
        await journey.until(lambda: outfits.library.list()[0].notes == "for Tuesdays")
        lora = outfits.library.list()[0]
        assert (lora.weight, lora.negative) == (0.65, "blurry")
        assert "for Tuesdays" in journey.text
        await journey.press("w", *"99", "enter")
        await journey.until(lambda: "99 is no weight" in journey.text)
        await journey.press("escape", "delete", "enter")
        await journey.until(lambda: len(words(outfits)) == 1)
        await journey.press("R", "escape")
        await journey.press("R", "enter")
        await journey.until(lambda: len(words(outfits)) == 2)
        assert outfits.library.list()[0] == before


@pytest.mark.usefixtures("outfits")
async def test_words_are_tried_out(open_library: OpenHubsync, start: Start) -> None:
    """t asks the renderer in a job whose line stands in the box; what the LoRA reacts to is suggested first."""
    hubsync = open_library(renderer=PROBER)
    async with start(hubsync, size=(120, 40)) as journey:
        editor = await edit(journey)
        hubsync.editing.remove(hubsync.library.list()[0], ["mona"])
        await journey.press("t")
        await journey.until(lambda: "mona_outfits reacts to" in journey.text)
        await journey.until(lambda: [one.score for one in editor.suggestions][:1] == [0.9])
        assert editor.suggestions[0].source == "render"
        assert all(word.source is not WordSource.USER for group in editor.lora.groups for word in group.words)


async def test_a_lora_without_words_and_one_that_went_away(open_library: OpenHubsync, start: Start) -> None:
    """Keys do no harm where there is no line; a LoRA removed meanwhile is a sentence."""
    hubsync = open_library()
    install(hubsync, "civitai:1002")
    async with start(hubsync) as journey:
        editor = await edit(journey)
        await journey.press("space", "delete", "J")
        assert "No trigger words yet." in journey.text
        hubsync.relocating.remove(hubsync.library.list()[0])
        await journey.press("a", *"soft", "enter")
        await journey.until(lambda: "is not in the library" in editor.facts.facts[0].value.plain)
