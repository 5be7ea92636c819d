"""Jobs in threads of the app's own: begun, waiting for their turn, stopped, over, remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from textual import on
from textual.app import App
from textual.message import Message
from textual.signal import Signal
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from hubsync.errors import Cancelled, HubsyncError, Internal
from hubsync.events import Event, Noted, Sink
from hubsync.refs import Ref
from hubsync.services.app import Hubsync
from hubsync.tui.answers import Refused
from hubsync.tui.jobs import Job, Jobs, JobState, told
from hubsync.tui.messages import JobAdvanced, JobStopped
from hubsync.tui.session import Session

_JOBS = "jobs"
_WAITING = "waiting for its turn"


class Runner(App[None]):
    """Owns the jobs. `graphics` is a widget that draws true pictures; without it half-blocks are drawn."""

    def __init__(self, hubsync: Hubsync, *, graphics: type[Widget] | None = None) -> None:
        super().__init__()
        self.hubsync = hubsync
        self.jobs = Jobs(self, now=hubsync.now, ended=self._remember)
        changed: Signal[Ref | None] = Signal(self, "library changed")
        self.session = Session(hubsync=hubsync, jobs=self.jobs, library_changed=changed, graphics=graphics)
        self.downloading = ThreadPoolExecutor(hubsync.settings.install.jobs, "download")
        self._turns: dict[int, Future[None]] = {}

    def on_unmount(self) -> None:
        """However the app ends, so do its jobs: a page that is closed in a browser presses no key."""
        self.jobs.cancel_all()

    def halt(self, job: Job, ending: JobState) -> None:
        """Ask a running job to stop; it stands as `ending` then."""
        self.jobs.stop(job, ending=ending)
        if turn := self._turns.get(job.number):
            turn.cancel()  # of no effect once it has begun

    def start_job(
        self,
        label: str,
        work: Callable[[Job, Sink], Message],
        *,
        refs: Sequence[str] = (),
        instead: Job | None = None,
        unit: str = "pictures",
    ) -> None:
        """Begin a job in a thread of the app's: a screen that goes away does not end it.

        Downloads have `refs`; `install.jobs` of them are under way at once, the others wait without a thread.
        """
        if self.jobs.running(label):
            return
        job = self.jobs.start(label, counts_bytes=bool(refs), refs=refs, work=work, instead=instead, unit=unit)

        def tell(event: Event) -> None:
            self.post_message(JobAdvanced(job.number, event))

        def run() -> None:
            try:
                end = work(job, tell)
            except Cancelled:
                end = JobStopped(job.number, JobState.CANCELLED, f"{label}: stopped")
            except HubsyncError as error:
                end = JobStopped(job.number, JobState.FAILED, f"{label}: {told(error)}", error)
            self.post_message(end)

        if not refs:
            self.run_worker(run, name=str(job.number), group=_JOBS, thread=True, exit_on_error=False)
            return
        self.jobs.hear(job.number, Noted(key=job.ref, message=_WAITING))

        def in_turn() -> None:
            tell(Noted(key=job.ref, message=""))
            run()

        self.run_worker(self._in_turn(job, in_turn), name=str(job.number), group=_JOBS, exit_on_error=False)

    async def _in_turn(self, job: Job, run: Callable[[], None]) -> None:
        turn = self._turns[job.number] = self.downloading.submit(run)
        try:
            await asyncio.wrap_future(turn)
        except asyncio.CancelledError:
            if not turn.cancelled():
                raise
            self.post_message(JobStopped(job.number, JobState.CANCELLED, f"{job.label}: stopped"))
        finally:
            del self._turns[job.number]

    @on(JobAdvanced)
    def _hear(self, message: JobAdvanced) -> None:
        self.jobs.hear(message.job, message.event)

    def forget_jobs(self) -> None:
        """Forget whatever has ended, in earlier runs too."""
        self.jobs.clear()
        self._write(self.hubsync.jobs.clear)

    def _remember(self, job: Job) -> None:
        def keep() -> None:
            from hubsync.tui.past import to_remember

            self.hubsync.jobs.keep(to_remember(job))

        self._write(keep)

    def _write(self, what: Callable[[], None]) -> None:
        def write() -> None:
            try:
                what()
            except HubsyncError as error:
                self.screen.post_message(Refused("jobs", error))

        self.run_worker(write, group="past", thread=True, exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The border where an error nobody foresaw becomes something the user can report."""
        if event.state is not WorkerState.ERROR:
            return
        failure = event.worker.error
        error = Internal(f"{type(failure).__name__}: {failure}", hint="please report this as a bug")
        self.log.error(error.message)
        if event.worker.group == _JOBS:
            self.jobs.end(int(event.worker.name), JobState.FAILED, told(error), error=error)
        else:
            self.screen.post_message(Refused(event.worker.name, error))
