"""Downloads and renders under way: their state, owned by the app, shown by every screen."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from textual.dom import DOMNode
from textual.signal import Signal

from hubsync.errors import HubsyncError
from hubsync.events import Advanced, Event, Failed, Finished, Noted, Started, Verified


class JobState(StrEnum):
    """How a job stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job. `done` and `total` are bytes, or pictures; `note` is the last thing it said."""

    number: int
    label: str
    counts_bytes: bool
    state: JobState = JobState.RUNNING
    done: float = 0
    total: float | None = None
    note: str = ""
    cancel: threading.Event = field(default_factory=threading.Event)

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return self.state is JobState.RUNNING


class Jobs:
    """All jobs since the last one began; `changed` tells the screens."""

    def __init__(self, owner: DOMNode) -> None:
        self.changed: Signal[Sequence[Job]] = Signal(owner, "jobs changed")
        self._table: dict[int, Job] = {}
        self._begun = 0

    @property
    def all(self) -> Sequence[Job]:
        """Oldest first."""
        return tuple(self._table.values())

    def running(self, label: str = "") -> Sequence[Job]:
        """The jobs that still work, or the one of that label."""
        return tuple(job for job in self.all if job.running and label in {"", job.label})

    def start(self, label: str, *, counts_bytes: bool) -> Job:
        """A new job; what ended before is forgotten."""
        self._begun += 1
        job = Job(number=self._begun, label=label, counts_bytes=counts_bytes)
        self._table = {known.number: known for known in (*self.running(), job)}
        self._publish()
        return job

    def hear(self, number: int, event: Event) -> None:
        """Take in what a job says."""
        job = self._table.get(number)
        if job and job.running:
            self._put(_told(job, event))

    def end(self, number: int, state: JobState, note: str) -> None:
        """A job is over."""
        if job := self._table.get(number):
            self._put(replace(job, state=state, note=note))

    def cancel_newest(self) -> None:
        """Ask the newest running job to stop; with none running, forget the ended ones."""
        running = self.running()
        if not running:
            self._table = {}
            self._publish()
            return
        running[-1].cancel.set()
        self._put(replace(running[-1], note="stopping"))

    def cancel_all(self) -> None:
        """Ask every job to stop: the app closes."""
        for job in self.running():
            job.cancel.set()

    def _put(self, job: Job) -> None:
        self._table[job.number] = job
        self._publish()

    def _publish(self) -> None:
        self.changed.publish(self.all)


def _told(job: Job, event: Event) -> Job:
    match event:
        case Started():
            return replace(job, total=event.total)
        case Advanced():
            return replace(job, done=event.done, total=event.total or job.total)
        case Verified():
            return replace(job, note="SHA-256 verified")
        case Noted() | Finished():
            return replace(job, note=event.message)
        case Failed():
            return replace(job, note=told(event.error))


def told(error: HubsyncError) -> str:
    """An error in one sentence, with what to do about it."""
    return f"{error.message} → {error.hint}" if error.hint else error.message
