"""Downloads and renders under way: their state, owned by the app, shown by every screen."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from textual.dom import DOMNode
from textual.message import Message
from textual.signal import Signal

from hubsync.errors import HubsyncError
from hubsync.events import Advanced, Drawing, Event, Failed, Finished, Noted, Pictured, Sink, Started, Verified
from hubsync.tui.advice import advice

if TYPE_CHECKING:
    from hubsync.tui.live import Live

_KEPT = 200
"""Jobs that ended and are remembered."""


class JobState(StrEnum):
    """How a job stands."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job, `number` in this session, `key` for ever.

    `done` and `total` are bytes, or pictures and parts of one; `note` is the last thing it said.

    A download has a `ref`, by which the queue knows it: it can be paused, and outlives the program; `also` are those of
    the files it brings along. `rate` is bytes a second, `eta` seconds. `ending` is how it stands once it has stopped.
    `work` does it, and does it again; a download of an earlier run has none. `place` is what came of it, `picture`
    shows that.
    """

    number: int
    key: str = field(default_factory=lambda: os.urandom(8).hex())
    label: str
    counts_bytes: bool
    ref: str = ""
    also: tuple[str, ...] = ()
    state: JobState = JobState.RUNNING
    done: float = 0
    total: float | None = None
    note: str = ""
    rate: float | None = None
    eta: float | None = None
    ending: JobState = JobState.CANCELLED
    cancel: threading.Event = field(default_factory=threading.Event)
    work: Callable[[Job, Sink], Message] | None = None
    begun: datetime | None = None
    ended: datetime | None = None
    error: HubsyncError | None = None
    place: Path | None = None
    picture: Path | None = None
    unit: str = "pictures"
    """What it counts, if not bytes; of one that counts this and that (empty) the share is told."""
    test: Live | None = None
    """Of a render: its pictures, from the moment that it is known which they are."""

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return self.state is JobState.RUNNING

    @property
    def over(self) -> bool:
        """Whether it has ended, well or badly."""
        return self.state not in {JobState.RUNNING, JobState.PAUSED}

    @property
    def again(self) -> bool:
        """Whether it can be tried again."""
        return self.state in {JobState.FAILED, JobState.CANCELLED} and bool(self.work or self.ref)


class Jobs:
    """All jobs, stamped by `now`; `changed` tells the screens, `ended` is told of each that is over."""

    def __init__(self, owner: DOMNode, *, now: Callable[[], datetime], ended: Callable[[Job], None]) -> None:
        self.changed: Signal[Sequence[Job]] = Signal(owner, "jobs changed")
        self._now = now
        self._ended = ended
        self._table: dict[int, Job] = {}
        self._past: set[int] = set()
        self._begun = 0

    @property
    def all(self) -> Sequence[Job]:
        """Those that are news: all since the last one began. Oldest first."""
        return tuple(job for job in self._table.values() if job.number not in self._past)

    @property
    def history(self) -> Sequence[Job]:
        """Every job that is remembered, oldest first."""
        return tuple(self._table.values())

    def get(self, number: int) -> Job | None:
        """The job of that number."""
        return self._table.get(number)

    def running(self, label: str = "") -> Sequence[Job]:
        """The jobs that still work, or the one of that label."""
        return tuple(job for job in self.history if job.running and label in {"", job.label})

    @property
    def paused(self) -> Sequence[Job]:
        """Downloads that wait to be gone on with."""
        return tuple(job for job in self.history if job.state is JobState.PAUSED)

    def start(
        self,
        label: str,
        *,
        counts_bytes: bool,
        refs: Sequence[str] = (),
        work: Callable[[Job, Sink], Message] | None = None,
        instead: Job | None = None,
        unit: str = "pictures",
    ) -> Job:
        """A new job, or one begun again `instead` of itself; what ended before is no news any more.

        `refs` are those of a download, which takes the place of paused ones of the same files.
        """
        same = [known.number for known in self.paused if known.ref in refs]
        for number in (*same, *([instead.number] if instead else ())):
            self._table.pop(number, None)
        self._past = {known.number for known in self.history if known.over}
        number = instead.number if instead else self._next()
        ref, *also = refs or ("",)
        job = Job(number=number, label=label, counts_bytes=counts_bytes, ref=ref, also=tuple(also), work=work)
        job = replace(job, key=instead.key if instead else job.key, begun=self._now(), unit=unit)
        self._put(job)
        return job

    def wait(self, label: str, ref: str, *, done: int, total: int | None, note: str = "") -> None:
        """A download of an earlier run that is not done; `note` says what went wrong."""
        job = Job(number=self._next(), label=label, counts_bytes=True, ref=ref, state=JobState.PAUSED, note=note)
        self._put(replace(job, done=done, total=total))

    def recall(self, jobs: Iterable[Job]) -> None:
        """Jobs of earlier runs that ended, oldest first: they are no news, and stand before all others."""
        known = {job.key for job in self.history}
        numbered = [replace(job, number=self._next()) for job in jobs if job.key not in known]
        before = {job.number: job for job in numbered}
        self._past.update(before)
        self._table = {**before, **self._table}
        self._publish()

    def watch(self, number: int, test: Live) -> None:
        """How the pictures of a render stand."""
        if job := self._table.get(number):
            self._put(replace(job, test=test))

    def hear(self, number: int, event: Event) -> None:
        """Take in what a job says."""
        job = self._table.get(number)
        if job and job.running:
            self._put(_told(job, event))

    def end(
        self,
        number: int,
        state: JobState,
        note: str,
        *,
        error: HubsyncError | None = None,
        place: Path | None = None,
        picture: Path | None = None,
    ) -> None:
        """A job is over, or paused."""
        if job := self._table.get(number):
            ended = None if state is JobState.PAUSED else self._now()
            job = replace(job, state=state, note=note, ended=ended, error=error, place=place, picture=picture)
            self._put(replace(job, rate=None, eta=None))
            if job.over:
                self._ended(job)

    def pass_over(self, *jobs: Job) -> None:
        """These are no news any more."""
        self._past.update(job.number for job in jobs)
        self._publish()

    def clear(self) -> None:
        """Forget whatever has ended."""
        self._table = {number: job for number, job in self._table.items() if not job.over}
        self._publish()

    def stop(self, job: Job, *, ending: JobState) -> None:
        """Ask a running job to stop; `ending` is how it stands then."""
        self._put(replace(job, note="pausing" if ending is JobState.PAUSED else "stopping", ending=ending))
        job.cancel.set()

    def cancel_all(self) -> None:
        """Ask every job to stop: the app closes."""
        for job in self.running():
            job.cancel.set()

    def _next(self) -> int:
        self._begun += 1
        return self._begun

    def _put(self, job: Job) -> None:
        self._table[job.number] = job
        for old in [known.number for known in self.history if known.over][:-_KEPT]:
            del self._table[old]
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
        case Drawing():
            return replace(job, test=job.test and job.test.draws(event.rows))
        case Pictured():
            return replace(job, test=job.test and job.test.with_picture(event.row, event.path))
        case Verified():
            return replace(job, note="SHA-256 verified")
        case Noted() | Finished():
            return replace(job, note=event.message)
        case Failed():
            return replace(job, note=told(event.error))


def told(error: HubsyncError) -> str:
    """An error in one sentence, with what to do about it here."""
    return f"{error.message} → {advice(error.hint)}" if error.hint else error.message
