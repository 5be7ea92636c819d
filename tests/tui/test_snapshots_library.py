"""What the library looks like. After a wanted change run this with ACCEPT_SNAPSHOTS=1, and look at the pictures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from hubsync.tui.answers import LoraKnown
from hubsync.tui.screens.confirm import Confirm
from hubsync.tui.screens.facets import FacetDialog, FacetsRead
from hubsync.tui.screens.trash import TrashRead
from tests.tui.conftest import NOW, OpenHubsync, SameAs, Start, install

LORAS = ("civitai:1002", "civitai:1003", "civitai:1004", "civitai:1005")


async def test_an_unreadable_library(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24: what is wrong and what to do, instead of rows."""
    hubsync = open_library()
    hubsync.root.database.parent.mkdir(parents=True)
    hubsync.root.database.write_bytes(b"no database" * 100)
    async with start(hubsync) as journey:
        await journey.press("escape", "2")
        await journey.until(lambda: "The library cannot be read." in journey.text)
        await journey.press("x")
        await journey.rest()
        same_as(journey, "library-unreadable-80x24")


async def test_a_narrowed_library(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """120x40: marks, two rows selected, a facet, the largest first; 80x24: the question before removal."""
    hubsync = open_library()
    install(hubsync, *LORAS)
    hubsync.library.find("add_saturation").path.unlink()
    async with start(hubsync, size=(120, 40)) as journey:
        await journey.press("escape", "2")
        await journey.until(lambda: journey.library.listing.rows)
        await journey.press("s", "s", "f")
        await journey.sees(FacetsRead)
        await journey.rest()
        dialog = journey.app.screen
        assert isinstance(dialog, FacetDialog)
        dialog.listing.highlighted = [facet.kind for facet in dialog.listing.rows].index("family")
        await journey.press("enter")
        await journey.until(lambda: "[family: sd1]" in journey.text)
        await journey.press("g", "space", "space")
        await journey.rest()
        same_as(journey, "library-narrowed-120x40")
        await journey.pilot.resize_terminal(80, 24)
        await journey.press("delete")
        await journey.until(lambda: isinstance(journey.app.screen, Confirm))
        await journey.rest()
        same_as(journey, "library-remove-80x24")


async def test_the_facets(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24: marks, families and tags with their numbers, one of them chosen."""
    hubsync = open_library()
    install(hubsync, *LORAS)
    async with start(hubsync) as journey:
        await journey.press("escape", "2")
        await journey.until(lambda: journey.library.listing.rows)
        await journey.press("f")
        await journey.sees(FacetsRead)
        await journey.press("j", "space")
        await journey.rest()
        same_as(journey, "library-facets-80x24")


async def test_the_words_of_a_lora(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24: groups, a word that is off, weight and hints; then the suggestions a word is picked from."""
    hubsync = open_library()
    install(hubsync, "civitai:1005")
    lora = hubsync.editing.add(hubsync.library.list()[0], ["red hat"], group=2)
    hubsync.editing.switch(lora, ["day outfit"], on=False)
    async with start(hubsync) as journey:
        await journey.press("escape", "2")
        await journey.until(lambda: journey.library.listing.rows)
        await journey.rest()
        await journey.press("e")
        await journey.sees(LoraKnown)
        await journey.press("j")
        await journey.rest()
        same_as(journey, "library-words-80x24")
        await journey.press("a")
        await journey.rest()
        same_as(journey, "library-suggestions-80x24")


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The time of day is the same wherever this runs."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("utc")
async def test_the_trash(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24: what was removed, one of it selected; then the keys of the box."""
    hubsync = open_library()
    install(hubsync, *LORAS)
    hubsync.relocating.remove(hubsync.library.find("add_saturation"))
    later = replace(hubsync.relocating, now=lambda: NOW + timedelta(minutes=1))
    later.remove(hubsync.library.find("sks_frame"))
    async with start(hubsync) as journey:
        await journey.press("escape", "2")
        await journey.until(lambda: journey.library.listing.rows)
        await journey.press("T")
        await journey.sees(TrashRead)
        await journey.press("space")
        await journey.rest()
        same_as(journey, "library-trash-80x24")
        await journey.press("question_mark")
        await journey.rest()
        same_as(journey, "library-trash-keys-80x24")
