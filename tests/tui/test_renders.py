"""The pictures of all tests: the list, the comparison, what is done with one picture, and what can go wrong."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from PIL import Image
from textual.widgets import Static

from hubsync.domain import LoraUse, Render, RenderKind
from hubsync.events import Drawing, Event, Pictured
from hubsync.render.plan import RenderOptions
from hubsync.services.app import Hubsync
from hubsync.services.history import seen
from hubsync.services.triggers import Wish
from hubsync.tui.answers import OpenedOutside
from hubsync.tui.grid import Grid
from hubsync.tui.jobs import Job, JobState
from hubsync.tui.live import DRAWN
from hubsync.tui.messages import ComparisonRequested, RenderBegun, RenderEnded, RenderRequested
from hubsync.tui.screens.comparison import ComparisonScreen, SheetFound
from hubsync.tui.screens.confirm import Confirm
from hubsync.tui.screens.pictured import InfotextRead, PreviewSet
from hubsync.tui.screens.renders import HistoryRead, Renders
from hubsync.tui.screens.sheet import SheetScreen
from hubsync.tui.screens.trial import TrialScreen
from hubsync.tui.widgets.facts import Facts
from hubsync.tui.widgets.frame import Frame
from hubsync.tui.widgets.loupe import Loupe
from hubsync.tui.widgets.picture import Picture
from tests.tui.conftest import NOW, RENDERER, Journey, OpenHubsync, Start, install

LORAS = ("civitai:1001", "civitai:1004", "civitai:1005")
SWEEP = RenderOptions(weights=(0.5, 1.0), seeds=(1, 2))


@pytest.fixture
def filled(open_library: OpenHubsync) -> Hubsync:
    """A library with a LoRA without words, one with a word, one with two groups."""
    hubsync = open_library()
    install(hubsync, *LORAS)
    return hubsync


def drawn(folder: Path, count: int) -> Iterator[Render]:
    """Pictures of as many tests, two each, that nobody drew."""
    for index in range(count // 2):
        base = Render(
            path=folder / str(index) / "base.png", kind=RenderKind.BASE, prompt=f"cat {index}", seed=1, steps=8, cfg=3,
            size=(64, 64), sampler="DDIM", checkpoint="tiny", created_at=NOW + timedelta(minutes=index),
        )  # fmt: skip
        yield base
        use = (LoraUse(name="add_detail", weight=1.0),)
        yield replace(base, path=folder / str(index) / "lora.png", kind=RenderKind.LORA, loras=use, effect=0.5)


async def go_to_renders(journey: Journey) -> Renders:
    """From the search box to the fourth mode."""
    await journey.press("escape", "4")
    await journey.sees(HistoryRead)
    assert isinstance(journey.app.screen, Renders)
    return journey.app.screen


async def draw(journey: Journey, *names: str, options: RenderOptions | None = None, times: int = 1) -> ComparisonScreen:
    """Run a test while the list of pictures is shown: its comparison comes up."""
    wishes = [Wish.parse(name) for name in names]
    journey.app.post_message(RenderRequested(wishes, options))
    await journey.sees(RenderEnded, times)
    await journey.until(lambda: isinstance(journey.app.screen, ComparisonScreen))
    assert isinstance(journey.app.screen, ComparisonScreen)
    return journey.app.screen


def captions(journey: Journey) -> list[str]:
    """What stands under the pictures that are seen."""
    frames = [frame for frame in journey.app.screen.query(Frame) if frame.display]
    return [" ".join(str(frame.query_one(Facts).render()).split("\n")[:2]) for frame in frames]


def states(journey: Journey) -> list[str]:
    """What stands in the place of each picture that is seen."""
    said = [frame.query_one(".state", Static) for frame in journey.app.screen.query(Frame) if frame.display]
    return [str(one.render()) if one.display else "" for one in said]


@dataclass
class Heard:
    """A sink that hands each event to the app, and keeps what its comparison shows of the pictures then."""

    journey: Journey
    job: Job
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    states: list[list[str]] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """In the app's thread: a render's own waits for it."""
        asyncio.run_coroutine_threadsafe(self._hear(event), self.loop).result()

    async def _hear(self, event: Event) -> None:
        self.journey.app.jobs.hear(self.job.number, event)
        await self.journey.pilot.pause()
        if isinstance(event, Drawing | Pictured):
            self.states.append(states(self.journey))


async def test_nothing_rendered_leads_to_the_first_test(open_library: OpenHubsync, start: Start) -> None:
    """The empty list says which key begins; keys that mean a picture do no harm."""
    async with start(open_library()) as journey:
        screen = await go_to_renders(journey)
        assert "Press n and choose a LoRA" in journey.text
        await journey.press("r", "P", "y", "o", "c")
        assert journey.app.screen is screen
        await journey.press("n")
        assert isinstance(journey.app.screen, TrialScreen)
        await journey.until(lambda: "Nothing is installed yet." in journey.text)


async def test_pictures_come_in_pages_by_test(filled: Hubsync, start: Start, tmp_path: Path) -> None:
    """The newest test first, a hundred pictures at a time, each test marked where it begins; the filter asks anew."""
    filled.render.renders.save(drawn(tmp_path, 250))
    async with start(filled, size=(120, 40)) as journey:
        screen = await go_to_renders(journey)
        await journey.until(lambda: screen.listing.rows)
        assert (len(screen.listing.rows), screen.listing.border_subtitle) == (100, "250 drawn")
        assert screen.listing.row
        assert screen.listing.row.render.prompt == "cat 124"
        await journey.press("G")
        await journey.until(lambda: len(screen.listing.rows) == 200)
        await journey.press("G")
        await journey.until(lambda: len(screen.listing.rows) == 250)
        assert [row.first for row in screen.listing.rows] == [True, False] * 125
        assert {row.drawn.verdict.finding.value for row in screen.listing.rows if row.drawn.verdict} == {"works"}
        screen.box.value = "CAT 12"
        await journey.until(lambda: len(screen.listing.rows) == 12)
        assert "✓ works" in journey.text
        screen.box.value = "dog"
        await journey.until(lambda: "No picture fits “dog”." in journey.text)


async def test_a_new_test_comes_under_the_highlight(filled: Hubsync, start: Start, tmp_path: Path) -> None:
    """A render that ends in another mode does not interrupt; its pictures are first and highlighted, enter opens."""
    filled.render.renders.save(replace(one, created_at=NOW - timedelta(days=9)) for one in drawn(tmp_path, 8))
    async with start(filled) as journey:
        screen = await go_to_renders(journey)
        await journey.press("G", "1")
        journey.app.post_message(RenderRequested([Wish(name="sks_frame")]))
        await journey.until(lambda: [job.state for job in journey.app.jobs.all] == [JobState.DONE])
        assert journey.app.screen is journey.discover
        assert "(press 4)" in journey.app.jobs.all[0].note
        await journey.press("4")
        await journey.until(lambda: len(screen.listing.rows) == 11)
        assert (screen.listing.highlighted, screen.listing.rows[1].name) == (0, "sks_frame")
        await journey.press("j", "enter")
        asked = await journey.sees(ComparisonRequested)
        assert asked.at == screen.listing.rows[1].render
        await journey.until(lambda: isinstance(journey.app.screen, ComparisonScreen))
        assert captions(journey) == ["base without a LoRA", "LoRA sks_frame 0.9", "LoRA + words sks_frame 0.9"]


async def test_the_comparison_steps_through_a_sweep(filled: Hubsync, start: Start) -> None:
    """Weights beside each other, words, seeds and LoRAs below each other; the digit leads back to the list."""
    async with start(filled, size=(120, 40)) as journey:
        screen = await go_to_renders(journey)
        comparison = await draw(journey, "mona_outfits::all", "add_detail", options=SWEEP)
        where = comparison.where
        assert captions(journey)[1:] == ["LoRA mona_outfits 1", "LoRA + words mona_outfits 1"]
        assert "weight 2 of 2" in str(where.render())
        await journey.press("left", "left", "down")
        assert captions(journey)[1:] == ["LoRA mona_outfits 0.5", "LoRA + words mona_outfits 0.5"]
        assert "line 2 of 6" in str(where.render())
        assert comparison.grid.line == comparison.grid.lines[1]
        await journey.press("down")
        assert comparison.pictured
        assert (comparison.pictured.render.seed, comparison.pictured.render.kind) == (2, RenderKind.TRIGGERED)
        await journey.press("pagedown")
        assert captions(journey) == ["base without a LoRA", "LoRA add_detail 0.5"]
        await journey.until(lambda: "Verdict" in journey.text)
        await journey.press("4")
        assert journey.app.screen is screen


async def test_the_sheet_is_enlarged_and_moved(filled: Hubsync, start: Start) -> None:
    """`s` shows the contact sheet, also of an older test; + comes closer, arrows move, c leads back."""
    async with start(filled) as journey:
        screen = await go_to_renders(journey)
        await draw(journey, "sks_frame")
        await journey.press("escape", "enter")
        await journey.until(lambda: isinstance(journey.app.screen, ComparisonScreen))
        await journey.press("s")
        sheet = (await journey.sees(SheetFound)).path
        await journey.until(lambda: isinstance(journey.app.screen, SheetScreen))
        loupe = journey.app.screen.query_one(Loupe)
        await journey.until(lambda: loupe.image)
        assert screen.listing.row
        assert sheet == screen.listing.row.render.path.parent / "sheet.png"
        whole = loupe.image
        await journey.press("plus", "plus", "right")
        await journey.until(lambda: loupe.image is not whole and loupe.image)
        assert loupe.zoom == 2.25
        assert "2.25 times" in journey.text
        await journey.press("0")
        await journey.until(lambda: "all of it" in journey.text)
        await journey.press("c")
        assert isinstance(journey.app.screen, ComparisonScreen)
        await journey.press("enter")
        await journey.until(lambda: isinstance(journey.app.screen, SheetScreen))


async def test_what_is_done_with_a_picture(filled: Hubsync, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """P makes it the preview, y copies its infotext, o says over SSH where it is; a base is nobody's preview."""
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 22 10.0.0.2 22")
    async with start(filled) as journey:
        await go_to_renders(journey)
        await draw(journey, "sks_frame")
        await journey.press("P")
        assert (await journey.sees(PreviewSet)).name == "sks_frame"
        preview = filled.library.find("sks_frame").preview
        assert preview
        with Image.open(preview) as shown:
            assert shown.size == (64, 64)
        await journey.press("y")
        text = (await journey.sees(InfotextRead)).text
        await journey.until(lambda: journey.app.clipboard == text)
        assert text.startswith("a large blue ring on a yellow background, sks <lora:sks_frame:0.9>")
        await journey.press("o")
        opened = await journey.sees(OpenedOutside)
        assert (opened.seen, opened.path.name) == (False, "sks_frame.w0.9.s1.words.png")
        await journey.press("shift+tab", "shift+tab", "P")
        assert not journey.app.screen.check_action("preview", ())
        assert len(journey.all(PreviewSet)) == 1


async def test_a_test_is_drawn_again_and_edited(filled: Hubsync, start: Start) -> None:
    """r draws the same pictures; R fills the form with what drew them, and starting leads back to the list."""
    async with start(filled) as journey:
        screen = await go_to_renders(journey)
        await draw(journey, "sks_frame", options=SWEEP)
        await journey.press("escape", "r")
        await journey.sees(RenderEnded, times=2)
        first, again = (message.outcome.renders for message in journey.all(RenderEnded))
        assert [one.prompt for one in again] == [one.prompt for one in first]
        await journey.until(lambda: isinstance(journey.app.screen, ComparisonScreen))
        await journey.press("R")
        await journey.until(lambda: isinstance(journey.app.screen, TrialScreen))
        test = journey.app.session.test
        assert [wish.name for wish in test.wishes] == ["sks_frame"]
        assert (test.prompt, test.typed["weights"]) == ("a large blue ring on a yellow background", "0.5, 1")
        assert (test.typed["seeds"], test.typed["size"]) == ("1, 2", "64x64")
        await journey.press("ctrl+r")
        await journey.sees(RenderEnded, times=3)
        await journey.until(lambda: isinstance(journey.app.screen, ComparisonScreen))
        assert journey.app.screen_stack == [screen, journey.app.screen]


@pytest.mark.usefixtures("filled")
async def test_a_waiting_render_is_stopped(open_library: OpenHubsync, start: Start) -> None:
    """A second test waits for the renderer's turn, and can be stopped while it does; then the first can."""
    async with start(open_library(renderer=(*RENDERER, "slow"))) as journey:
        await go_to_renders(journey)
        journey.app.post_message(RenderRequested([Wish(name="sks_frame")]))
        await journey.until(lambda: any(job.done for job in journey.app.jobs.all))
        journey.app.post_message(RenderRequested([Wish(name="sks_frame")], SWEEP))
        await journey.until(lambda: "Rendering sks_frame (2)" in journey.text)
        await journey.press("x")
        await journey.until(lambda: journey.app.jobs.all[1].state is JobState.CANCELLED)
        assert journey.app.jobs.all[0].running
        await journey.press("x")
        await journey.until(lambda: not journey.app.jobs.running())
        assert journey.all(RenderEnded) == []


@pytest.mark.usefixtures("filled")
async def test_pictures_are_seen_as_they_come(open_library: OpenHubsync, start: Start) -> None:
    """In the list and side by side, those that are there; nothing can be done with them yet; a stopped test is left."""
    async with start(open_library(renderer=(*RENDERER, "slow")), size=(120, 40)) as journey:
        screen = await go_to_renders(journey)
        journey.app.post_message(RenderRequested([Wish(name="sks_frame")]))
        await journey.until(lambda: [row.state for row in screen.listing.rows][:1] == [DRAWN])
        assert [row.state for row in screen.listing.rows] == [DRAWN, "◌ waiting", "◌ waiting"]
        assert screen.listing.rows[1].name == "sks_frame"
        await journey.until(lambda: screen.detail.picture.image)
        assert not {"r", "P", "y", "o", "delete"} & screen.active_bindings.keys()
        await journey.press("j")
        await journey.until(lambda: not screen.detail.picture.display)
        await journey.press("enter")
        await journey.until(lambda: isinstance(journey.app.screen, ComparisonScreen))
        comparison = journey.app.screen
        assert captions(journey) == ["base without a LoRA", "LoRA sks_frame 0.9", "LoRA + words sks_frame 0.9"]
        await journey.until(lambda: [bool(one.image) for one in comparison.query(Picture)] == [True, False, False])
        assert states(journey) == ["", "◌ waiting", "◌ waiting"]
        assert not {"r", "P", "s", "delete"} & comparison.active_bindings.keys()
        await journey.press("enter")
        assert journey.app.screen is comparison
        await journey.press("shift+tab", "shift+tab", "enter")
        await journey.until(lambda: isinstance(journey.app.screen, SheetScreen))
        await journey.press("x", "escape")
        await journey.until(lambda: journey.app.screen is screen)
        assert screen.listing.rows == []


async def test_a_test_that_is_watched_to_its_end(filled: Hubsync, start: Start) -> None:
    """The comparison fills up and is that of the finished test then: with numbers, and all that is done with them."""
    plan = filled.render.plan([Wish(name="sks_frame")], RenderOptions())
    async with start(filled) as journey:
        screen = await go_to_renders(journey)
        job = journey.app.jobs.start("Rendering", counts_bytes=False)
        journey.app.post_message(RenderBegun(job.number, plan))
        await journey.until(lambda: len(screen.listing.rows) == 3)
        await journey.press("j", "j", "enter")
        await journey.until(lambda: isinstance(journey.app.screen, ComparisonScreen))
        comparison = journey.app.screen
        assert isinstance(comparison, ComparisonScreen)
        heard = Heard(journey, job)
        outcome = await asyncio.to_thread(lambda: filled.render.run(plan, sink=heard, cancel=threading.Event()))
        assert heard.states == [
            ["◐ drawing", "◌ waiting", "◌ waiting"], ["", "◌ waiting", "◌ waiting"],
            ["", "◐ drawing", "◌ waiting"], ["", "", "◌ waiting"],
            ["", "", "◐ drawing"], ["", "", ""],
        ]  # fmt: skip
        assert not {"r", "P"} & comparison.active_bindings.keys()
        journey.app.post_message(RenderEnded(job.number, "sks_frame", outcome))
        await journey.until(lambda: {"r", "P", "s"} <= comparison.active_bindings.keys())
        await journey.until(lambda: "Verdict" in journey.text)
        assert [one.render for one in comparison.grid.pictures] == list(outcome.renders)
        await journey.press("escape")
        await journey.until(lambda: [row.render for row in screen.listing.rows] == list(outcome.renders))
        assert (screen.listing.highlighted, screen.listing.border_subtitle) == (2, "3 drawn")


async def test_a_test_goes_to_the_trash_and_comes_back(filled: Hubsync, start: Start) -> None:
    """Once confirmed; the highlight stays where it is, u undoes it, and the LoRA keeps its preview."""
    async with start(filled) as journey:
        screen = await go_to_renders(journey)
        kept = await draw(journey, "add_detail")
        await journey.press("escape")
        removed = await draw(journey, "sks_frame", times=2)
        preview = filled.library.find("sks_frame").preview
        await journey.press("escape", "G", "delete")
        await journey.until(lambda: "Remove 3 pictures" in journey.text)
        await journey.press("escape")
        assert len(filled.render.history()) == 5
        await journey.press("delete")
        await journey.until(lambda: isinstance(journey.app.screen, Confirm))
        await journey.press("enter")
        await journey.until(lambda: len(screen.listing.rows) == 2)
        assert screen.listing.highlighted == 1
        assert filled.render.history() == [one.render for one in kept.grid.pictures]
        assert preview
        assert preview.exists()
        await journey.press("u")
        await journey.until(lambda: len(screen.listing.rows) == 5)
        assert [row.render for row in screen.listing.rows[2:]] == [one.render for one in removed.grid.pictures]
        await journey.press("u")
        await journey.until(lambda: "no picture is in the trash" in journey.text)


async def test_one_picture_goes_and_comes_back(filled: Hubsync, start: Start) -> None:
    """From the comparison, which goes on with the others; a base stays while they are measured against it."""
    async with start(filled) as journey:
        screen = await go_to_renders(journey)
        comparison = await draw(journey, "sks_frame")
        for left in (2, 1):
            await journey.press("delete")
            await journey.until(lambda: isinstance(journey.app.screen, Confirm))
            await journey.press("enter")
            await journey.until(partial(lambda left: len(captions(journey)) == left, left))
            assert isinstance(comparison.focused, Frame)
            assert comparison.focused.drawn == comparison.grid.shown()[-1]
        await journey.press("u", "u")
        await journey.until(lambda: len(captions(journey)) == 3)
        await journey.press("delete")
        await journey.until(lambda: any("measured against" in one.message for one in journey.app._notifications))
        for _ in range(3):
            filled.discarding.remove(filled.discarding.plan(filled.render.history()[-1], whole=False))
        journey.app.session.library_changed.publish(None)
        await journey.until(lambda: journey.app.screen is screen)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("renderer", "said"),
    [
        ((*RENDERER, "poor"), "the card has no memory left → try Size (4, n) 512x512"),
        ((*RENDERER, "picky"), "add_detail fits nothing here"),
        (("no-such-interpreter",), "pip install"),
    ],
)
async def test_a_failure_says_what_happened_and_what_to_do(
    open_library: OpenHubsync, start: Start, renderer: tuple[str, ...], said: str
) -> None:
    """No memory, a LoRA that fits nothing, no renderer: a line at the foot of the list; nothing is recorded."""
    hubsync = open_library(renderer=renderer)
    async with start(hubsync) as journey:
        await go_to_renders(journey)
        journey.app.post_message(RenderRequested([Wish(name="add_detail")]))
        await journey.until(lambda: [job.state for job in journey.app.jobs.all] == [JobState.FAILED])
        assert said in " ".join(journey.text.split())
    assert hubsync.render.history() == []


@pytest.mark.usefixtures("filled")
async def test_a_refused_lora_is_named_beside_the_others(open_library: OpenHubsync, start: Start) -> None:
    """The rest of the test is there, and the line of the job says what is not and why."""
    async with start(open_library(renderer=(*RENDERER, "picky"))) as journey:
        await go_to_renders(journey)
        await draw(journey, "add_detail", "sks_frame")
        assert "left out: add_detail fits nothing here" in journey.app.jobs.all[0].note
        assert captions(journey)[1:] == ["LoRA sks_frame 0.9", "LoRA + words sks_frame 0.9"]


def test_a_test_of_bases_alone_has_a_picture(tmp_path: Path) -> None:
    """What is left of a test whose other rows are gone can be looked at; steps lead nowhere."""
    base, _ = drawn(tmp_path, 2)
    grid = Grid(seen([base]), weight=1.0)
    for step in (grid.step_line, grid.step_weight, grid.step_lora):
        step(1)
    assert [one.render for one in grid.shown()] == [base]
