"""Pictures of the Discover screen's own boxes; `ACCEPT_SNAPSHOTS=1` draws them anew."""

from __future__ import annotations

import pytest

from hubsync.sandbox.hub import Fault, FaultKind
from hubsync.sandbox.playground import Playground
from hubsync.services import planning
from hubsync.tui.screens.choosing import Choosing
from hubsync.tui.screens.preflight import Planned
from hubsync.tui.screens.searching import Searched
from hubsync.tui.screens.versions import Versions
from tests.tui.conftest import OpenHubsync, SameAs, Start, install


async def test_filters_that_are_set(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24: three chips at other values, one of them current, and a list they leave empty."""
    async with start(open_library()) as journey:
        await journey.sees(Searched)
        for key, value in {"type": "embedding", "sort": "newest", "period": "day"}.items():
            journey.discover.chips.set(key, value)
        await journey.press("down", "f", "right")
        await journey.until(lambda: "Nothing found." in journey.text)
        await journey.rest()
        same_as(journey, "discover-filters-80x24")


async def test_base_models(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24: the families to choose from, with a line to type into."""
    async with start(open_library()) as journey:
        await journey.sees(Searched)
        journey.discover.chips.focus()
        journey.discover.chips.current = 2
        await journey.press("enter")
        await journey.until(lambda: isinstance(journey.app.screen, Choosing) and "flux1" in journey.text)
        await journey.rest()
        same_as(journey, "discover-base-80x24")


async def test_a_batch(
    open_library: OpenHubsync, start: Start, same_as: SameAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """120x40: what several selected rows come to: new, here already, several files, refused."""
    monkeypatch.setattr(planning, "free_space", lambda _: 84_200_000_000)
    hubsync = open_library()
    install(hubsync, "civitai:1001")
    async with start(hubsync, size=(120, 40)) as journey:
        await journey.sees(Searched)
        await journey.press("down")
        listing = journey.discover.listing
        for name in ("Add Detail", "sks Frame", "multi-base-sliders", "Old Pickle", "Frosted Glass (early)"):
            listing.highlighted = [row.name for row in listing.rows].index(name)
            await journey.press("space")
        await journey.press("g", "i")
        await journey.sees(Planned)
        await journey.rest()
        same_as(journey, "discover-batch-120x40")


async def test_versions(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24: two versions with their files, and what is known of the older one."""
    async with start(open_library()) as journey:
        await journey.find("brightness", "Add Brightness")
        await journey.press("v")
        await journey.until(lambda: isinstance(journey.app.screen, Versions) and "v1.0" in journey.text)
        await journey.press("j")
        await journey.rest()
        same_as(journey, "discover-versions-80x24")


async def test_offline(open_library: OpenHubsync, ground: Playground, start: Start, same_as: SameAs) -> None:
    """80x24: no hub answers, why, and what can be done."""
    ground.hub.switch(Fault(kind=FaultKind.STATUS, status=503))
    async with start(open_library(network__retries="0")) as journey:
        await journey.sees(Searched)
        await journey.rest()
        same_as(journey, "discover-offline-80x24")
