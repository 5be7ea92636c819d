"""The jobs under way, one line each, at the foot of every screen; gone when there are none."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from hubsync.tui.jobs import Job, Jobs, JobState
from hubsync.tui.text import size, words

_SHOWN = 3  # lines: a batch must not push the lists off a small terminal
_BAR = 16
_MARKS = {
    JobState.DONE: ("✓", "$text-success"),
    JobState.FAILED: ("✗", "$text-error"),
    JobState.CANCELLED: ("–", "$foreground-muted"),  # noqa: RUF001  (a dash is meant)
}


class Activity(Static):
    """Watches the jobs."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self._jobs = jobs

    def on_mount(self) -> None:
        """Show what runs already, and follow."""
        self._show(self._jobs.all)
        self._jobs.changed.subscribe(self, self._show)

    def _show(self, jobs: Sequence[Job]) -> None:
        self.display = bool(jobs)
        shown = [job for job in jobs if job.running] or jobs
        hidden = len(shown) - _SHOWN
        lines = [job_line(job) for job in shown[-_SHOWN:]]
        if hidden > 0:
            lines.insert(0, Content.styled(f"and {hidden} more", "$foreground-muted"))
        self.update(Content("\n").join(lines))


def job_line(job: Job) -> Content:
    """One job in one line, longer only for an error."""
    if job.state is JobState.PAUSED:
        where = f"paused at {job.done / job.total:.0%} of {size(job.total)}" if job.total else "paused"
        return Content("  ").join([words(job.label), _hint(where), _hint("z resumes · x drops it")])
    if not job.running:
        mark, style = _MARKS[job.state]
        return Content.styled(f"{mark} ", style) + words(job.note or job.label, style) + _hint("  x clears")
    parts = [words(job.label), bar(job), words(progress(job), "$foreground-muted")]
    if job.note:
        parts.append(words(job.note, "$foreground-muted"))
    hint = "z pauses · x stops it" if job.ref else "x stops it"
    return Content("  ").join([*(part for part in parts if part), _hint(hint)])


def _hint(text: str) -> Content:
    return Content.styled(text, "$foreground-muted")


def bar(job: Job, *, width: int = _BAR) -> Content:
    """How far a job is, as a bar of so many cells; nothing while its length is unknown."""
    if not job.total:
        return Content()
    filled = min(width, int(width * job.done / job.total))
    return Content.styled("━" * filled, "$primary") + Content.styled("─" * (width - filled), "$foreground-disabled")


def progress(job: Job) -> str:
    """How far a job is, in numbers."""
    if job.counts_bytes:
        done = f"{size(job.done)} of {size(job.total)}" if job.total else size(job.done) if job.done else "starting"
        return f"{done}, {pace(job.rate, job.eta)}" if job.running and job.rate else done
    if not job.total or not job.done:
        return "getting ready"
    done = f"{int(job.done)} of {job.total:g} {job.unit}" if job.unit else f"{job.done / job.total:.0%}"
    return f"{done}{left(job.eta)}"


def pace(rate: float, eta: float | None) -> str:
    """How fast, and how long that takes: `12 MB/s, 1:05 left`."""
    return f"{size(rate)}/s{left(eta)}"


def left(eta: float | None) -> str:
    """Seconds to go, after a comma; nothing where nobody can tell."""
    return "" if eta is None else f", {int(eta) // 60}:{int(eta) % 60:02} left"
