"""How a job stands, in words, numbers and facts; and in which order jobs are listed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from textual.content import Content

from hubsync.tui.describe import BLANK, problem, title
from hubsync.tui.jobs import Job, JobState
from hubsync.tui.text import home, size, words
from hubsync.tui.widgets.activity import bar, progress
from hubsync.tui.widgets.facts import Fact

_SIGNS = {
    JobState.RUNNING: "▶",
    JobState.PAUSED: "‖",
    JobState.DONE: "✓",
    JobState.FAILED: "✗",
    JobState.CANCELLED: "–",  # noqa: RUF001  (a dash is meant)
}
_WAITING = "… waiting"
_BAR = 10  # cells
_ORDER = {JobState.RUNNING: 0, JobState.PAUSED: 1}


def standing(job: Job, running: Sequence[Job]) -> str:
    """A sign and a word. Renders take turns: one waits while another draws, or else began before it."""
    if job.state is JobState.RUNNING and draws(job) and not job.done:
        drawing = sorted((one for one in running if draws(one)), key=lambda one: not one.done)
        if drawing and drawing[0].number != job.number:
            return _WAITING
    word = "stopped" if job.state is JobState.CANCELLED else job.state.value
    return f"{_SIGNS[job.state]} {word}"


def draws(job: Job) -> bool:
    """Whether a job wants the renderer."""
    return not job.counts_bytes and job.unit == "pictures"


def ordered(jobs: Sequence[Job]) -> Sequence[Job]:
    """What runs in its order, then what is paused, then what ended, the newest first."""
    alive = sorted((job for job in jobs if not job.over), key=lambda job: _ORDER[job.state])
    return [*alive, *reversed([job for job in jobs if job.over])]


def matches(job: Job, state: str, text: str) -> bool:
    """Whether a typed text is part of what a line says."""
    return text.casefold() in f"{state} {job.label} {job.note}".casefold()


def bar_of(job: Job) -> str:
    """How far it is, as a bar, while it is not done."""
    return "" if job.state is JobState.DONE else bar(job, width=_BAR).plain


def percent(job: Job) -> str:
    """How far it is, in percent, while it is not done."""
    return "" if not job.total or job.state is JobState.DONE else f"{min(1.0, job.done / job.total):.0%}"


def pace_of(job: Job) -> str:
    """How fast bytes come."""
    return f"{size(job.rate)}/s" if job.running and job.rate else ""


def time_left(job: Job) -> str:
    """Minutes and seconds to go."""
    return f"{int(job.eta) // 60}:{int(job.eta) % 60:02}" if job.running and job.eta is not None else ""


def job_facts(job: Job, state: str) -> list[Fact]:
    """A job: how it stands and what went wrong first."""
    return [*title(job.label, (state,)), *_trouble(job), *(Fact(label=label, value=text) for label, text in _told(job))]


def _trouble(job: Job) -> list[Fact]:
    if job.error is not None:
        return [*problem(job.error), BLANK]
    if job.note and not job.running:
        return [Fact(value=words(job.note)), BLANK]
    return []


def _told(job: Job) -> Iterator[tuple[str, Content]]:
    if job.total or job.running:
        yield "Done", Content(" ").join(part for part in (bar(job), words(progress(job))) if part)
    if job.note and job.running:
        yield "At", words(job.note)
    if job.ref:
        yield "From", words("\n".join((job.ref, *job.also)))
    if job.place:
        yield "To", words(home(job.place))
    if job.begun:
        yield "Begun", words(f"{job.begun.astimezone():%Y-%m-%d} {clock(job.begun)}")
    if job.begun and job.ended:
        yield "Ended", words(f"{clock(job.ended)}, after {(job.ended - job.begun).total_seconds():.0f} s")
    if not job.over:
        yield "Keys", words(_keys(job))
    elif job.again:
        yield "Keys", words("R tries it again" + (", from where it stopped" if _goes_on(job) else ""))


def _keys(job: Job) -> str:
    if job.state is JobState.PAUSED:
        return "space goes on with it · x gives it up and removes what came of it"
    return "space pauses it · x stops it" if job.ref else "x stops it"


def _goes_on(job: Job) -> bool:
    return job.state is JobState.FAILED and bool(job.ref)


def clock(moment: datetime) -> str:
    """The time of day here."""
    return f"{moment.astimezone():%H:%M:%S}"
