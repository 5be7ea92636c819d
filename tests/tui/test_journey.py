"""From a word to an installed LoRA and its trigger words, with the keyboard alone, on real files."""

from __future__ import annotations

from hubsync.refs import CivitaiRef, Source
from hubsync.services.planning import Plan
from hubsync.tui.answers import Shown
from hubsync.tui.jobs import JobState
from hubsync.tui.messages import InstallEnded, JobAdvanced
from hubsync.tui.screens.preflight import Planned
from hubsync.tui.screens.searching import Searched
from hubsync.tui.widgets.picture import PictureDecoded
from tests.tui.conftest import Journey, OpenHubsync, Start


async def test_from_search_to_words(open_library: OpenHubsync, start: Start) -> None:
    """A newcomer narrows a search, reads about a LoRA, installs it and finds its trigger words in the library."""
    hubsync = open_library()
    async with start(hubsync) as journey:
        assert (await journey.sees(Searched)).query.text == ""
        await narrow(journey)
        await read_about(journey)
        await install_it(journey)
        await journey.press("2")
        await journey.until(lambda: "sks_frame" in journey.text)
        await journey.until(lambda: "sks" in str(journey.browse.detail.facts.render()).split())
        await journey.press("ctrl+q")
    installed = hubsync.library.list()
    assert [(lora.name, lora.trigger_words) for lora in installed] == [("sks_frame", (("sks",),))]
    assert [lora.ref.model for lora in installed if isinstance(lora.ref, CivitaiRef)] == [1004]


async def narrow(journey: Journey) -> None:
    """From the box through the chips: one hub only."""
    await journey.press("tab", "down", "escape")
    await journey.until(lambda: journey.all(Searched)[-1].query.sources == (Source.CIVITAI,))
    await journey.press("slash")


async def read_about(journey: Journey) -> None:
    """The details of a search result arrive while the highlight rests, with words and pictures."""
    row = await journey.find("sks", "sks Frame")
    await journey.until(lambda: row.ref in [shown.ref for shown in journey.all(Shown)])
    await journey.sees(PictureDecoded)
    assert "sks" in str(journey.browse.detail.facts.render())
    await journey.press("right_square_bracket")
    assert "picture 2 of 3" in journey.text


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
