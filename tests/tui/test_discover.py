"""Searching: typing, paging, hubs that fail, names that mean harm."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hubsync.domain import Query, SearchResult, Sort
from hubsync.errors import Ambiguous, HubsyncError
from hubsync.refs import Source
from hubsync.sandbox.hub import Fault, FaultKind, Origin
from hubsync.sandbox.playground import Playground
from hubsync.services.planning import Plan, Unplannable
from hubsync.tui.messages import InstallEnded, LibraryCounted, Planned, Refused, Searched, Shown
from tests.tui.conftest import OpenHubsync, Start, install


async def test_an_empty_box_shows_the_most_downloaded(open_library: OpenHubsync, start: Start) -> None:
    """Nobody starts at an empty screen: both hubs' rows by downloads."""
    async with start(open_library()) as journey:
        query = (await journey.sees(Searched)).query
        rows = journey.discover.listing.rows
        assert (query.sort, {row.source for row in rows}) == (Sort.DOWNLOADS, set(Source))
        downloads = [row.downloads or 0 for row in rows]
        assert downloads == sorted(downloads, reverse=True)


async def test_one_question_for_many_keys(
    open_library: OpenHubsync, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Typing asks when it pauses, not for each letter, and says at once that something is going on."""
    monkeypatch.setattr("hubsync.tui.screens.discover.TYPING_SECONDS", 0.2)
    async with start(open_library()) as journey:
        await journey.sees(Searched)
        for letters in range(1, 7):
            journey.discover.box.value = "detail"[:letters]
        await journey.pilot.pause()
        assert journey.discover.listing.border_subtitle == "searching…"
        await journey.sees(Searched, times=2)
        assert [message.query.text for message in journey.all(Searched)] == ["", "detail"]


async def test_an_old_answer_is_dropped(open_library: OpenHubsync, start: Start) -> None:
    """What arrives for a question nobody asks any more changes nothing."""
    async with start(open_library()) as journey:
        await journey.find("sks", "sks Frame")
        before = [row.name for row in journey.discover.listing.rows]
        journey.discover.post_message(Searched(Query(text="sk"), SearchResult(items=())))
        await journey.sees(Searched, times=len(journey.all(Searched)) + 1)
        assert [row.name for row in journey.discover.listing.rows] == before


async def test_pages_follow_the_highlight(open_library: OpenHubsync, start: Start) -> None:
    """Going down brings page after page of both hubs, each row once, until the hubs have no more."""
    async with start(open_library(search__limit="4")) as journey:
        await journey.sees(Searched)
        while journey.discover.listing.border_subtitle != f"{len(journey.discover.listing.rows)} found":
            await journey.press("G")
        pages = [message.query.cursors for message in journey.all(Searched)]
        refs = [row.ref for row in journey.discover.listing.rows]
        assert len(pages) > 2
        assert not pages[0]
        assert all(pages[1:])
        assert len(refs) == len(set(refs))
        assert [row.name for row in journey.discover.listing.rows].count("Plain Old Upload") == 1


@pytest.mark.parametrize("fault", [FaultKind.EMPTY_PAGE, FaultKind.DUPLICATE])
async def test_odd_pages_end(open_library: OpenHubsync, ground: Playground, start: Start, fault: FaultKind) -> None:
    """A hub that pages on and on with nothing, or repeats rows, neither hangs the list nor doubles anything."""
    ground.hub.switch(Fault(kind=fault))
    async with start(open_library(search__limit="4")) as journey:
        await journey.sees(Searched)
        await journey.rest()
        refs = [row.ref for row in journey.discover.listing.rows]
        assert len(refs) == len(set(refs))
        assert len(journey.all(Searched)) < 20


@pytest.mark.parametrize(("origin", "name"), [(Origin.CIVITAI, "Civitai"), (Origin.HUGGINGFACE, "Hugging Face")])
async def test_one_hub_down(
    open_library: OpenHubsync, ground: Playground, start: Start, origin: Origin, name: str
) -> None:
    """One line says which hub does not answer; the other's rows stand."""
    ground.hub.switch(Fault(kind=FaultKind.STATUS, origin=origin, status=503))
    async with start(open_library(network__retries="0")) as journey:
        await journey.sees(Searched)
        assert f"! {name}: " in journey.text
        assert {row.source.value for row in journey.discover.listing.rows} == set(Source) - {origin.value}


async def test_offline(open_library: OpenHubsync, ground: Playground, start: Start) -> None:
    """With no hub at all the screen says so, and that the library still works."""
    ground.hub.switch(Fault(kind=FaultKind.RESET, path="*", at=0))
    async with start(open_library(network__retries="0")) as journey:
        await journey.sees(Searched)
        assert "No hub answers." in journey.text
        assert "press 2" in journey.text
        await journey.press("escape", "2")
        assert journey.library.MODE == "library"


async def test_a_pasted_reference_is_looked_up(open_library: OpenHubsync, start: Start) -> None:
    """A page's address finds exactly that page; one that leads nowhere says so."""
    async with start(open_library()) as journey:
        journey.discover.box.value = "civitai:1003"
        await journey.until(lambda: [row.name for row in journey.discover.listing.rows] == ["Add Brightness"])
        journey.discover.box.value = "civitai:999999"
        refused = await journey.sees(Refused)
        assert (refused.group, len(journey.discover.listing.rows)) == ("search", 0)
        assert refused.error.message.split(",")[0] in journey.text


async def test_hostile_names_do_nothing(open_library: OpenHubsync, start: Start) -> None:
    """Markup in a name is shown, not obeyed; escape sequences do not reach the terminal."""
    async with start(open_library(), size=(120, 40)) as journey:
        row = await journey.find("sparkle", "[bold red]Sparkle[/] ✨ / ..\\ <script>alert(1)</script>")
        await journey.until(lambda: row.ref in [shown.ref for shown in journey.all(Shown)])
        assert "[bold red]Sparkle[/]" in journey.text
        assert not {char for char in journey.text if not char.isprintable() and char != "\n"}


async def test_a_first_run_without_a_key(open_library: OpenHubsync, start: Start) -> None:
    """One friendly line tells the next step, until something is installed."""
    hubsync = open_library(civitai__api_key="")
    async with start(hubsync) as journey:
        await journey.sees(LibraryCounted)
        await journey.sees(Searched)
        assert "hubsync config set civitai.api_key KEY" in journey.text
    install(hubsync, "civitai:1001")
    async with start(hubsync) as journey:
        await journey.sees(LibraryCounted)
        await journey.sees(Searched)
        assert "api_key" not in journey.text


@pytest.mark.parametrize(
    ("search", "name"),
    [("frosted", "Frosted Glass (early)"), ("glow", "On-site Only Glow"), ("pickle", "Old Pickle")],
)
async def test_a_failed_preflight_says_what_to_do(
    open_library: OpenHubsync, start: Start, search: str, name: str
) -> None:
    """The reason and the next step stand in the box; enter starts nothing."""
    async with start(open_library(civitai__api_key=""), size=(120, 40)) as journey:
        await journey.find(search, name)
        await journey.press("i")
        entry = (await journey.sees(Planned)).entries[0]
        assert isinstance(entry, Unplannable)
        shown = " ".join(journey.text.replace("│", " ").split())
        assert f"! {entry.error.message}" in shown
        assert entry.error.hint in shown
        await journey.press("enter", "escape")
        assert (journey.all(InstallEnded), journey.app.screen) == ([], journey.discover)


async def test_one_file_of_several_is_chosen(open_library: OpenHubsync, start: Start) -> None:
    """A repository with several LoRAs asks which one; the answer is planned and installed."""
    async with start(open_library()) as journey:
        await journey.find("sliders", "multi-base-sliders")
        await journey.press("i")
        entry = (await journey.sees(Planned)).entries[0]
        assert isinstance(entry, Unplannable)
        assert isinstance(entry.error, Ambiguous)
        await journey.press("j", "enter")
        plan = (await journey.sees(Planned, times=2)).entries[0]
        assert isinstance(plan, Plan)
        assert plan.file.name == "sd15/saturation.safetensors"
        await journey.press("enter")
        assert (await journey.sees(InstallEnded)).result.status == "installed"


async def test_what_is_here_already_is_not_installed_again(open_library: OpenHubsync, start: Start) -> None:
    """The pre-flight says under which name the same bytes are here."""
    hubsync = open_library()
    install(hubsync, "civitai:1001")
    async with start(hubsync) as journey:
        row = await journey.find("detail", "Add Detail")
        assert row.installed
        await journey.press("d")
        await journey.sees(Planned)
        assert "in your library already, as add_detail" in journey.text
        await journey.press("enter", "escape")
        assert journey.all(InstallEnded) == []


async def test_details_that_cannot_be_had_leave_the_row(
    open_library: OpenHubsync, ground: Playground, start: Start
) -> None:
    """If only the page's record fails, what the search told stays, with a line on what is wrong."""
    ground.hub.switch(Fault(kind=FaultKind.STATUS, path="/api/v1/models/*", status=500))
    async with start(open_library(network__retries="0")) as journey:
        await journey.find("detail", "Add Detail")
        refused = await journey.sees(Refused)
        assert (refused.group, isinstance(refused.error, HubsyncError)) == ("show", True)
        assert "Add Detail" in str(journey.discover.detail.facts.render())
        assert refused.error.message[:30] in journey.text


async def test_no_pictures_when_they_are_off(open_library: OpenHubsync, ground: Playground, start: Start) -> None:
    """`ui.images = off` fetches none."""
    async with start(open_library(ui__images="off")) as journey:
        row = await journey.find("sks", "sks Frame")
        await journey.until(lambda: row.ref in [shown.ref for shown in journey.all(Shown)])
        await journey.rest()
        assert not journey.discover.detail.picture.display
        assert not [request for request in ground.hub.requests if request.path.endswith((".png", ".jpeg", ".webp"))]


def test_a_query_is_the_same_question_on_every_page() -> None:
    """Staleness is judged without the cursors."""
    first = Query(text="a")
    assert replace(replace(first, cursors={Source.CIVITAI: "2"}), cursors={}) == first
