"""The part of the app that works: downloads and renders in threads of its own, whatever screen is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import App
from textual.message import Message
from textual.signal import Signal
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from hubsync.errors import Cancelled, HubsyncError, Internal
from hubsync.events import Sink
from hubsync.refs import Ref, parse_ref
from hubsync.services.app import Hubsync
from hubsync.tui.asking import ask
from hubsync.tui.jobs import Job, Jobs, JobState, told
from hubsync.tui.messages import (
    ComparisonRequested,
    InstallConfirmed,
    InstallEnded,
    JobAdvanced,
    JobStopped,
    QueueRead,
    Refused,
    RenderEnded,
    RenderRequested,
)
from hubsync.tui.session import Session

if TYPE_CHECKING:
    from hubsync.services.install import InstallResult

_JOBS = "jobs"


class Workshop(App[None]):
    """Owns the jobs. `graphics` is a widget that draws true pictures; without it half-blocks are drawn."""

    def __init__(self, hubsync: Hubsync, *, graphics: type[Widget] | None = None) -> None:
        super().__init__()
        self.hubsync = hubsync
        self.jobs = Jobs(self)
        changed: Signal[Ref | None] = Signal(self, "library changed")
        self.session = Session(hubsync=hubsync, jobs=self.jobs, library_changed=changed, graphics=graphics)

    @on(InstallConfirmed)
    def _install(self, message: InstallConfirmed) -> None:
        plans = message.plans

        def work(job: Job, sink: Sink) -> Message:
            results = self.hubsync.install.run(plans, sink=sink, cancel=job.cancel)
            return InstallEnded(job.number, message.row, worst(results))

        self._start(_installing(plans[0].target.stem), work, ref=str(plans[0].file.ref))

    def on_mount(self) -> None:
        """Show what earlier runs left unfinished."""
        ask(self, "queue", lambda: QueueRead(self.hubsync.downloads.unfinished()))

    @on(QueueRead)
    def _show_queue(self, message: QueueRead) -> None:
        for entry in message.entries:
            if not entry.busy:
                self.jobs.wait(_installing(entry.name), entry.ref, done=entry.done, total=entry.size)

    def pause_or_go_on(self) -> None:
        """Pause every download; with none running, go on with those that are paused."""
        running = [job for job in self.jobs.running() if job.ref]
        for job in running:
            self.jobs.stop(job, ending=JobState.PAUSED)
        for job in () if running else self.jobs.paused:
            self._go_on(job)

    def stop_newest(self) -> None:
        """Stop the newest job; with none running, give up the newest paused download, then forget what ended."""
        running, paused = self.jobs.running(), self.jobs.paused
        if running:
            self.jobs.stop(running[-1], ending=JobState.CANCELLED)
        elif paused:
            self.jobs.forget(paused[-1])
            self._give_up(paused[-1])
        else:
            self.jobs.forget(*self.jobs.all)

    def _go_on(self, paused: Job) -> None:
        def work(job: Job, sink: Sink) -> Message:
            entries = self.hubsync.downloads.find([job.ref])
            results = self.hubsync.install.resume(entries, sink=sink, cancel=job.cancel)
            return InstallEnded(job.number, parse_ref(job.ref), worst(results))

        self._start(paused.label, work, ref=paused.ref)

    def _give_up(self, job: Job) -> None:
        """What came of a download is removed."""
        self.run_worker(
            partial(self.hubsync.downloads.cancel, job.ref), group="queue", thread=True, exit_on_error=False
        )

    @on(RenderRequested)
    def _render_test(self, message: RenderRequested) -> None:
        from hubsync.render.plan import RenderOptions

        names = ", ".join(wish.name for wish in message.wishes)

        def work(job: Job, sink: Sink) -> Message:
            service = self.hubsync.render
            plan = service.plan(message.wishes, message.options or RenderOptions())
            return RenderEnded(job.number, names, service.run(plan, sink=sink, cancel=job.cancel))

        self._start(f"Rendering {names}", work)

    def _start(self, label: str, work: Callable[[Job, Sink], Message], *, ref: str = "") -> None:
        """Begin a job in a thread of the app's: a screen that goes away does not end it. A download has a `ref`."""
        if self.jobs.running(label):
            return
        job = self.jobs.start(label, counts_bytes=bool(ref), ref=ref)

        def run() -> None:
            try:
                end = work(job, lambda event: self.post_message(JobAdvanced(job.number, event)))
            except Cancelled:
                end = JobStopped(job.number, JobState.CANCELLED, f"{label}: stopped")
            except HubsyncError as error:
                end = JobStopped(job.number, JobState.FAILED, f"{label}: {told(error)}")
            self.post_message(end)

        self.run_worker(run, name=str(job.number), group=_JOBS, thread=True, exit_on_error=False)

    @on(JobAdvanced)
    def _hear(self, message: JobAdvanced) -> None:
        self.jobs.hear(message.job, message.event)

    @on(JobStopped)
    def _end(self, message: JobStopped) -> None:
        job = self.jobs.get(message.job)
        if message.state is JobState.CANCELLED and job and job.ref:
            if job.ending is JobState.PAUSED:
                self.jobs.end(message.job, JobState.PAUSED, "")
                return
            self._give_up(job)
        self.jobs.end(message.job, message.state, message.note)

    @on(InstallEnded)
    def _installed(self, message: InstallEnded) -> None:
        error = message.result.error
        if error is not None:
            self.jobs.end(message.job, JobState.FAILED, told(error))
            return
        name = message.result.installed.name if message.result.installed else message.result.asked
        self.jobs.end(message.job, JobState.DONE, f"{name} is installed")
        self.session.library_changed.publish(message.row)

    @on(RenderEnded)
    def _rendered(self, message: RenderEnded) -> None:
        outcome = message.outcome
        note = f"{message.name} is rendered: {len(outcome.renders)} pictures in {outcome.seconds:.1f} s (press 3)"
        self.jobs.end(message.job, JobState.DONE, note)
        self.session.library_changed.publish(None)
        # Pictures come up by themselves only where they were asked for; anywhere else they would interrupt.
        if self.current_mode == "library" and len(self.screen_stack) == 1:
            self.post_message(ComparisonRequested(outcome.renders, outcome.sheet))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The border where an error nobody foresaw becomes something the user can report."""
        if event.state is not WorkerState.ERROR:
            return
        failure = event.worker.error
        error = Internal(f"{type(failure).__name__}: {failure}", hint="please report this as a bug")
        self.log.error(error.message)
        if event.worker.group == _JOBS:
            self.jobs.end(int(event.worker.name), JobState.FAILED, told(error))
        else:
            self.screen.post_message(Refused(event.worker.name, error))


def worst(results: Sequence[InstallResult]) -> InstallResult:
    """What a download of a LoRA and its companions came to: the first that failed, else the LoRA."""
    return next((result for result in results if result.error), results[0])


def _installing(name: str) -> str:
    return f"Installing {name}"
