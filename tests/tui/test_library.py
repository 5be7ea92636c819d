"""The library and the pictures drawn from it."""

from __future__ import annotations

import pytest

from hubsync.domain import RenderKind
from hubsync.services.app import Hubsync
from hubsync.tui.jobs import JobState
from hubsync.tui.messages import HistoryRead, JobAdvanced, Listed, PictureDecoded, PromptComposed, RenderEnded
from hubsync.tui.screens.comparison import ComparisonScreen, Frame
from tests.tui.conftest import RENDERER, Journey, OpenHubsync, Start, install

LORAS = ("civitai:1001", "civitai:1002", "civitai:1004")


@pytest.fixture
def filled(open_library: OpenHubsync) -> Hubsync:
    """A library with three LoRAs."""
    hubsync = open_library()
    install(hubsync, *LORAS)
    return hubsync


async def go_to_library(journey: Journey) -> None:
    """From the search box to the second mode."""
    await journey.press("escape", "2")
    await journey.sees(Listed)


async def test_an_empty_library_tells_the_first_step(open_library: OpenHubsync, start: Start) -> None:
    """Nothing installed and nothing rendered are no errors: both say what to press; the keys there do no harm."""
    async with start(open_library()) as journey:
        await go_to_library(journey)
        await journey.press("r", "p", "enter")
        assert "Nothing is installed yet." in journey.text
        await journey.press("3")
        await journey.sees(HistoryRead)
        await journey.press("c")
        assert "Nothing is rendered yet." in journey.text
        assert journey.app.jobs.all == ()


async def test_the_filter_narrows_while_typing(filled: Hubsync, start: Start) -> None:
    """Each letter filters; a word of the LoRA finds it too; esc leads back to all of them, then to the first mode."""
    async with start(filled) as journey:
        await go_to_library(journey)
        assert [row.name for row in journey.library.listing.rows] == ["add_detail", "add_saturation", "sks_frame"]
        await journey.press("slash", *"sks")
        await journey.until(lambda: [row.name for row in journey.library.listing.rows] == ["sks_frame"])
        await journey.press("backspace", "backspace", "backspace", *"nothing")
        await journey.until(lambda: "Nothing installed fits “nothing”." in journey.text)
        await journey.press("escape", "escape")
        await journey.until(lambda: len(journey.library.listing.rows) == len(LORAS))
        await journey.press("escape")
        assert journey.discover.MODE == "discover"


async def test_what_another_program_installs_appears(filled: Hubsync, start: Start) -> None:
    """The library is read again whenever its screen comes up, and the highlight stays."""
    async with start(filled) as journey:
        await go_to_library(journey)
        await journey.press("j", "1")
        install(filled, "civitai:1003")
        await journey.press("2")
        await journey.until(lambda: len(journey.library.listing.rows) == len(LORAS) + 1)
        assert journey.library.listing.row
        assert journey.library.listing.row.name == "add_saturation"


async def test_a_missing_file_is_marked(filled: Hubsync, start: Start) -> None:
    """A file that is gone is said with a sign and in words."""
    filled.library.find("add_detail").path.unlink()
    async with start(filled) as journey:
        await go_to_library(journey)
        assert "! add_detail" in journey.text
        assert "! its file is missing" in journey.text


async def test_a_render_in_another_mode_does_not_interrupt(filled: Hubsync, start: Start) -> None:
    """Pictures come up by themselves only in the library; elsewhere a line says where they are."""
    async with start(filled) as journey:
        await go_to_library(journey)
        await journey.press("r", "1")
        ended = await journey.sees(RenderEnded)
        await journey.until(lambda: journey.app.jobs.all[0].state is JobState.DONE)
        assert journey.app.screen is journey.discover
        assert "add_detail is rendered: 2 pictures" in journey.text
        assert [render.kind for render in ended.outcome.renders] == [RenderKind.BASE, RenderKind.LORA]


async def test_a_picture_of_the_history_opens_its_whole_test(filled: Hubsync, start: Start) -> None:
    """In the third mode one picture is shown large, and c brings the test it belongs to, of one LoRA only."""
    async with start(filled) as journey:
        await go_to_library(journey)
        await journey.press("r")
        await journey.sees(RenderEnded)
        await journey.until(lambda: isinstance(journey.app.screen, ComparisonScreen))
        await journey.press("escape", "G", "r")
        await journey.sees(RenderEnded, times=2)
        await journey.until(lambda: isinstance(journey.app.screen, ComparisonScreen))
        await journey.press("escape", "3")
        renders = (await journey.sees(HistoryRead)).renders
        assert len(renders) == 5
        await journey.sees(PictureDecoded)
        await journey.press("slash", *"sks", "enter")
        await journey.until(lambda: len(journey.browse.listing.rows) == 2)
        await journey.press("c")
        await journey.until(lambda: isinstance(journey.app.screen, ComparisonScreen))
        captions = [str(frame.query_one("Facts").render()) for frame in journey.app.screen.query(Frame)]
        assert [caption.split("\n")[0] for caption in captions] == ["base", "LoRA", "LoRA + words"]


@pytest.mark.usefixtures("filled")
async def test_a_render_is_stopped(open_library: OpenHubsync, start: Start) -> None:
    """x ends the renderer; nothing is recorded."""
    hubsync = open_library(renderer=(*RENDERER, "slow"))
    async with start(hubsync) as journey:
        await go_to_library(journey)
        await journey.press("G", "r")
        await journey.until(lambda: any(job.done for job in journey.app.jobs.all))
        await journey.until(lambda: "1 of 3 pictures" in journey.text)
        await journey.press("x")
        await journey.until(lambda: journey.app.jobs.all[0].state is JobState.CANCELLED)
        assert "Rendering sks_frame: stopped" in journey.text
    assert hubsync.render.history() == []


@pytest.mark.usefixtures("filled")
async def test_renders_take_turns(open_library: OpenHubsync, start: Start) -> None:
    """A second render waits for the first, so that a device holds one checkpoint; a waiting one can be stopped too."""
    async with start(open_library(renderer=(*RENDERER, "slow"))) as journey:
        await go_to_library(journey)
        await journey.press("r")
        await journey.until(lambda: any(job.done for job in journey.app.jobs.all))
        await journey.press("j", "r")
        await journey.until(lambda: "Rendering add_saturation  getting ready" in journey.text)
        await journey.press("x")
        await journey.until(lambda: journey.app.jobs.all[1].state is JobState.CANCELLED)
        assert journey.app.jobs.all[0].running
        await journey.press("x")
        await journey.until(lambda: not journey.app.jobs.running())


@pytest.mark.usefixtures("filled")
async def test_without_a_renderer_the_next_step_is_said(open_library: OpenHubsync, start: Start) -> None:
    """A machine without torch gets one line with what to install."""
    async with start(open_library(renderer=("no-such-interpreter",))) as journey:
        await go_to_library(journey)
        await journey.press("r")
        await journey.until(lambda: [job.state for job in journey.app.jobs.all] == [JobState.FAILED])
        assert "pip install" in journey.text
        assert not journey.all(JobAdvanced) or not journey.all(RenderEnded)


async def test_a_prompt_of_a_lora_that_went_away(filled: Hubsync, start: Start) -> None:
    """A LoRA removed meanwhile is an ordinary answer in the box."""
    async with start(filled) as journey:
        await go_to_library(journey)
        with filled.records.database.writing() as database:
            database.execute("DELETE FROM loras WHERE name = 'add_detail'")
        await journey.press("p")
        await journey.until(lambda: "no installed LoRA is called" in journey.text)
        assert journey.all(PromptComposed) == []
