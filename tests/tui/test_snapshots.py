"""What the screens look like. After a wanted change run this file with ACCEPT_SNAPSHOTS=1, and look at the pictures."""

from __future__ import annotations

import pytest

from hubsync.errors import RendererMissing
from hubsync.events import Advanced, Failed, Started
from hubsync.sandbox.hub import Fault, FaultKind, Origin
from hubsync.sandbox.playground import Playground
from hubsync.services import planning
from hubsync.tui.jobs import JobState, told
from hubsync.tui.screens.preflight import Planned
from hubsync.tui.screens.searching import Searched
from tests.tui.conftest import OpenHubsync, SameAs, Start, install

LORAS = ("civitai:1001", "civitai:1003", "civitai:1004")


async def test_discover_at_first(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24: the most downloaded, with the cursor in the box."""
    async with start(open_library()) as journey:
        await journey.sees(Searched)
        await journey.rest()
        same_as(journey, "discover-80x24")


async def test_discover_in_light(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """120x40 in light colours: a search result with its details, one row installed."""
    hubsync = open_library(ui__theme="textual-light")
    install(hubsync, "civitai:1004")
    async with start(hubsync, size=(120, 40)) as journey:
        await journey.find("frame", "sks Frame")
        await journey.rest()
        same_as(journey, "discover-light-120x40")


async def test_discover_in_the_terminal_s_own_colours(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24 with the terminal's palette, and nothing found."""
    async with start(open_library(ui__theme="ansi-dark")) as journey:
        await journey.press(*"no such lora")
        await journey.until(lambda: "Nothing found for" in journey.text)
        await journey.rest()
        same_as(journey, "discover-nothing-ansi-80x24")


async def test_one_hub_down(open_library: OpenHubsync, ground: Playground, start: Start, same_as: SameAs) -> None:
    """80x24: a line says which hub is missing, the other's rows stand, hostile names among them."""
    ground.hub.switch(Fault(kind=FaultKind.STATUS, origin=Origin.HUGGINGFACE, status=503))
    async with start(open_library(network__retries="0")) as journey:
        await journey.find("sparkle", "[bold red]Sparkle[/] ✨ / ..\\ <script>alert(1)</script>")
        await journey.rest()
        same_as(journey, "discover-one-hub-80x24")


async def test_the_preflight(
    open_library: OpenHubsync, start: Start, same_as: SameAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """80x24: what would be installed, before it is."""
    monkeypatch.setattr(planning, "free_space", lambda _: 84_200_000_000)
    async with start(open_library()) as journey:
        await journey.find("sks", "sks Frame")
        await journey.rest()
        await journey.press("i")
        await journey.sees(Planned)
        await journey.rest()
        same_as(journey, "preflight-80x24")


async def test_a_failed_preflight(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24: why not, and what to do."""
    async with start(open_library()) as journey:
        await journey.find("pickle", "Old Pickle")
        await journey.rest()
        await journey.press("i")
        await journey.sees(Planned)
        await journey.rest()
        same_as(journey, "preflight-refused-80x24")


async def test_an_empty_library(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24: the first step instead of rows."""
    async with start(open_library()) as journey:
        await journey.press("escape", "2")
        await journey.until(lambda: "Nothing is installed yet." in journey.text)
        await journey.rest()
        same_as(journey, "library-empty-80x24")


async def test_the_library_at_work(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """120x40: rows, details, a download under way, one that failed before it."""
    hubsync = open_library()
    install(hubsync, *LORAS)
    async with start(hubsync, size=(120, 40)) as journey:
        await journey.press("escape", "2")
        await journey.until(lambda: journey.library.listing.rows)
        await journey.press("G")
        jobs = journey.app.jobs
        job = jobs.start("Installing mona_outfits", counts_bytes=True)
        jobs.hear(job.number, Started(key="a", label="mona_outfits", total=269_000))
        jobs.hear(job.number, Advanced(key="a", done=101_000))
        await journey.rest()
        same_as(journey, "library-120x40")


async def test_a_job_that_failed(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24: the reason and the next step, wrapped, at the foot of the screen."""
    hubsync = open_library()
    install(hubsync, *LORAS)
    async with start(hubsync) as journey:
        await journey.press("escape", "2")
        await journey.until(lambda: journey.library.listing.rows)
        job = journey.app.jobs.start("Rendering add_detail", counts_bytes=False)
        error = RendererMissing("torch is not installed", hint="pip install 'hubsync[render]', or set render.python")
        journey.app.jobs.hear(job.number, Failed(key="render", error=error))
        journey.app.jobs.end(job.number, JobState.FAILED, f"Rendering add_detail: {told(error)}")
        await journey.rest()
        same_as(journey, "library-failed-80x24")


async def test_the_keys(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24: every key of the library."""
    async with start(open_library()) as journey:
        await journey.press("escape", "2")
        await journey.until(lambda: "Nothing is installed yet." in journey.text)
        await journey.press("question_mark")
        await journey.rest()
        same_as(journey, "keys-80x24")
