"""Activity: every download and job, of earlier runs too, with what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message

from hubsync.tui.asking import ask
from hubsync.tui.jobs import Job, JobState
from hubsync.tui.past import remembered
from hubsync.tui.screens.browse import Browse
from hubsync.tui.standing import bar_of, job_facts, matches, ordered, pace_of, percent, standing, time_left
from hubsync.tui.widgets.activity import Activity
from hubsync.tui.widgets.columns import Column
from hubsync.tui.workshop import Workshop

_NOTHING = (
    "Nothing is going on.\n\n"
    "Downloads and test renders appear here, and stay to be looked at until you clear them: press 1 to find a LoRA and "
    "i to install it, press 2 and r to test one.\n\n"
    "A download that was interrupted waits here for you at the next start."
)


@dataclass
class PastRead(Message, bubble=False):
    """What ended in earlier runs, oldest first."""

    jobs: Sequence[Job]


class ActivityScreen(Browse[Job]):
    """The jobs: what runs first, then what is paused, then what ended, the newest first."""

    MODE = "activity"
    PROMPT = "part of a name, or running, paused, done, failed"
    TITLES = ("Filter", "Downloads and jobs", "Details")
    AUTO_FOCUS = "#list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "Pause", id="activity.pause", tooltip="Pause the highlighted download"),
        Binding("space", "go_on", "Go on", id="activity.go_on", tooltip="Go on with the highlighted download"),
        Binding("x", "stop", "Stop", id="activity.stop", tooltip="Stop it; give up a download that is paused"),
        Binding("R", "retry", "Retry", id="activity.retry", tooltip="Try again what failed or was stopped"),
        Binding("c", "clear", "Clear", id="activity.clear", tooltip="Forget everything that has ended"),
    ]

    def columns(self) -> Sequence[Column[Job]]:
        """How it stands, what it is, how far, how fast, how long yet; what finds no room stands in the details."""
        return (
            Column(text=self._standing, title="State", width=10, strong=True),
            Column(text=lambda job: job.label, title="What", strong=True, spills=True),
            Column(text=bar_of, width=10, needs=80),
            Column(text=percent, title="Done", width=4, right=True),
            Column(text=pace_of, title="Speed", width=10, needs=60, right=True),
            Column(text=time_left, title="Left", width=5, needs=50, right=True),
        )

    def key(self, row: Job) -> object:
        """A job keeps its number when it is tried again."""
        return row.number

    def on_mount(self) -> None:
        """Follow the jobs, and recall those of earlier runs; the lines at the foot would say it all again."""
        self.query_one(Activity).remove()
        self.session.jobs.changed.subscribe(self, self._changed)
        past = self.hubsync.jobs
        ask(self, "past", lambda: PastRead([remembered(job) for job in past.ended()]))

    def on_screen_resume(self) -> None:
        """What happened meanwhile."""
        self.look_for(self.box.value.strip())

    def look_for(self, text: str) -> None:
        """Keep what fits."""
        jobs = self.session.jobs.history
        found = [job for job in ordered(jobs) if matches(job, self._standing(job), text)]
        listing = self.listing
        if found and [job.number for job in found] == [job.number for job in listing.rows]:
            fresh = {job.number: job for job in found}
            listing.change(lambda job: fresh[job.number])
            self._describe_again()
        else:
            listing.show(found, placeholder=f"No job fits “{text}”." if text else _NOTHING)
        running, paused = len(self.session.jobs.running()), len(self.session.jobs.paused)
        counts = (f"{running} running" if running else "", f"{paused} paused" if paused else "")
        listing.border_subtitle = " · ".join(filter(None, counts))
        self.refresh_bindings()

    def describe(self, row: Job) -> None:
        """Everything is known."""
        self.detail.show(job_facts(row, self._standing(row)))
        self.refresh_bindings()

    def settle(self, row: Job) -> None:
        """The picture of what came of it."""
        if picture := row.picture:
            self.detail.picture.show(str(picture), lambda: picture)
        else:
            self.detail.picture.hide()

    def open(self, row: Job) -> None:
        """Go to what came of a download; read about everything else."""
        if row.state is JobState.DONE and row.ref:
            self.app.switch_mode("library")
        else:
            super().open(row)

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """An action is offered where it does something."""
        job, jobs = self.listing.row if self.is_mounted else None, self.session.jobs
        match action:
            case "pause":
                return job is not None and bool(job.ref) and job.running
            case "go_on":
                return job is not None and job.state is JobState.PAUSED
            case "stop":
                return job is not None and not job.over
            case "retry":
                return job is not None and job.again
            case "clear":
                return any(one.over for one in jobs.history)
        return super().check_action(action, _)

    def action_pause(self) -> None:
        """Pause the highlighted download."""
        if self.listing.row is not None:
            self._workshop.pause_or_go_on(self.listing.row)

    action_go_on = action_pause

    def action_stop(self) -> None:
        """Stop the highlighted job, or ask whether a paused download is given up."""
        if self.listing.row is not None:
            self._workshop.stop(self.listing.row)

    def action_retry(self) -> None:
        """The same again."""
        if self.listing.row is not None:
            self._workshop.start_again(self.listing.row)

    def action_clear(self) -> None:
        """Forget what has ended."""
        self._workshop.forget_jobs()

    @on(PastRead)
    def _recall(self, message: PastRead) -> None:
        self.session.jobs.recall(message.jobs)

    @property
    def _workshop(self) -> Workshop:
        assert isinstance(self.app, Workshop)
        return self.app

    def _standing(self, job: Job) -> str:
        return standing(job, self.session.jobs.running())

    def _changed(self, _: Sequence[Job]) -> None:
        if self.is_current:
            self.look_for(self.box.value.strip())

    def _describe_again(self) -> None:
        """What changed, without taking the reader back to the first line."""
        if (row := self.listing.row) is not None:
            self.detail.facts.show(job_facts(row, self._standing(row)))
            if row.over:
                self.settle(row)
