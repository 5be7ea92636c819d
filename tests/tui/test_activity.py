"""Activity: every job of the session with what came of it; paused, gone on with, stopped, tried again, cleared."""

from __future__ import annotations

import pytest

from hubsync.domain import LoraFile
from hubsync.errors import HashMismatch, RendererMissing
from hubsync.events import Advanced, Started
from hubsync.sandbox.hub import Fault, FaultKind
from hubsync.sandbox.playground import Playground
from hubsync.services.app import Hubsync
from hubsync.services.planning import Plan
from hubsync.services.triggers import Wish
from hubsync.tui.jobs import Job, JobState
from hubsync.tui.messages import InstallConfirmed, InstallEnded, RenderEnded, RenderRequested
from hubsync.tui.screens.activity import ActivityScreen
from tests.tui.conftest import RENDERER, Journey, OpenHubsync, Start, install

DETAIL = "civitai:1003"
SLOW = Fault(kind=FaultKind.THROTTLE, rate=20_000)


async def go_to_activity(journey: Journey) -> ActivityScreen:
    """Open the fifth mode."""
    await journey.press("escape", "5")
    await journey.until(lambda: isinstance(journey.app.screen, ActivityScreen))
    screen = journey.app.screen
    assert isinstance(screen, ActivityScreen)
    return screen


def begin(journey: Journey, hubsync: Hubsync, *references: str) -> None:
    """Start downloads as the pre-flight would."""
    for reference in references:
        plans = [plan for plan in hubsync.install.plan([reference]) if isinstance(plan, Plan)]
        journey.app.post_message(InstallConfirmed(plans[0].file.ref, plans))


async def states(journey: Journey, *expected: JobState) -> tuple[Job, ...]:
    """Wait until the list shows jobs in these states, in its order."""
    screen = journey.app.screen
    assert isinstance(screen, ActivityScreen)
    await journey.until(lambda: [job.state for job in screen.listing.rows] == [*expected])
    return tuple(screen.listing.rows)


async def test_nothing_goes_on_at_first(open_library: OpenHubsync, start: Start) -> None:
    """An empty list says what will stand there, and offers no key that does nothing."""
    async with start(open_library()) as journey:
        await go_to_activity(journey)
        assert "Nothing is going on." in journey.text
        assert [word for word in ("Pause", "Retry", "Clear") if word in journey.text.splitlines()[-1]] == []


async def test_one_download_is_paused_and_gone_on_with(
    open_library: OpenHubsync, ground: Playground, start: Start
) -> None:
    """space acts on the highlighted download alone, z on all of them; what came is not fetched again."""
    ground.hub.switch(SLOW)
    hubsync = open_library()
    async with start(hubsync, size=(120, 40)) as journey:
        await go_to_activity(journey)
        begin(journey, hubsync, DETAIL, "civitai:1005")
        await journey.until(lambda: len([job for job in journey.app.jobs.running() if job.done]) == 2)
        assert "▶ running" in journey.text
        assert "space Pause" in journey.text
        await journey.press("space")
        running, paused = await states(journey, JobState.RUNNING, JobState.PAUSED)
        assert paused.number < running.number
        assert "‖ paused" in journey.text
        assert "space Go on" in journey.text
        await journey.press("z")
        await states(journey, JobState.PAUSED, JobState.PAUSED)
        ground.hub.switch()
        await journey.press("z")
        await states(journey, JobState.DONE, JobState.DONE)
        received = [message.result.received for message in journey.all(InstallEnded)]
    assert all(one is not None and one.resumed_from > 0 for one in received)
    assert {lora.name for lora in hubsync.library.list()} == {"add_brightness", "mona_outfits"}


async def test_a_stopped_download_is_fetched_again(open_library: OpenHubsync, ground: Playground, start: Start) -> None:
    """x stops it and removes what came; R begins it anew, in the same line."""
    ground.hub.switch(SLOW)
    hubsync = open_library()
    async with start(hubsync) as journey:
        await go_to_activity(journey)
        begin(journey, hubsync, DETAIL)
        await journey.until(lambda: any(job.done for job in journey.app.jobs.running()))
        await journey.press("x")
        [stopped] = await states(journey, JobState.CANCELLED)
        await journey.until(lambda: not hubsync.downloads.unfinished())
        assert "– stopped" in journey.text  # noqa: RUF001
        ground.hub.switch()
        await journey.press("R")
        [done] = await states(journey, JobState.DONE)
        assert done.number == stopped.number
        assert done.place == next(lora.path for lora in hubsync.library.list())


async def test_a_failed_download_says_why_and_is_tried_again(
    open_library: OpenHubsync, ground: Playground, start: Start
) -> None:
    """The error stands with its hint beside the list; R fetches the right bytes."""
    ground.hub.switch(Fault(kind=FaultKind.CORRUPT))
    hubsync = open_library()
    async with start(hubsync, size=(120, 40)) as journey:
        await go_to_activity(journey)
        begin(journey, hubsync, DETAIL)
        [failed] = await states(journey, JobState.FAILED)
        assert isinstance(failed.error, HashMismatch)
        facts = "\n".join(str(fact.value) for fact in journey.browse.detail.facts.facts)
        assert failed.error.message in facts
        assert failed.error.hint in facts
        ground.hub.switch()
        await journey.press("R")
        await states(journey, JobState.DONE)
    assert [lora.name for lora in hubsync.library.list()] == ["add_brightness"]


async def test_a_download_that_broke_off_goes_on(open_library: OpenHubsync, ground: Playground, start: Start) -> None:
    """A hub that fails midway leaves what came; R fetches the rest."""
    ground.hub.switch(SLOW)
    hubsync = open_library(network__retries="0")
    async with start(hubsync) as journey:
        await go_to_activity(journey)
        begin(journey, hubsync, DETAIL)
        await journey.until(lambda: any(job.done for job in journey.app.jobs.running()))
        await journey.press("space")
        await states(journey, JobState.PAUSED)
        ground.hub.switch(Fault(kind=FaultKind.STATUS, status=503))
        await journey.press("space")
        await states(journey, JobState.FAILED)
        ground.hub.switch()
        await journey.press("R")
        await states(journey, JobState.DONE)
        received = journey.all(InstallEnded)[-1].result.received
    assert received is not None
    assert received.resumed_from > 0


async def test_what_an_earlier_run_left_waits_here(open_library: OpenHubsync, ground: Playground, start: Start) -> None:
    """The queue's downloads are in the list, with how far they came, and go on or are given up."""
    ground.hub.switch(SLOW)
    hubsync = open_library()
    async with start(hubsync) as journey:
        begin(journey, hubsync, DETAIL)
        await journey.until(lambda: any(job.done for job in journey.app.jobs.running()))
        await journey.press("ctrl+q")
    hubsync = open_library()
    async with start(hubsync) as journey:
        await go_to_activity(journey)
        [waiting] = await states(journey, JobState.PAUSED)
        assert 0 < waiting.done < (waiting.total or 0)
        await journey.press("x", "enter")
        await states(journey, JobState.CANCELLED)
        await journey.until(lambda: not hubsync.downloads.unfinished())
        ground.hub.switch()
        await journey.press("R")
        await states(journey, JobState.DONE)
    assert [lora.name for lora in hubsync.library.list()] == ["add_brightness"]


async def test_renders_wait_for_each_other(open_library: OpenHubsync, start: Start) -> None:
    """The second of two renders says that it waits, and can be stopped while it does."""
    hubsync = open_library(renderer=(*RENDERER, "slow"))
    install(hubsync, "civitai:1004", "civitai:1001")
    async with start(hubsync) as journey:
        screen = await go_to_activity(journey)
        journey.app.post_message(RenderRequested([Wish(name="sks_frame")]))
        await journey.until(lambda: any(job.done for job in screen.listing.rows))
        journey.app.post_message(RenderRequested([Wish(name="add_detail")]))
        await journey.until(lambda: "… waiting" in journey.text)
        assert [job.label for job in screen.listing.rows] == ["Rendering sks_frame", "Rendering add_detail"]
        await journey.press("j", "x")
        await states(journey, JobState.RUNNING, JobState.CANCELLED)
        await journey.press("k", "x")
        await journey.until(lambda: not journey.app.jobs.running())


async def test_a_failed_render_is_asked_again(open_library: OpenHubsync, start: Start) -> None:
    """Without a renderer it says what to install; the same request runs once there is one."""
    hubsync = open_library(renderer=("no-such-interpreter",))
    install(hubsync, "civitai:1004")
    async with start(hubsync) as journey:
        await go_to_activity(journey)
        journey.app.post_message(RenderRequested([Wish(name="sks_frame")]))
        [failed] = await states(journey, JobState.FAILED)
        assert isinstance(failed.error, RendererMissing)
        await journey.press("escape")
        vars(hubsync).pop("_resident")
        vars(hubsync).pop("render")
        hubsync._renderer = RENDERER
        await go_to_activity(journey)
        await journey.press("R")
        await journey.sees(RenderEnded)
        [done] = await states(journey, JobState.DONE)
        assert done.picture is not None
        await journey.until(lambda: journey.browse.detail.picture.image)


async def test_history_outlives_the_lines_at_the_foot(open_library: OpenHubsync, start: Start) -> None:
    """What the other screens forget is kept here until c clears it; what runs stays."""
    async with start(open_library()) as journey:
        jobs = journey.app.jobs
        for number in range(3):
            job = jobs.start(f"Rendering {number}", counts_bytes=False)
            jobs.end(job.number, JobState.DONE, f"{number} is rendered")
        running = jobs.start("Rendering more", counts_bytes=False)
        assert [job.label for job in jobs.all] == ["Rendering more"]
        screen = await go_to_activity(journey)
        assert [job.label[-4:] for job in screen.listing.rows] == ["more", "ng 2", "ng 1", "ng 0"]
        await journey.press("c")
        await journey.until(lambda: [job.number for job in screen.listing.rows] == [running.number])


async def test_history_outlives_the_program(open_library: OpenHubsync, ground: Playground, start: Start) -> None:
    """The next start shows what ended, with why and what came of it; a download is tried again, c forgets it all."""
    ground.hub.switch(Fault(kind=FaultKind.CORRUPT))
    async with start(open_library()) as journey:
        jobs = journey.app.jobs
        jobs.end(
            jobs.start("Rendering x", counts_bytes=False).number,
            JobState.DONE,
            "x is rendered",
            place=ground.root / "renders",
        )
        await journey.rest()  # the clock stands still: what is written first stands first
        begin(journey, journey.app.hubsync, DETAIL)
        await journey.until(lambda: [one.state for one in jobs.history] == [JobState.DONE, JobState.FAILED])
        await journey.rest()
        before = jobs.history
    ground.hub.switch()
    hubsync = open_library()
    async with start(hubsync) as journey:
        await journey.rest()
        assert journey.app.jobs.history == ()
        await go_to_activity(journey)
        failed, done = await states(journey, JobState.FAILED, JobState.DONE)
        assert [(job.key, job.label, job.note, job.place, job.ended) for job in (done, failed)] == [
            (job.key, job.label, job.note, job.place, job.ended) for job in before
        ]
        assert failed.error is not None
        assert failed.error.hint
        assert (failed.again, done.again) == (True, False)
        assert journey.app.jobs.all == ()
        await journey.press("R")
        await states(journey, JobState.DONE, JobState.DONE)
        await journey.rest()
    async with start(open_library()) as journey:
        await go_to_activity(journey)
        await states(journey, JobState.DONE, JobState.DONE)
        await journey.press("c")
        await states(journey)
        await journey.rest()
    async with start(open_library()) as journey:
        await go_to_activity(journey)
        await journey.rest()
        assert journey.app.jobs.history == ()


async def test_history_is_bounded(open_library: OpenHubsync, start: Start) -> None:
    """Of many jobs the oldest that ended are forgotten."""
    async with start(open_library()) as journey:
        jobs = journey.app.jobs
        first = jobs.start("the one that runs on", counts_bytes=False)
        for number in range(250):
            job = jobs.start(f"{number}", counts_bytes=False)
            jobs.end(job.number, JobState.DONE, "")
        assert len(jobs.history) == 201
        assert jobs.history[0] == first


async def test_progress_leaves_the_list_where_it_is(open_library: OpenHubsync, start: Start) -> None:
    """While bytes come in, the highlight stays on its job, and the filter holds."""
    async with start(open_library(), size=(120, 40)) as journey:
        jobs = journey.app.jobs
        numbers = [jobs.start(f"Installing {name}", counts_bytes=True, refs=[name]).number for name in ("one", "two")]
        screen = await go_to_activity(journey)
        await journey.press("j")
        for number in numbers:
            jobs.hear(number, Started(key="a", label="a", total=200))
            jobs.hear(number, Advanced(key="a", done=50, rate=10.0, eta=15.0))
        await journey.until(lambda: journey.text.count("25%") == 2)
        assert "0:15" in journey.text
        assert screen.listing.row is not None
        assert screen.listing.row.number == numbers[1]
        screen.box.value = "one"
        await journey.until(lambda: [job.number for job in screen.listing.rows] == numbers[:1])


async def test_what_a_lora_brings_along_is_given_up_with_it(
    open_library: OpenHubsync, ground: Playground, start: Start
) -> None:
    """Stopping a download stops its companions' too: none of them waits at the next start."""
    ground.hub.switch(SLOW)
    hubsync = open_library()
    async with start(hubsync) as journey:
        await go_to_activity(journey)
        plans = [plan for plan in hubsync.install.plan([DETAIL, "civitai:1005"]) if isinstance(plan, Plan)]
        assert all(isinstance(plan.file, LoraFile) for plan in plans)
        journey.app.post_message(InstallConfirmed(plans[0].file.ref, plans))
        await journey.until(lambda: len(hubsync.downloads.unfinished()) == 2)
        await journey.press("x")
        await states(journey, JobState.CANCELLED)
        await journey.until(lambda: not hubsync.downloads.unfinished())


@pytest.mark.parametrize("key", ["space", "x"])
async def test_the_highlighted_job_is_meant(open_library: OpenHubsync, start: Start, key: str) -> None:
    """In this list x means it, not the newest, as space does."""
    async with start(open_library()) as journey:
        jobs = journey.app.jobs
        first = jobs.start("Installing one", counts_bytes=True, refs=["one"])
        second = jobs.start("Installing two", counts_bytes=True, refs=["two"])
        await go_to_activity(journey)
        await journey.press(key)
        assert (first.cancel.is_set(), second.cancel.is_set()) == (True, False)


async def test_what_is_over_is_named_at_length(open_library: OpenHubsync, start: Start) -> None:
    """A line that needs no numbers any more gives their room to its name; one that does keeps a downloaded name."""
    async with start(open_library(), size=(120, 40)) as journey:
        jobs = journey.app.jobs
        long, name = "Rendering watercolour_landscapes, mona_outfits", "Installing mona_outfits"
        jobs.end(jobs.start(long, counts_bytes=False).number, JobState.DONE, "")
        job = jobs.start(name, counts_bytes=True, refs=["one"])
        jobs.hear(job.number, Started(key="a", label="a", total=200_000))
        jobs.hear(job.number, Advanced(key="a", done=50_000, rate=123_456.0, eta=15.0))
        screen = await go_to_activity(journey)
        await journey.until(lambda: len(screen.listing.rows) == 2)
        assert f"✓ done      {long}" in journey.text
        assert f"▶ running   {name}  " in journey.text
