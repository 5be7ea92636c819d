"""Jobs: stopped, failed, several at once, and errors nobody foresaw."""

from __future__ import annotations

import threading

import pytest
from textual.messages import ExitApp

from hubsync.errors import HashMismatch
from hubsync.events import Advanced, Failed, Finished, Noted, Started, Verified
from hubsync.sandbox.hub import Fault, FaultKind
from hubsync.sandbox.playground import Playground
from hubsync.services.library import LibraryService
from hubsync.services.planning import Plan
from hubsync.tui.answers import Refused, Shown
from hubsync.tui.jobs import JobState
from hubsync.tui.messages import InstallConfirmed, InstallEnded, JobStopped
from hubsync.tui.screens.confirm import Confirm
from hubsync.tui.screens.leaving import Leaving
from hubsync.tui.screens.preflight import Planned
from hubsync.tui.widgets.activity import job_line, strip
from tests.tui.conftest import Journey, OpenHubsync, Start

WIDTH = 76
"""Cells of a line at the foot of 80 columns."""


async def begin_install(journey: Journey, text: str, name: str) -> None:
    """Search, check, say yes."""
    await journey.find(text, name)
    await journey.press("i")
    await journey.sees(Planned)
    await journey.press("enter")


async def test_a_download_is_stopped(open_library: OpenHubsync, ground: Playground, start: Start) -> None:
    """x gives the download up: nothing of it stays, in the library or beside it; x again clears the line."""
    ground.hub.switch(Fault(kind=FaultKind.THROTTLE, rate=20_000))
    hubsync = open_library()
    async with start(hubsync) as journey:
        await begin_install(journey, "detail", "Add Detail")
        await journey.until(lambda: "━" in journey.text)
        assert "z pauses · x stops it" in journey.text
        await journey.press("x")
        stopped = await journey.sees(JobStopped)
        assert stopped.state is JobState.CANCELLED
        await journey.until(lambda: "Installing add_detail: stopped" in journey.text)
        await journey.until(lambda: list(hubsync.root.loras.iterdir()) == [] and not hubsync.downloads.unfinished())
        await journey.press("x")
        assert "stopped" not in journey.text
    assert hubsync.library.list() == []


async def test_a_download_is_paused_and_outlives_the_program(
    open_library: OpenHubsync, ground: Playground, start: Start
) -> None:
    """z keeps what came; the next start shows it, z goes on from there, and no byte is fetched twice."""
    slow = Fault(kind=FaultKind.THROTTLE, rate=20_000)
    ground.hub.switch(slow)
    async with start(open_library()) as journey:
        await begin_install(journey, "detail", "Add Detail")
        await journey.until(lambda: "━" in journey.text)
        await journey.press("z")
        await journey.until(lambda: [job.state for job in journey.app.jobs.all] == [JobState.PAUSED])
        assert "paused" in journey.text
    hubsync = open_library()
    async with start(hubsync) as journey:
        await journey.until(lambda: "z goes on" in journey.text)
        [waiting] = journey.app.jobs.paused
        assert 0 < waiting.done < (waiting.total or 0)
        ground.hub.switch()
        await journey.press("escape", "z")
        ended = await journey.sees(InstallEnded)
        await journey.until(lambda: [job.state for job in journey.app.jobs.all] == [JobState.DONE])
    received = ended.result.received
    assert received is not None
    assert (received.resumed_from, received.resumed_from + received.bytes_downloaded) == (waiting.done, received.size)
    assert [lora.name for lora in hubsync.library.list()] == ["add_detail"]


async def test_a_paused_download_is_given_up(open_library: OpenHubsync, ground: Playground, start: Start) -> None:
    """x on a paused download asks first, and then removes what came of it; esc leaves it as it is."""
    ground.hub.switch(Fault(kind=FaultKind.THROTTLE, rate=20_000))
    hubsync = open_library()
    async with start(hubsync) as journey:
        await begin_install(journey, "detail", "Add Detail")
        await journey.until(lambda: "━" in journey.text)
        await journey.press("z")
        await journey.until(lambda: journey.app.jobs.paused)
        await journey.press("x")
        await journey.until(lambda: isinstance(journey.app.screen, Confirm))
        assert "paused at" in journey.text
        await journey.press("escape")
        assert journey.app.jobs.paused
        await journey.press("x", "enter")
        await journey.until(lambda: list(hubsync.root.loras.iterdir()) == [] and not hubsync.downloads.unfinished())
        assert journey.app.jobs.all == ()


async def test_a_wrong_file_is_an_error_with_its_hint(
    open_library: OpenHubsync, ground: Playground, start: Start
) -> None:
    """Bytes that do not have the promised hash end as a red line; nothing is installed or marked."""
    ground.hub.switch(Fault(kind=FaultKind.CORRUPT))
    hubsync = open_library()
    async with start(hubsync) as journey:
        await begin_install(journey, "detail", "Add Detail")
        ended = await journey.sees(InstallEnded)
        assert isinstance(ended.result.error, HashMismatch)
        await journey.until(lambda: [job.state for job in journey.app.jobs.all] == [JobState.FAILED])
        assert f"✗ {ended.result.error.message}"[:40] in journey.text
        assert [row for row in journey.discover.listing.rows if row.installed] == []
    assert hubsync.library.list() == []


async def test_downloads_take_turns(open_library: OpenHubsync, ground: Playground, start: Start) -> None:
    """As many as `install.jobs` are under way; those that wait can be stopped, paused and gone on with at once."""
    ground.hub.switch(Fault(kind=FaultKind.THROTTLE, rate=20_000))
    hubsync = open_library(install__jobs="1")
    entries = hubsync.install.plan(["civitai:1001", "civitai:1004", "civitai:1002"])
    plans = [plan for plan in entries if isinstance(plan, Plan)]
    async with start(hubsync) as journey:
        app, jobs = journey.app, journey.app.jobs
        for plan in plans:
            journey.discover.post_message(InstallConfirmed(plan.file.ref, [plan]))
        await journey.until(lambda: any(job.done for job in jobs.running()))
        assert [job.note for job in jobs.running()] == ["", "waiting for its turn", "waiting for its turn"]
        app.stop(jobs.history[1])
        await journey.until(lambda: jobs.history[1].state is JobState.CANCELLED)
        app.pause_or_go_on(jobs.history[2])
        await journey.until(lambda: jobs.history[2].state is JobState.PAUSED)
        ground.hub.switch()
        app.pause_or_go_on(jobs.history[2])
        await journey.until(lambda: not jobs.running())
        assert [job.state for job in jobs.history] == [JobState.DONE, JobState.CANCELLED, JobState.DONE]
    assert {lora.name for lora in hubsync.library.list()} == {plans[0].target.stem, plans[2].target.stem}


async def test_quitting_stops_what_runs(open_library: OpenHubsync, ground: Playground, start: Start) -> None:
    """ctrl+q works from the search box, and asks every job to stop."""
    ground.hub.switch(Fault(kind=FaultKind.THROTTLE, rate=20_000))
    async with start(open_library()) as journey:
        await begin_install(journey, "detail", "Add Detail")
        await journey.until(journey.app.jobs.running)
        job = journey.app.jobs.running()[0]
        await journey.press("slash", "ctrl+q")
        assert job.cancel.is_set()


@pytest.mark.parametrize("answer", ["enter", "ctrl+q"])
async def test_leaving_a_render_is_asked_about(open_library: OpenHubsync, start: Start, answer: str) -> None:
    """What cannot go on at the next start is named; esc stays, enter and the same key again leave."""
    async with start(open_library()) as journey:
        job = journey.app.jobs.start("Rendering sks_frame", counts_bytes=False)
        journey.app.jobs.start("Scanning", counts_bytes=False, unit="")
        await journey.press("ctrl+q")
        await journey.until(lambda: isinstance(journey.app.screen, Leaving))
        assert "1 render and 1 other job are running" in journey.text
        assert "Rendering sks_frame" in journey.text
        await journey.press("escape")
        assert not job.cancel.is_set()
        await journey.press("ctrl+q", answer)
        assert job.cancel.is_set()


async def test_any_other_end_stops_what_runs_too(open_library: OpenHubsync, ground: Playground, start: Start) -> None:
    """An app that is asked to end by its driver, as one in a closed page is: what came of a download stays."""
    ground.hub.switch(Fault(kind=FaultKind.THROTTLE, rate=2_000))
    hubsync = open_library()
    async with start(hubsync) as journey:
        await begin_install(journey, "detail", "Add Detail")
        await journey.until(lambda: any(job.done for job in journey.app.jobs.running()))
        [job] = journey.app.jobs.running()
        journey.app.post_message(ExitApp())
    assert job.cancel.is_set()
    [entry] = hubsync.downloads.unfinished()
    assert not entry.busy
    assert 0 < entry.done < (entry.size or 0)


async def test_the_same_install_starts_once(open_library: OpenHubsync, ground: Playground, start: Start) -> None:
    """Saying yes twice to one file is one job."""
    ground.hub.switch(Fault(kind=FaultKind.THROTTLE, rate=20_000))
    async with start(open_library()) as journey:
        await begin_install(journey, "detail", "Add Detail")
        await journey.until(journey.app.jobs.running)
        await journey.press("i")
        await journey.sees(Planned, times=2)
        await journey.press("enter")
        assert len(journey.app.jobs.all) == 1
        await journey.press("x")


async def test_a_bug_becomes_a_report_not_a_crash(
    open_library: OpenHubsync, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception no service foresaw is shown as a bug to report; the screen works on."""

    def broken(*_: object, **__: object) -> object:
        return 1 / 0

    async with start(open_library()) as journey:
        row = await journey.find("sks", "sks Frame")
        await journey.until(lambda: row.ref in [shown.ref for shown in journey.all(Shown)])
        monkeypatch.setattr(LibraryService, "list", broken)
        await journey.press("2")
        refused = await journey.sees(Refused)
        assert (refused.group, refused.error.code) == ("list", "internal")
        await journey.until(lambda: "ZeroDivisionError" in journey.text)
        await journey.press("1")
        assert journey.discover.listing.rows


async def test_a_bug_in_a_job_fails_that_job(
    open_library: OpenHubsync, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same border for jobs: the line says so, others go on."""
    async with start(open_library()) as journey:
        await journey.find("detail", "Add Detail")
        await journey.press("i")
        await journey.sees(Planned)
        monkeypatch.setattr("hubsync.services.install.InstallService.run", lambda *_, **__: 1 / 0)
        await journey.press("enter")
        await journey.until(lambda: [job.state for job in journey.app.jobs.all] == [JobState.FAILED])
        assert "ZeroDivisionError" in journey.app.jobs.all[0].note


async def test_events_become_a_line(open_library: OpenHubsync, start: Start) -> None:
    """What a job says is told in its line; what it says after its end is not."""
    async with start(open_library()) as journey:
        jobs = journey.app.jobs
        job = jobs.start("Installing x", counts_bytes=True)
        lines = []
        for event in (
            Started(key="x", label="x", total=2_000_000),
            Advanced(key="x", done=500_000),
            Noted(key="x", message="no preview"),
            Verified(key="x", sha256="0" * 64),
            Failed(key="x", error=HashMismatch("wrong bytes", hint="try again")),
            Finished(key="x", message="x is installed"),
        ):
            jobs.hear(job.number, event)
            lines.append(job_line(jobs.all[0], WIDTH).plain)
        jobs.end(job.number, JobState.DONE, "x is installed")
        jobs.hear(job.number, Noted(key="x", message="too late"))
        assert lines == [
            "Installing x  ──────────  0 bytes of 2.0 MB",
            "Installing x  ━━────────  500.0 kB of 2.0 MB",
            "Installing x  ━━────────  500.0 kB of 2.0 MB  no preview",
            "Installing x  ━━────────  500.0 kB of 2.0 MB  SHA-256 verified",
            "Installing x  ━━────────  500.0 kB of 2.0 MB  wrong bytes → try again",
            "Installing x  ━━────────  500.0 kB of 2.0 MB  x is installed",
        ]
        assert job_line(jobs.all[0], WIDTH).plain == "✓ x is installed"
        assert strip(jobs.all, WIDTH).plain == "✓ x is installed  x clears"


async def test_a_render_shows_its_steps_and_what_is_left(open_library: OpenHubsync, start: Start) -> None:
    """What was being loaded is told no more once it is drawn with; the bar moves within a picture."""
    async with start(open_library()) as journey:
        jobs = journey.app.jobs
        job = jobs.start("Rendering x", counts_bytes=False)
        lines = []
        for event in (
            Started(key="render", label="x", total=3),
            Noted(key="render", message="loading sd1.safetensors"),
            Advanced(key="render", done=0, total=3, share=0.0),
            Advanced(key="render", done=1, total=3, share=0.5),
            Noted(key="render", message="6 modules were left out"),
            Advanced(key="render", done=2, total=3, share=0.75, eta=65.4),
        ):
            jobs.hear(job.number, event)
            lines.append(job_line(jobs.all[0], WIDTH).plain)
        assert lines == [
            "Rendering x  ──────────  getting ready",
            "Rendering x  ──────────  getting ready  loading sd1.safetensors",
            "Rendering x  ──────────  getting ready",
            "Rendering x  ━━━━━─────  1 of 3 pictures",
            "Rendering x  ━━━━━─────  1 of 3 pictures  6 modules were left out",
            "Rendering x  ━━━━━━━───  2 of 3 pictures, 1:05 left  6 modules were left out",
        ]


@pytest.mark.parametrize("width", [WIDTH, 116])
async def test_a_job_is_a_line(open_library: OpenHubsync, start: Start, width: int) -> None:
    """However long its name, with all numbers; the keys are told once, beside the last line where there is room."""
    async with start(open_library()) as journey:
        jobs = journey.app.jobs
        for name in ("a", "b"):
            job = jobs.start(f"Installing {name * 70}", counts_bytes=True, refs=[name])
            jobs.hear(job.number, Started(key=name, label=name, total=6_460_000_000))
            jobs.hear(job.number, Advanced(key=name, done=123_400_000, rate=12_300_000.0, eta=515.0))
            jobs.hear(job.number, Noted(key=name, message="a note of more than a few words"))
        lines = strip(jobs.all, width).plain.splitlines()
        assert max(map(len, lines)) <= width
        assert [line.count("8:35 left") for line in lines][:2] == [1, 1]
        assert len(lines) == (3 if width == WIDTH else 2)
        assert lines[-1].endswith("z pauses · x stops the newest")


async def test_many_jobs_take_few_lines(open_library: OpenHubsync, start: Start) -> None:
    """Three lines show running jobs, one counts the rest; x stops the newest first."""
    async with start(open_library()) as journey:
        jobs = journey.app.jobs
        started = [jobs.start(f"Installing {index}", counts_bytes=True) for index in range(5)]
        await journey.press("escape", "x", "x")
        assert [job.cancel.is_set() for job in started] == [False, False, False, False, True]
        await journey.until(lambda: "and 2 more" in journey.text)
        assert [f"Installing {index}" in journey.text for index in range(5)] == [False, False, True, True, True]
        assert threading.active_count() < 50
