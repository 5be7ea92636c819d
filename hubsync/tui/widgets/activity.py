"""The jobs under way, one line each, at the foot of every screen; gone when there are none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content
from textual.widgets import Static

from hubsync.tui.jobs import Job, Jobs, JobState
from hubsync.tui.text import size, words

_SHOWN = 3  # lines: a batch must not push the lists off a small terminal
_BAR = 10  # cells: with it a name of 20 and all numbers of a download fit into 80 columns
_NAME = 20  # cells a name has before what its job says last
_MARGIN = 4  # cells beside the lines
_ROOMY = 100  # cells that hold a line and the keys
_MUTED = "$foreground-muted"
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

    def on_resize(self) -> None:
        """Cut the lines for the new width."""
        self._show(self._jobs.all)

    def _show(self, jobs: Sequence[Job]) -> None:
        self.display = bool(jobs)
        if jobs:
            self.update(strip(jobs, self.app.size.width - _MARGIN))


def strip(jobs: Sequence[Job], width: int) -> Content:
    """The newest jobs, those that run if any does, with the keys for them: beside the last one where there is room."""
    shown = [job for job in jobs if job.running] or jobs
    hidden = len(shown) - _SHOWN
    keys = Content.styled(" · ".join([*([f"and {hidden} more"] if hidden > 0 else []), *_keys(jobs)]), _MUTED)
    *first, last = shown[-_SHOWN:]
    lines = [job_line(job, width) for job in first]
    if last.over:
        return Content("\n").join([*lines, job_line(last, width) + "  " + keys])
    if width < _ROOMY:
        return Content("\n").join([*lines, job_line(last, width), keys])
    line = job_line(last, width - keys.cell_length - 2)
    return Content("\n").join([*lines, line.pad_right(width - keys.cell_length - line.cell_length) + keys])


def job_line(job: Job, width: int) -> Content:
    """One job in one line of so many cells, its name cut where it must be; longer only once it is over."""
    if job.over:
        mark, style = _MARKS[job.state]
        return Content.styled(f"{mark} ", style) + words(job.note or job.label, style)
    told = paused_at(job) if job.state is JobState.PAUSED else progress(job)
    rest = Content("  ").join(part for part in (bar(job) if job.running else Content(), _hint(told)) if part)
    note = _hint(job.note) if job.note and job.running else Content()
    room = max(0, width - rest.cell_length - 2)
    name = _named(job.label, min(room, max(_NAME, room - note.cell_length - 2)))
    room -= name.cell_length + 2
    parts = (name, rest, note.truncate(room, ellipsis=True) if room > 1 else Content())
    return Content("  ").join(part for part in parts if part)


def _named(label: str, room: int) -> Content:
    """What a job is about; where it would be cut, without the verb, which a bar says as well."""
    whole = words(label)
    return whole if whole.cell_length <= room else words(label.partition(" ")[2] or label).truncate(room, ellipsis=True)


def _keys(jobs: Sequence[Job]) -> Iterator[str]:
    """What `z` and `x` do: for all downloads, and for the newest job."""
    running, paused = [job for job in jobs if job.running], [job for job in jobs if job.state is JobState.PAUSED]
    if any(job.ref for job in running):
        yield "z pauses"
    elif paused:
        yield "z goes on"
    alive = running or paused
    it = "it" if len(alive) == 1 else "the newest"
    yield f"x stops {it}" if running else f"x gives {it} up" if paused else "x clears"


def _hint(text: str) -> Content:
    return words(text, _MUTED)


def paused_at(job: Job) -> str:
    """How far a download came."""
    return f"paused at {job.done / job.total:.0%} of {size(job.total)}" if job.total else "paused"


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
