"""The part of the app that works: downloads, renders and chores, whatever screen is shown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.message import Message

from hubsync.events import Sink
from hubsync.refs import parse_ref
from hubsync.tui.asking import FIRST_FRAME, ask
from hubsync.tui.jobs import Job, JobState, told
from hubsync.tui.messages import (
    ChoreEnded,
    ChoreRequested,
    ComparisonRequested,
    InstallConfirmed,
    InstallEnded,
    JobStopped,
    QueueRead,
    RenderBegun,
    RenderEnded,
    RenderRequested,
)
from hubsync.tui.runner import Runner

if TYPE_CHECKING:
    from hubsync.services.install import InstallResult

_JOBS = "jobs"
_WAITING = "waiting for its turn"
_NAMED = 3  # LoRAs of a render, in the line of its job


class Workshop(Runner):
    """Owns the jobs, and knows what each kind of them does."""

    @on(InstallConfirmed)
    def _install(self, message: InstallConfirmed) -> None:
        plans = message.plans

        def work(job: Job, sink: Sink) -> Message:
            results = self.hubsync.install.run(plans, sink=sink, cancel=job.cancel)
            return InstallEnded(job.number, message.row, worst(results))

        self.start_job(_installing(plans[0].target.stem), work, refs=[str(plan.file.ref) for plan in plans])

    def on_mount(self) -> None:
        """Show what earlier runs left unfinished."""

        def look_back() -> None:
            ask(self, "queue", lambda: QueueRead(self.hubsync.downloads.unfinished()))

        self.set_timer(FIRST_FRAME, look_back)

    @on(QueueRead)
    def _show_queue(self, message: QueueRead) -> None:
        for entry in message.entries:
            if not entry.busy:
                self.jobs.wait(
                    _installing(entry.name), entry.ref, done=entry.done, total=entry.size, note=entry.error or ""
                )

    def pause_or_go_on(self, *jobs: Job) -> None:
        """Pause these downloads, or all; with none running among them, go on with those that are paused."""
        meant = jobs or self.jobs.history
        running = [job for job in meant if job.running and job.ref]
        for job in running:
            self.halt(job, JobState.PAUSED)
        for job in () if running else [job for job in meant if job.state is JobState.PAUSED]:
            self.start_again(job)

    def stop_newest(self) -> None:
        """Stop the newest job; with none running, give up the newest paused download, then clear what ended."""
        if news := [*self.jobs.paused, *self.jobs.running()]:
            self.stop(news[-1])
        else:
            self.jobs.pass_over(*self.jobs.all)

    def stop(self, job: Job) -> None:
        """Stop a running job, or ask whether a paused download is to be given up: hours may be in it."""
        from hubsync.tui.screens.confirm import Confirm
        from hubsync.tui.widgets.activity import paused_at

        if job.running:
            self.halt(job, JobState.CANCELLED)
            return

        def answered(yes: bool | None) -> None:  # noqa: FBT001  (the answer)
            known = self.jobs.get(job.number)
            if yes and known and known.state is JobState.PAUSED:
                self.jobs.end(job.number, JobState.CANCELLED, f"{job.label}: given up")
                self.jobs.pass_over(known)
                self._give_up(job)

        lines = (f"{job.label}: {paused_at(job)}", "What came of it would be removed.")
        self.push_screen(Confirm("Give the download up?", lines, verb="gives it up"), answered)

    def start_again(self, job: Job) -> None:
        """Go on with a paused download, or try again what failed or was stopped: a download goes on where it can."""
        refs = [job.ref, *job.also] if job.ref else []
        self.start_job(job.label, job.work or self._fetching(job.ref), refs=refs, instead=job, unit=job.unit)

    def _fetching(self, ref: str) -> Callable[[Job, Sink], Message]:
        """What a download of an earlier run does."""

        def work(job: Job, sink: Sink) -> Message:
            install = self.hubsync.install
            if entries := [entry for entry in self.hubsync.downloads.unfinished() if entry.ref == ref]:
                results = install.resume(entries, sink=sink, cancel=job.cancel)
            else:
                results = install.run(install.plan([ref]), sink=sink, cancel=job.cancel)
            return InstallEnded(job.number, parse_ref(ref), worst(results))

        return work

    def _give_up(self, job: Job) -> None:
        """What came of a download is removed."""

        def discard() -> None:
            for ref in (job.ref, *job.also):
                self.hubsync.downloads.cancel(ref)

        self.run_worker(discard, group="queue", thread=True, exit_on_error=False)

    @on(RenderRequested)
    def _render_test(self, message: RenderRequested) -> None:
        from hubsync.render.plan import RenderOptions

        names = _few(dict.fromkeys(wish.name for wish in message.wishes))
        label = f"Rendering {names}"
        # The same LoRA may be wanted otherwise meanwhile; the same test twice is a key held down.
        if message.options and (same := [job for job in self.jobs.running() if job.label.startswith(label)]):
            label += f" ({len(same) + 1})"

        def work(job: Job, sink: Sink) -> Message:
            service = self.hubsync.render
            plan = service.plan(message.wishes, message.options or RenderOptions())
            self.post_message(RenderBegun(job.number, plan))
            return RenderEnded(job.number, names, service.run(plan, sink=sink, cancel=job.cancel))

        self.start_job(label, work)

    @on(RenderBegun)
    def _show_waiting(self, message: RenderBegun) -> None:
        from hubsync.tui.live import Live

        self.jobs.watch(message.job, Live.of(message.plan, self.hubsync.now()))

    @on(ChoreRequested)
    def _do_chore(self, message: ChoreRequested) -> None:
        def work(job: Job, sink: Sink) -> Message:
            return ChoreEnded(job.number, message.work(sink, job.cancel), message.reply)

        self.start_job(message.label, work, unit="")

    @on(ChoreEnded)
    def _end_chore(self, message: ChoreEnded) -> None:
        done = message.done
        self.jobs.end(message.job, JobState.DONE if done.well else JobState.FAILED, done.note)
        self.session.library_changed.publish(None)
        if message.reply is not None and done.news is not None:
            message.reply.post_message(done.news)

    @on(JobStopped)
    def _end(self, message: JobStopped) -> None:
        job = self.jobs.get(message.job)
        if message.state is JobState.CANCELLED and job and job.ref:
            if job.ending is JobState.PAUSED:
                self.jobs.end(message.job, JobState.PAUSED, "")
                return
            self._give_up(job)
        self.jobs.end(message.job, message.state, message.note, error=message.error)

    @on(InstallEnded)
    def _installed(self, message: InstallEnded) -> None:
        error = message.result.error
        if error is not None:
            self.jobs.end(message.job, JobState.FAILED, told(error), error=error)
            return
        lora = message.result.installed
        name, place, picture = (lora.name, lora.path, lora.preview) if lora else (message.result.asked, None, None)
        self.jobs.end(message.job, JobState.DONE, f"{name} is installed", place=place, picture=picture)
        self.session.library_changed.publish(message.row)

    @on(RenderEnded)
    def _rendered(self, message: RenderEnded) -> None:
        from hubsync.tui.live import Live

        outcome = message.outcome
        self.jobs.watch(message.job, Live.over(outcome.renders))
        done = f"{message.name} {'are' if ', ' in message.name else 'is'} rendered"
        note = f"{done}: {len(outcome.renders)} pictures in {outcome.seconds:.1f} s (press 4)"
        note += "".join(f"; left out: {told(error)}" for error in outcome.refused.values())
        picture = outcome.sheet or next((render.path for render in outcome.renders), None)
        self.jobs.end(message.job, JobState.DONE, note, place=picture and picture.parent, picture=picture)
        self.session.library_changed.publish(None)
        # Pictures come up by themselves only where they were asked for; anywhere else they would interrupt.
        if self.current_mode in {"library", "renders"} and len(self.screen_stack) == 1:
            self.post_message(ComparisonRequested(outcome.renders, outcome.sheet))


def worst(results: Sequence[InstallResult]) -> InstallResult:
    """What a download of a LoRA and its companions came to: the first that failed, else the LoRA."""
    return next((result for result in results if result.error), results[0])


def _installing(name: str) -> str:
    return f"Installing {name}"


def _few(names: Collection[str]) -> str:
    """Names for a line: the first three, and how many more."""
    first, more = [*names][:_NAMED], len([*names]) - _NAMED
    return ", ".join(first) + (f" and {more} more" if more > 0 else "")
