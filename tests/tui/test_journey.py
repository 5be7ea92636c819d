"""The whole job with the keyboard alone, on real files: search, read, install, library, prompt, render, picture."""

from __future__ import annotations

from hubsync.domain import RenderKind
from hubsync.refs import CivitaiRef
from hubsync.services.planning import Plan
from hubsync.tui.jobs import JobState
from hubsync.tui.messages import (
    HistoryRead,
    InstallEnded,
    JobAdvanced,
    Listed,
    PictureDecoded,
    Planned,
    PromptComposed,
    RenderEnded,
    Searched,
    Shown,
)
from hubsync.tui.screens.comparison import ComparisonScreen, Frame
from hubsync.tui.widgets.picture import Picture
from tests.tui.conftest import Journey, OpenHubsync, Start, install


async def test_from_search_to_picture(open_library: OpenHubsync, start: Start) -> None:
    """A newcomer types a word and ends with a picture that shows what the LoRA and its trigger word do."""
    hubsync = open_library()
    async with start(hubsync) as journey:
        assert (await journey.sees(Searched)).query.text == ""
        await read_about(journey)
        await install_it(journey)
        await copy_a_prompt(journey)
        await render_it(journey)
        await journey.press("escape", "3")
        assert len((await journey.sees(HistoryRead)).renders) == len(RenderKind)
        await journey.until(lambda: journey.browse.detail.picture.image)
        await journey.press("ctrl+q")
    assert [lora.ref.model for lora in hubsync.library.list() if isinstance(lora.ref, CivitaiRef)] == [1004]


async def read_about(journey: Journey) -> None:
    """The details of a search result arrive while the highlight rests, with words and picture."""
    row = await journey.find("sks", "sks Frame")
    await journey.until(lambda: row.ref in [shown.ref for shown in journey.all(Shown)])
    await journey.sees(PictureDecoded)
    assert "sks" in str(journey.browse.detail.facts.render())


async def install_it(journey: Journey) -> None:
    """The pre-flight writes nothing; enter installs; the mark changes."""
    await journey.press("i")
    plan = (await journey.sees(Planned)).entries[0]
    assert isinstance(plan, Plan)
    assert "enter installs" in journey.text
    assert not plan.target.exists()
    await journey.press("enter")
    result = (await journey.sees(InstallEnded)).result
    assert (result.status, plan.target.stat().st_size) == ("installed", plan.file.size)
    await journey.until(lambda: [job.state for job in journey.app.jobs.all] == [JobState.DONE])
    assert journey.all(JobAdvanced)
    assert [row.name for row in journey.discover.listing.rows if row.installed] == ["sks Frame"]
    assert "▸✓" in journey.text.replace(" ", "")


async def copy_a_prompt(journey: Journey) -> None:
    """The library has the LoRA; its prompt holds tag and trigger word, and is copied."""
    await journey.press("2")
    assert [row.name for row in (await journey.sees(Listed)).rows] == ["sks_frame"]
    await journey.press("p")
    prompt = (await journey.sees(PromptComposed)).prompt
    assert prompt.startswith("sks <lora:sks_frame:")
    await journey.press("y", "escape")
    assert journey.app.clipboard == prompt


async def render_it(journey: Journey) -> None:
    """Three pictures come up beside each other, with numbers and the sheet."""
    await journey.press("r")
    outcome = (await journey.sees(RenderEnded)).outcome
    assert [render.kind for render in outcome.renders] == list(RenderKind)
    await journey.until(lambda: isinstance(journey.app.screen, ComparisonScreen))
    await journey.until(lambda: all(picture.image for picture in journey.app.screen.query(Picture)))
    assert len(journey.app.screen.query(Frame)) == len(RenderKind)
    shown = [word for word in ("base", "LoRA + words", "Effect", "Of words", "sheet.png") if word in journey.text]
    assert shown == ["base", "LoRA + words", "Effect", "Of words", "sheet.png"]


async def test_the_prompt_follows_the_user_s_text(open_library: OpenHubsync, start: Start) -> None:
    """In the prompt box one's own words come first, LoRA and words are added while typing, esc leads out by steps."""
    hubsync = open_library()
    install(hubsync, "civitai:1005")
    async with start(hubsync) as journey:
        await journey.press("down", "2")
        await journey.sees(Listed)
        await journey.press("p", "slash", *"a cat", "enter")
        await journey.until(lambda: journey.all(PromptComposed)[-1].text == "a cat")
        await journey.press("y")
        assert journey.app.clipboard.startswith("a cat, mona, day outfit <lora:mona_outfits:")
        await journey.press("slash", "escape", "escape")
        assert journey.app.screen is journey.library
