"""What the pictures of tests and the form look like; see test_snapshots.py."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from hubsync.render.plan import RenderOptions
from hubsync.services.app import Hubsync
from hubsync.services.triggers import Wish
from hubsync.tui.messages import RenderPlanned, RenderRequested
from hubsync.tui.screens.comparison import ComparisonScreen
from hubsync.tui.screens.renders import HistoryRead
from hubsync.tui.screens.sheet import SheetScreen
from hubsync.tui.screens.trial import TrialScreen
from hubsync.tui.widgets.loupe import Loupe
from hubsync.tui.widgets.picture import Picture
from tests.tui.conftest import RENDERER, Journey, OpenHubsync, SameAs, Start, install

LORAS = ("civitai:1001", "civitai:1004", "civitai:1005")


@pytest.fixture(autouse=True)
def greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Moments are told in the clock of the place: here everywhere the same one."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def filled(open_library: OpenHubsync) -> Hubsync:
    """A library with three LoRAs."""
    hubsync = open_library()
    install(hubsync, *LORAS)
    return hubsync


async def compare(journey: Journey, *names: str, options: RenderOptions | None = None) -> None:
    """Draw a test while the list is shown, until its comparison is there with all pictures."""
    await journey.press("escape", "4")
    await journey.sees(HistoryRead)
    journey.app.post_message(RenderRequested([Wish.parse(name) for name in names], options))
    await journey.until(lambda: isinstance(journey.app.screen, ComparisonScreen))
    await journey.until(lambda: all(picture.image for picture in journey.app.screen.query(Picture)))
    await journey.press("x")
    await journey.rest()


async def test_no_pictures_yet(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24: the first step instead of rows."""
    async with start(open_library()) as journey:
        await journey.press("escape", "4")
        await journey.until(lambda: "Nothing is rendered yet." in journey.text)
        await journey.rest()
        same_as(journey, "renders-empty-80x24")


async def test_a_sweep(filled: Hubsync, start: Start, same_as: SameAs) -> None:
    """120x40: two LoRAs at two weights, in the comparison and in the list; the sheet in 80x24."""
    async with start(filled, size=(120, 40)) as journey:
        await compare(journey, "mona_outfits::all", "sks_frame", options=RenderOptions(weights=(0.5, 1.0)))
        same_as(journey, "renders-sweep-120x40")
        await journey.pilot.resize_terminal(80, 24)
        await journey.press("s")
        await journey.until(lambda: isinstance(journey.app.screen, SheetScreen))
        await journey.until(lambda: journey.app.screen.query_one(Loupe).image)
        await journey.press("plus")
        await journey.rest()
        same_as(journey, "renders-sheet-80x24")
        await journey.press("escape", "escape")
        await journey.until(lambda: journey.browse.listing.rows)
        await journey.press("j")
        await journey.until(lambda: journey.browse.detail.picture.image)
        await journey.rest()
        same_as(journey, "renders-list-80x24")


@pytest.mark.usefixtures("filled")
async def test_a_test_that_is_drawn(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24: one of three pictures is there, in the list and side by side."""
    async with start(open_library(renderer=(*RENDERER, "slow"))) as journey:
        await journey.press("escape", "4")
        await journey.sees(HistoryRead)
        journey.app.post_message(RenderRequested([Wish(name="sks_frame")]))
        await journey.until(lambda: "1 of 3 pictures" in journey.text)
        await journey.until(lambda: journey.browse.detail.picture.image)
        same_as(journey, "renders-running-80x24")
        await journey.press("enter")
        await journey.until(lambda: isinstance(journey.app.screen, ComparisonScreen))
        await journey.until(lambda: any(picture.image for picture in journey.app.screen.query(Picture)))
        await journey.pilot.pause()
        same_as(journey, "renders-comparison-running-80x24")
        await journey.press("x")
        await journey.until(lambda: not journey.app.jobs.running())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_form(filled: Hubsync, start: Start, same_as: SameAs, size: tuple[int, int]) -> None:
    """80x24: what is wrong beside its field; 120x40: how many pictures a test draws, and the defaults of its fields."""
    wide = size == (120, 40)
    async with start(filled, size=size) as journey:
        await journey.press("escape")
        journey.app.session.test.typed |= {"weights": "-1, 0, 1", "seeds": "1, 2" if wide else "one"}
        journey.app.post_message(RenderPlanned([Wish(name="sks_frame"), Wish(name="mona_outfits")]))
        await journey.until(lambda: isinstance(journey.app.screen, TrialScreen))
        await journey.until(lambda: ("Draws 22 pictures" if wide else "! seeds are whole numbers") in journey.text)
        await journey.rest()
        same_as(journey, f"renders-form-{size[0]}x{size[1]}")
