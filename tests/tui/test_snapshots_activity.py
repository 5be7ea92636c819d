"""What Activity, Settings and the first steps look like; see test_snapshots.py for how pictures are accepted."""

from __future__ import annotations

import time

import pytest

from hubsync.errors import HashMismatch
from hubsync.events import Advanced, Started
from hubsync.services.doctor import Check
from hubsync.tui.jobs import JobState
from hubsync.tui.messages import StepsMissing
from hubsync.tui.screens.welcome import Welcome
from tests.tui.conftest import Journey, OpenHubsync, SameAs, Start

STEPS = (
    Check(name="library", status="ok", message="LoRAs go to ~/hubsync/models/Lora"),
    Check(name="civitai key", status="warning", message="none", hint="make one on your Civitai account page"),
    Check(name="renderer", status="warning", message="not installed: torch", hint='pip install "hubsync[render]"'),
    Check(name="checkpoints", status="error", message="none", hint="hubsync config set checkpoint.sd1 PATH"),
)


@pytest.fixture(autouse=True)
def in_greenwich(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times of day are those of one place."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def fill(journey: Journey) -> None:
    """A job of each kind."""
    jobs = journey.app.jobs
    jobs.wait("Installing mona_outfits", "civitai:1005", done=101_000, total=269_000)
    done = jobs.start("Rendering add_detail", counts_bytes=False)
    jobs.end(done.number, JobState.DONE, "add_detail is rendered: 3 pictures in 4.2 s")
    failed = jobs.start("Installing sks_frame", counts_bytes=True, refs=["civitai:1004"])
    error = HashMismatch("the bytes do not match", hint="nothing was installed; report the file to the hub")
    jobs.end(failed.number, JobState.FAILED, error.message, error=error)
    job = jobs.start("Installing add_detail", counts_bytes=True, refs=["civitai:1001"])
    jobs.hear(job.number, Started(key="a", label="add_detail", total=269_000))
    jobs.hear(job.number, Advanced(key="a", done=101_000, rate=50_000.0, eta=3.4))


async def test_activity_empty(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24: what will stand here."""
    async with start(open_library()) as journey:
        await journey.press("escape", "5")
        await journey.rest()
        same_as(journey, "activity-empty-80x24")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_activity_at_work(
    open_library: OpenHubsync, start: Start, same_as: SameAs, size: tuple[int, int]
) -> None:
    """Something runs, something is paused, something failed: the error with its hint beside the list."""
    async with start(open_library(), size=size) as journey:
        fill(journey)
        await journey.press("escape", "5", "j", "j")
        await journey.rest()
        same_as(journey, f"activity-{size[0]}x{size[1]}")


async def test_the_lines_at_the_foot(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24: a batch under way, a line a job, names cut rather than numbers, the keys once."""
    async with start(open_library()) as journey:
        await journey.press("escape", "2")
        jobs = journey.app.jobs
        for number, name in enumerate(("mona_outfits", "sks_frame", "add_detail", "a_name_longer_than_its_room")):
            job = jobs.start(f"Installing {name}", counts_bytes=True, refs=[name])
            jobs.hear(job.number, Started(key=name, label=name, total=228_000_000))
            jobs.hear(job.number, Advanced(key=name, done=50_000_000 * number, rate=12_300_000.0, eta=65.0))
        await journey.rest()
        same_as(journey, "jobs-80x24")


async def test_the_first_steps(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24: what a newcomer sets up, over the first search."""
    async with start(open_library()) as journey:
        await journey.rest()
        journey.app.post_message(StepsMissing(STEPS, "Welcome to hubsync"))
        await journey.until(lambda: isinstance(journey.app.screen, Welcome))
        await journey.rest()
        same_as(journey, "welcome-80x24")
