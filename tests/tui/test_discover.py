"""Searching: typing, paging, hubs that fail, names that mean harm."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from textual.widgets import Input

from hubsync.domain import LORA_TYPES, LoraType, Nsfw, Page, Period, Query, Sort
from hubsync.errors import Ambiguous, Cancelled, HubsyncError
from hubsync.events import Event, Noted
from hubsync.limiter import Limiter
from hubsync.refs import CivitaiRef, Source
from hubsync.sandbox.hub import Fault, FaultKind, Origin
from hubsync.sandbox.playground import Playground
from hubsync.services.planning import Plan, Unplannable
from hubsync.tui.advice import advice
from hubsync.tui.answers import LibraryCounted, Refused, Shown
from hubsync.tui.findings import SEARCHING
from hubsync.tui.messages import InstallConfirmed, InstallEnded, InstallRequested
from hubsync.tui.screens.choosing import Choosing
from hubsync.tui.screens.discover import PictureRefused
from hubsync.tui.screens.preflight import Planned
from hubsync.tui.screens.searching import HubAnswered, Searched
from hubsync.tui.screens.versions import Versions
from hubsync.tui.widgets.chips import Chips
from hubsync.tui.widgets.picture import PictureDecoded
from tests.tui.conftest import Journey, OpenHubsync, Start, install


def flat(journey: Journey) -> str:
    """What the terminal shows, where lines end or not."""
    return " ".join(journey.text.replace("│", " ").split())


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
    monkeypatch.setattr("hubsync.tui.screens.searching.TYPING_SECONDS", 0.2)
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
        journey.discover.post_message(HubAnswered(Query(text="sk"), Source.CIVITAI, Page(items=())))
        await journey.sees(HubAnswered, times=len(journey.all(HubAnswered)) + 1)
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


async def test_the_living_hub_s_rows_come_at_once(open_library: OpenHubsync, ground: Playground, start: Start) -> None:
    """They do not wait for a slow hub, whose rows then stand between them; the first row stays the highlighted one."""
    ground.hub.switch(Fault(kind=FaultKind.LATENCY, path="/api/models", seconds=0.7))
    async with start(open_library()) as journey:
        await journey.sees(HubAnswered)
        listing = journey.discover.listing
        assert {row.source for row in listing.rows} == {Source.CIVITAI}
        assert str(listing.border_subtitle) == f"{len(listing.rows)} so far, searching…"
        assert journey.all(Searched) == []
        await journey.sees(Searched)
        assert ({row.source for row in listing.rows}, listing.highlighted) == (set(Source), 0)


async def test_rows_of_another_question_are_no_answer(
    open_library: OpenHubsync, ground: Playground, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the hubs think the old rows cannot be installed, and soon they are gone."""
    async with start(open_library()) as journey:
        await journey.sees(Searched)
        ground.hub.switch(Fault(kind=FaultKind.LATENCY, path="/api/*models", seconds=1))
        journey.discover.box.value = "sks"
        await journey.pilot.pause()
        assert not journey.discover.fits
        journey.discover.action_install()
        journey.discover.action_versions()
        monkeypatch.setattr("hubsync.tui.screens.searching.STALE_SECONDS", 0.001)
        journey.discover.box.value = "sks f"
        await journey.until(lambda: not journey.discover.listing.rows)
        assert SEARCHING in journey.text
        await journey.until(lambda: "sks Frame" in [row.name for row in journey.discover.listing.rows])
        assert (journey.all(InstallRequested), journey.app.screen) == ([], journey.discover)


async def test_a_hub_that_is_down_is_left_alone_until_f5(
    open_library: OpenHubsync, ground: Playground, start: Start
) -> None:
    """The next search does not sit out the wait for it but says when it is asked again; F5 asks at once."""
    ground.hub.switch(Fault(kind=FaultKind.RESET, path="/api/models", at=0))
    async with start(open_library(limiter=Limiter(first=40)), size=(120, 40)) as journey:
        await journey.sees(Searched)
        assert "! Hugging Face: " in journey.text
        asked = len(ground.hub.requests)
        ground.hub.switch()
        await journey.find("sks", "sks Frame")
        assert "did not answer: it is asked again in " in journey.text
        assert Origin.HUGGINGFACE not in {request.origin for request in ground.hub.requests[asked:]}
        await journey.press("f5")
        await journey.until(lambda: {row.source for row in journey.discover.listing.rows} == set(Source))
        assert "asked again" not in journey.text


async def test_offline(open_library: OpenHubsync, ground: Playground, start: Start) -> None:
    """With no hub at all the screen says so, and that the library still works."""
    ground.hub.switch(Fault(kind=FaultKind.RESET, path="*", at=0))
    async with start(open_library(network__retries="0")) as journey:
        await journey.sees(Searched)
        assert "No hub answers." in journey.text
        assert "esc, then 2" in flat(journey)
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


@pytest.mark.parametrize(
    ("status", "said"),
    [(429, "asks for fewer requests"), (503, "is overloaded or failing"), (401, "(esc, then 6: the keys)")],
)
async def test_a_refusal_says_what_to_do(
    open_library: OpenHubsync, ground: Playground, start: Start, status: int, said: str
) -> None:
    """Too many requests, a hub that fails, a key that is not taken: each in its words, with the next step."""
    ground.hub.switch(Fault(kind=FaultKind.STATUS, origin=Origin.HUGGINGFACE, path="/api/*", status=status))
    async with start(open_library(network__retries="0"), size=(160, 40)) as journey:
        await journey.sees(Searched)
        assert "! Hugging Face: " in journey.text
        assert said in journey.text
        assert ("(F5 asks again)" in journey.text) == (status != 401)
        ground.hub.switch()
        await journey.press("f5")
        result = (await journey.sees(Searched, times=2)).result
        assert (result.errors, "! Hugging Face" in journey.text) == ({}, False)


async def test_both_hubs_ask_for_a_pause(open_library: OpenHubsync, ground: Playground, start: Start) -> None:
    """That is not called offline; with one hub asked, that one is named."""
    ground.hub.switch(Fault(kind=FaultKind.STATUS, status=429))
    async with start(open_library(network__retries="0")) as journey:
        await journey.sees(Searched)
        assert "there were too many requests" in flat(journey)
        ground.hub.switch(Fault(kind=FaultKind.STATUS, status=503))
        journey.discover.chips.set("source", "civitai")
        await journey.sees(Searched, times=2)
        assert "Civitai does not answer." in journey.text


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
        assert "civitai.api_key in Settings (esc, then 6)" in flat(journey)
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
        shown = flat(journey)
        assert f"! {entry.error.message}" in shown
        assert advice(entry.error.hint) in shown
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


async def test_chips_narrow_the_search(open_library: OpenHubsync, start: Start) -> None:
    """`f` leads to the chips, arrows choose chip and value, each change asks again; esc leads back to the list."""
    async with start(open_library()) as journey:
        await journey.sees(Searched)
        await journey.press("down", "f", "down")
        await journey.until(lambda: {row.source for row in journey.discover.listing.rows} == {Source.CIVITAI})
        assert "▸•source civitai" in journey.text
        await journey.press("right", "up", "escape")
        query = (await journey.sees(Searched, times=3)).query
        assert (query.sources, query.types) == ((Source.CIVITAI,), (*LORA_TYPES, LoraType.EMBEDDING))
        assert journey.discover.focused is journey.discover.listing
        assert "•type all" in journey.text
        journey.discover.box.value = "ring"
        await journey.until(lambda: [row.name for row in journey.discover.listing.rows] == ["Blue Ring (embedding)"])
        assert journey.all(Searched)[-1].query.sources == (Source.CIVITAI,)


async def test_a_base_model_is_typed(open_library: OpenHubsync, start: Start) -> None:
    """The list of base models is narrowed while typing; a name the table does not hold is taken as it is."""
    async with start(open_library()) as journey:
        await journey.sees(Searched)
        await choose_base(journey, "pony")
        await journey.until(lambda: journey.all(Searched)[-1].query.base_models == ("Pony",))
        assert "Frosted Glass (early)" in [row.name for row in journey.discover.listing.rows]
        assert "•base Pony" in journey.text
        await choose_base(journey, "Quasar 2, [b]")
        await journey.until(lambda: journey.all(Searched)[-1].query.base_models == ("Quasar 2", "[b]"))
        assert "•Quasar 2, [b]" in journey.text
        journey.discover.chips.focus()
        await journey.press("backspace")
        await journey.until(lambda: not journey.all(Searched)[-1].query.base_models)


async def choose_base(journey: Journey, text: str) -> None:
    """Type a base model and take the first that fits."""
    journey.discover.chips.focus()
    journey.discover.chips.current = 2
    await journey.press("enter")
    await journey.until(lambda: isinstance(journey.app.screen, Choosing))
    await journey.pilot.pause()
    journey.app.screen.query_one("#text", Input).value = text
    await journey.press("enter")
    assert journey.app.screen is journey.discover


async def test_the_mouse_opens_a_chip(open_library: OpenHubsync, start: Start) -> None:
    """A click on a chip shows its values; esc changes nothing, enter takes the highlighted one."""
    async with start(open_library()) as journey:
        await journey.sees(Searched)
        line = journey.text.splitlines()[4]
        for _ in range(2):
            await journey.pilot.click(Chips, offset=(line.index("period") + 1, 0))
            await journey.until(lambda: isinstance(journey.app.screen, Choosing))
            await journey.press("escape")
        await journey.press("enter", "j", "enter")
        await journey.until(lambda: journey.all(Searched)[-1].query.period is Period.YEAR)
        assert "•period year" in journey.text


async def test_filters_that_hide_everything_are_named(open_library: OpenHubsync, start: Start) -> None:
    """An empty list says how many filters are set and how to take them off."""
    async with start(open_library()) as journey:
        await journey.sees(Searched)
        journey.discover.chips.set("type", "DoRA")
        journey.discover.chips.set("nsfw", "PG")
        await journey.until(lambda: "Nothing found." in journey.text)
        assert "2 filters are set" in flat(journey)
        await journey.press("down", "R")
        await journey.until(lambda: journey.discover.listing.rows)
        assert journey.all(Searched)[-1].query.nsfw is Nsfw.SOFT


async def test_several_are_installed_at_once(open_library: OpenHubsync, start: Start) -> None:
    """Selected rows are checked together: what comes, what is here, what cannot be had; each becomes a job."""
    hubsync = open_library()
    install(hubsync, "civitai:1001")
    async with start(hubsync, size=(120, 40)) as journey:
        await select(journey, "Add Detail", "sks Frame", "multi-base-sliders", "Old Pickle", "Add Brightness")
        assert "5 selected · " in str(journey.discover.listing.border_subtitle)
        await journey.press("i")
        entries = (await journey.sees(Planned)).entries
        assert [isinstance(entry, Plan) for entry in entries] == [True, True, False, False, True]
        for said in (
            "2 files, 404.2 kB to install · 1 here already · 2 that cannot be had",
            "✓ add_detail.safetensors: here already, as add_detail",
            "↓ sks_frame.safetensors · 269.0 kB · SD 1.5",
            "✗ multi-base-sliders: it holds several LoRA files",
            "✗ Old Pickle: old_pickle.pt is a pickle",
            "enter installs 2 files, 404.2 kB",
        ):
            assert said in journey.text
        await journey.press("enter")
        await journey.sees(InstallEnded, times=2)
        await journey.until(lambda: not journey.app.jobs.running())
        assert {str(ended.row) for ended in journey.all(InstallEnded)} == {"civitai:1004@2004", "civitai:1003@2003"}
        installed = {row.name for row in journey.discover.listing.rows if row.installed}
        assert journey.discover.listing.marked == 0
        assert {"Add Detail", "sks Frame", "Add Brightness"} <= installed


async def test_the_same_bytes_are_planned_once(open_library: OpenHubsync, start: Start) -> None:
    """One file on both hubs is counted and fetched once; both rows are marked, after a restart too."""
    hubsync = open_library()
    async with start(hubsync, size=(120, 40)) as journey:
        await select(journey, "sks-frame-kohya", "sks Frame")
        await journey.press("i")
        await journey.sees(Planned)
        assert "1 file, 269.0 kB to install · 1 the same as another" in journey.text
        assert "= sks_frame.safetensors: the same bytes as " in journey.text
        await journey.press("enter")
        await journey.sees(InstallEnded)
        await journey.until(lambda: len([row for row in journey.discover.listing.rows if row.installed]) == 2)
        assert (len(journey.all(InstallConfirmed)), len(journey.app.jobs.history)) == (1, 1)
    async with start(hubsync) as journey:
        await journey.sees(Searched)
        installed = {row.name for row in journey.discover.listing.rows if row.installed}
        assert installed == {"sks Frame", "sks-frame-kohya"}


def test_a_twin_comes_after_what_brings_its_bytes(open_library: OpenHubsync, ground: Playground) -> None:
    """Without the TUI too; if the first cannot be had, the second is fetched under the same name."""
    hubsync = open_library(network__retries="0")
    plans = hubsync.install.plan(["civitai:1004", "hf:framewright/sks-frame-kohya"])
    assert [plan.twin for plan in plans if isinstance(plan, Plan)] == ["", "sks_frame.safetensors"]
    ground.hub.switch(Fault(kind=FaultKind.STATUS, origin=Origin.CIVITAI, path="/api/download/*", status=404))
    results = hubsync.install.run(plans, sink=lambda event: event, cancel=threading.Event())
    assert [result.status for result in results] == ["failed", "installed"]
    ground.hub.switch()
    again = hubsync.install.run(plans[1:], sink=lambda event: event, cancel=threading.Event())
    assert [result.status for result in again] == ["already_installed"]


@pytest.mark.parametrize(("ours", "who"), [(True, "it is being downloaded"), (False, "another hubsync downloads it")])
def test_who_downloads_it_already_is_said(open_library: OpenHubsync, ours: bool, who: str) -> None:  # noqa: FBT001
    """Another hubsync is blamed for nothing this one does."""
    install, cancel, said = open_library().install, threading.Event(), list[str]()
    (plan,) = install.plan(["civitai:1001"])
    assert isinstance(plan, Plan)

    def hear(event: Event) -> None:
        if isinstance(event, Noted):
            said.append(event.message)
            cancel.set()

    with plan.part.held(cancel, waiting=lambda: None):
        if ours:
            install.fetcher.held.add(plan.part.lock)
        with pytest.raises(Cancelled):
            install.run([plan], sink=hear, cancel=cancel)
    assert said == [f"{who} already: waiting for it"]


async def select(journey: Journey, *names: str) -> None:
    """Select the rows of those names."""
    await journey.sees(Searched)
    await journey.press("down")
    listing = journey.discover.listing
    for name in names:
        listing.highlighted = [row.name for row in listing.rows].index(name)
        await journey.press("space")


async def test_a_batch_that_comes_to_nothing(open_library: OpenHubsync, start: Start) -> None:
    """Enter does nothing where no file can be had; esc keeps the selection, and takes it back before it leaves."""
    async with start(open_library()) as journey:
        await select(journey, "Old Pickle", "On-site Only Glow")
        await journey.press("i")
        await journey.sees(Planned)
        assert "Nothing to install · 2 that cannot be had" in journey.text
        await journey.press("enter", "escape")
        assert (journey.all(InstallConfirmed), journey.discover.listing.marked) == ([], 2)
        await journey.press("escape")
        assert (journey.discover.listing.marked, journey.app.screen) == (0, journey.discover)


async def test_an_older_version_is_installed(open_library: OpenHubsync, start: Start) -> None:
    """`v` lists versions and files; the one chosen is what the pre-flight checks, and nothing else."""
    async with start(open_library()) as journey:
        await journey.find("brightness", "Add Brightness")
        await journey.press("v")
        await journey.until(lambda: isinstance(journey.app.screen, Versions) and "v1.0" in journey.text)
        assert "add_brightness_v1.s" in journey.text
        await journey.press("j", "enter")
        plan = (await journey.sees(Planned)).entries[0]
        assert isinstance(plan, Plan)
        assert (plan.version.name, plan.file.name) == ("v1.0", "add_brightness_v1.safetensors")
        await journey.press("escape")
        assert isinstance(journey.app.screen, Versions)
        await journey.press("enter")
        await journey.sees(Planned, times=2)
        await journey.press("enter")
        installed = (await journey.sees(InstallEnded)).result.installed
        assert installed
        assert isinstance(installed.ref, CivitaiRef)
        assert (installed.ref.model, installed.ref.version) == (1003, plan.version.ref.version)  # type: ignore[union-attr]


async def test_versions_that_cannot_be_had_say_why(open_library: OpenHubsync, ground: Playground, start: Start) -> None:
    """The hub's refusal stands in the box; a model without versions has nothing to choose."""
    ground.hub.switch(Fault(kind=FaultKind.STATUS, path="/api/v1/models/1003", status=500))
    async with start(open_library(network__retries="0")) as journey:
        await journey.find("brightness", "Add Brightness")
        await journey.press("v")
        await journey.until(lambda: isinstance(journey.app.screen, Versions) and "! " in journey.text)
        assert "is overloaded or failing" in journey.text
        await journey.press("enter", "escape")
        assert (journey.all(Planned), journey.app.screen) == ([], journey.discover)


async def test_pictures_are_turned_over(open_library: OpenHubsync, start: Start) -> None:
    """`]` and `[` go through the previews, round the end; a video is shown as a still and called one."""
    async with start(open_library()) as journey:
        shown, pane = await journey.find("moving", "Moving Preview"), journey.discover.detail
        video, picture = (preview.url for preview in shown.versions[0].previews)
        await journey.until(lambda: [message.key for message in journey.all(PictureDecoded)][-1:] == [picture])
        assert pane.border_subtitle == "picture 2 of 2"
        await journey.press("right_square_bracket")
        assert pane.border_subtitle == "video 1 of 2"
        await journey.until(lambda: journey.all(PictureDecoded)[-1].key == video)
        assert video.endswith(".mp4")
        await journey.until(lambda: pane.picture.image is journey.all(PictureDecoded)[-1].image)
        await journey.press("left_square_bracket")
        await journey.until(lambda: journey.all(PictureDecoded)[-1].key == picture)


async def test_a_picture_that_cannot_be_had_says_so(
    open_library: OpenHubsync, ground: Playground, start: Start
) -> None:
    """The reason stands above the details, the others can still be seen."""
    ground.hub.switch(Fault(kind=FaultKind.STATUS, path="/image/*", status=404, times=1))
    async with start(open_library(network__retries="0")) as journey:
        await journey.press("down")
        await journey.sees(PictureRefused)
        assert str(journey.discover.detail.facts.render()).startswith("! picture 1 of 4:")
        await journey.press("right_square_bracket")
        await journey.sees(PictureDecoded)
        assert str(journey.discover.detail.facts.render()).startswith("Add Detail\n")


async def test_the_page_s_address_is_copied(open_library: OpenHubsync, start: Start) -> None:
    """`o` hands the address to the clipboard and shows it."""
    async with start(open_library()) as journey:
        row = await journey.find("sks", "sks Frame")
        await journey.press("o")
        assert journey.app.clipboard == row.page_url
        assert [(toast.title, toast.message) for toast in journey.app._notifications] == [("Copied", row.page_url)]


async def test_hundreds_of_words_use_few_threads(open_library: OpenHubsync, ground: Playground, start: Start) -> None:
    """While a hub is slow, only a handful of questions are under way; those between them are never asked."""
    async with start(open_library()) as journey:
        await journey.sees(Searched)
        ground.hub.switch(Fault(kind=FaultKind.LATENCY, path="/api/models", seconds=1))
        before = len(ground.hub.requests)
        for number in range(30):
            journey.discover.box.value = f"word {number}"
            await journey.pilot.pause()
        await journey.until(lambda: journey.all(Searched)[-1].query.text == "word 29")
        asked = {word for request in ground.hub.requests[before:] for key, word in request.query if key == "search"}
        slow = [request for request in ground.hub.requests[before:] if request.path == "/api/models"]
        assert len({word for request in slow for key, word in request.query if key == "search"}) < 15
        assert "word 29" in asked
        assert [message.query.text for message in journey.all(Searched)] == ["", "word 29"]
        assert journey.all(Refused) == []
        assert sum(thread.name.startswith("question") for thread in threading.enumerate()) < 16


async def test_rows_passed_by_are_not_read(open_library: OpenHubsync, ground: Playground, start: Start) -> None:
    """Going down a list while a hub is slow reads a few pages of records and the last one, not all between."""
    async with start(open_library()) as journey:
        await journey.sees(Searched)
        ground.hub.switch(Fault(kind=FaultKind.LATENCY, path="/api/v1/models/*", seconds=0.5))
        listing = journey.discover.listing
        for number, row in enumerate(listing.rows):
            listing.highlighted = number
            await journey.pilot.pause()
            if row.name == "Moving Preview":
                break
        await journey.until(lambda: listing.row and listing.row.ref in [shown.ref for shown in journey.all(Shown)])
        assert len(journey.all(Shown)) < listing.highlighted
        assert journey.all(Refused) == []
