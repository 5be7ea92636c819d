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
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job. `done` and `total` are bytes, or pictures and parts of one; `note` is the last thing it said.

    A download has a `ref`, by which the queue knows it: it can be paused, and outlives the program. `rate` is bytes a
    second, `eta` seconds. `ending` is how it stands once it has stopped.
    """

    number: int
    label: str
    counts_bytes: bool
    ref: str = ""
    state: JobState = JobState.RUNNING
    done: float = 0
    total: float | None = None
    note: str = ""
    rate: float | None = None
    eta: float | None = None
    ending: JobState = JobState.CANCELLED
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

    def get(self, number: int) -> Job | None:
        """The job of that number."""
        return self._table.get(number)

    def running(self, label: str = "") -> Sequence[Job]:
        """The jobs that still work, or the one of that label."""
        return tuple(job for job in self.all if job.running and label in {"", job.label})

    @property
    def paused(self) -> Sequence[Job]:
        """Downloads that wait to be gone on with."""
        return tuple(job for job in self.all if job.state is JobState.PAUSED)

    def start(self, label: str, *, counts_bytes: bool, ref: str = "") -> Job:
        """A new job; what ended before is forgotten, and it takes the place of a paused download of the same file."""
        self._begun += 1
        job = Job(number=self._begun, label=label, counts_bytes=counts_bytes, ref=ref)
        paused = [known for known in self.paused if known.ref != ref]
        self._table = {known.number: known for known in (*paused, *self.running(), job)}
        self._publish()
        return job

    def wait(self, label: str, ref: str, *, done: int, total: int | None) -> None:
        """A download of an earlier run that is not done."""
        self._begun += 1
        job = Job(number=self._begun, label=label, counts_bytes=True, ref=ref, state=JobState.PAUSED)
        self._put(replace(job, done=done, total=total))

    def hear(self, number: int, event: Event) -> None:
        """Take in what a job says."""
        job = self._table.get(number)
        if job and job.running:
            self._put(_told(job, event))

    def end(self, number: int, state: JobState, note: str) -> None:
        """A job is over."""
        if job := self._table.get(number):
            self._put(replace(job, state=state, note=note))

    def forget(self, *jobs: Job) -> None:
        """Show these no more."""
        self._table = {number: job for number, job in self._table.items() if job not in jobs}
        self._publish()

    def stop(self, job: Job, *, ending: JobState) -> None:
        """Ask a running job to stop; `ending` is how it stands then."""
        self._put(replace(job, note="pausing" if ending is JobState.PAUSED else "stopping", ending=ending))
        job.cancel.set()

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
            total = event.total or job.total
            done = event.done if event.share is None else event.share * (total or 0)
            # A render that begins to draw has loaded what its note spoke of.
            note = "" if event.share == 0 else job.note
            return replace(job, done=done, total=total, rate=event.rate, eta=event.eta, note=note)
        case Verified():
            return replace(job, note="SHA-256 verified")
        case Noted() | Finished():
            return replace(job, note=event.message)
        case Failed():
            return replace(job, note=told(event.error))


def told(error: HubsyncError) -> str:
    """An error in one sentence, with what to do about it."""
    return f"{error.message} → {error.hint}" if error.hint else error.message
