"""Renders: every picture drawn so far by test, newest first; one of them opens the whole test it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from hubsync.domain import Render, RenderKind
from hubsync.refs import Ref
from hubsync.services.history import Drawn
from hubsync.tui.asking import ask
from hubsync.tui.describe import difference, finding, kind, moment, render_facts, render_name, title
from hubsync.tui.jobs import Job, JobState
from hubsync.tui.live import DRAWN, Live
from hubsync.tui.messages import ComparisonRequested
from hubsync.tui.screens.browse import Browse
from hubsync.tui.screens.pictured import Pictured
from hubsync.tui.session import Session
from hubsync.tui.text import number, words
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.facts import Fact
from hubsync.tui.widgets.rows import PAGE, RowList

_KINDS = {RenderKind.BASE: "base", RenderKind.LORA: "LoRA", RenderKind.TRIGGERED: "+ words"}
_FIRST_STEP = (
    "Nothing is rendered yet.\n\n"
    "Press n and choose a LoRA: the same prompt and seed are drawn without it, with it, and with its trigger words.\n\n"
    'Rendering needs torch and diffusers (pip install "hubsync[render]") and a checkpoint: f2 says what is there, 6 '
    "leads to the settings."
)


@dataclass
class HistoryRead(Message, bubble=False):
    """The pictures so far, newest first, from `offset` on, that fit `text`; `total` is how many do."""

    text: str
    offset: int
    renders: Sequence[Drawn]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A picture in the list; `first` of its test.

    One of a test that is being drawn has a `place`, the number of the job and its own in the test, and a `state`.
    """

    drawn: Drawn
    first: bool
    place: tuple[int, int] | None = None
    state: str = ""

    @property
    def render(self) -> Render:
        """The picture itself."""
        return self.drawn.render

    @property
    def name(self) -> str:
        """The LoRA it shows; a base, with which a test begins, has the prompt instead."""
        if self.drawn.subject is None:
            return f"“{self.render.prompt}”"
        several = len(self.drawn.tested)
        return f"{several} together: {self.drawn.subject.name}" if several > 1 else self.drawn.subject.name

    @property
    def verdict(self) -> str:
        """How it stands, or what the test says of it: a sign, and what that means."""
        return self.state or finding(self.drawn.verdict)

    @property
    def weight(self) -> str:
        """The LoRA's weight; several have theirs in the name."""
        return number(self.drawn.weight)


class Renders(Pictured, Browse[Row]):
    """The pictures of all tests."""

    MODE = "renders"
    PROMPT = "part of a LoRA's name or of a prompt"
    TITLES = ("Filter", "Pictures", "Picture")
    AUTO_FOCUS = "#list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "compare", "Compare", id="renders.compare", tooltip="See the whole test side by side"),
        Binding("n", "plan", "New test", id="renders.new", tooltip="Choose LoRAs, weights, seeds and prompt"),
        Binding("delete", "remove", "Remove", show=False, id="renders.remove", tooltip="Move the test to the trash"),
    ]

    def columns(self) -> Sequence[Column[Row]]:
        """Where a test begins and when, LoRA and weight, kind of picture, effects, verdict."""
        return (
            Column(text=lambda row: "┌" if row.first else "│", width=1),
            Column(text=lambda row: moment(row.render)[5:] if row.first else "", title="Drawn", width=11, needs=96),
            Column(text=lambda row: row.name, title="LoRA", strong=True),
            Column(text=lambda row: row.weight, title="At", width=5, right=True),
            Column(text=lambda row: _KINDS[row.render.kind], title="Picture", width=7),
            Column(text=lambda row: difference(row.render.effect), title="Effect", width=6, right=True),
            Column(
                text=lambda row: difference(row.render.trigger_effect), title="Words", width=6, right=True, needs=60
            ),
            Column(text=lambda row: row.verdict[:1], width=1),
            Column(text=lambda row: row.verdict[2:], title="Verdict", width=11, needs=54),
        )

    def key(self, row: Row) -> object:
        """A render is its picture, wherever that lies while it is drawn."""
        return row.place or row.render.path

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._asked = 0
        self._total = 0
        self._read: list[Row] = []
        self._newest: object = None
        self._shown = ""
        self._live: dict[int, Live] = {}

    def on_mount(self) -> None:
        """Follow what is drawn, and what is changed, meanwhile."""
        self.session.library_changed.subscribe(self, self._changed)
        self.session.jobs.changed.subscribe(self, self._follow)

    def on_screen_resume(self) -> None:
        """Read again whenever the screen comes up."""
        self._changed(None)

    @property
    def pictured(self) -> Drawn | None:
        """The highlighted picture, once its test is drawn."""
        row = self.listing.row if self.is_mounted else None
        return row.drawn if row and row.place is None else None

    def look_for(self, text: str) -> None:
        """Read the first page of what fits."""
        self._ask(text, 0)

    def describe(self, row: Row) -> None:
        """Everything is in the row."""
        self.detail.show(_live_facts(row) if row.place else render_facts(row.render, row.drawn.verdict))
        self.refresh_bindings()

    def settle(self, row: Row) -> None:
        """Show the picture, if it is there."""
        if row.state in {"", DRAWN}:
            self.detail.picture.show(str(row.render.path), lambda: row.render.path)
        else:
            self.detail.picture.hide()

    def open(self, row: Row) -> None:
        """See the test this picture belongs to, also while it is drawn."""
        if row.place:
            self._watch(row.place[0], row.render)
            return

        def question() -> ComparisonRequested:
            test = self.hubsync.render.test(row.render)
            return ComparisonRequested([one.render for one in test], at=row.render)

        ask(self, "test", question)

    def action_compare(self) -> None:
        """The same, by a key that the footer can name."""
        self.listing.action_choose()

    def action_plan(self) -> None:
        """Plan a new test, from what was typed last."""
        from hubsync.tui.screens.trial import TrialScreen

        self.app.push_screen(TrialScreen(self.session))

    def action_remove(self) -> None:
        """Move the whole test to the trash, once confirmed."""
        self.plan_removal(whole=True)

    def _watch(self, job: int, at: Render) -> None:
        from hubsync.tui.screens.comparison import ComparisonScreen

        if (live := self._live.get(job)) is not None:
            renders = [one.render for one in live.pictures]
            self.app.push_screen(ComparisonScreen(self.session, renders, at=at, job=job))

    @property
    def _text(self) -> str:
        return self.box.value.strip()

    def _changed(self, _: Ref | None) -> None:
        self._ask(self._text, 0, limit=max(PAGE, len(self._read)))

    @on(RowList.NearEnd)
    def _more(self) -> None:
        if self._asked < len(self._read) < self._total:
            self._ask(self._text, len(self._read))

    def _ask(self, text: str, offset: int, *, limit: int = PAGE) -> None:
        self._asked = offset

        def question() -> HistoryRead:
            found = self.hubsync.render.page(text, limit=limit, offset=offset)
            return HistoryRead(text, offset, found.pictures, found.total)

        ask(self, "history", question)

    @on(HistoryRead)
    def _show_history(self, message: HistoryRead) -> None:
        if message.text != self._text or message.offset not in {0, len(self._read)}:
            return
        self._total = message.total
        self.listing.border_subtitle = f"{message.total} drawn" if message.total else ""
        self.say(Content())
        rows = _rows(message.renders, self._read[-1].drawn if message.offset else None)
        if message.offset:
            self._read += rows
            self.listing.append(rows)
            return
        self._read = [*rows]
        ended = self._live.keys() - {job.number for job in self.session.jobs.running()}
        for job in ended:
            del self._live[job]
        self._show(to_newest=not ended)

    def _show(self, *, to_newest: bool) -> None:
        """Tests that are being drawn stand above the others; a row that went away leaves the highlight in its place."""
        at, key = self.listing.highlighted, self.listing.row and self.key(self.listing.row)
        tests = {} if self._text else self._live
        drawing = [row for job in reversed(tests) for row in _live_rows(job, tests[job])]
        nothing = f"No picture fits “{self._text}”." if self._text else _FIRST_STEP
        self.listing.show([*drawing, *self._read], placeholder=nothing)
        newest = self._read[0].drawn.test if self._read else None
        if self._text != self._shown or (to_newest and not self._text and newest != self._newest):
            self.listing.action_first()
        elif self.listing.row and self.key(self.listing.row) != key:
            self.listing.highlighted = at
        self._newest = self._newest if self._text else newest
        self._shown = self._text
        self.refresh_bindings()

    def _follow(self, jobs: Sequence[Job]) -> None:
        """Show what is drawn as it comes. A test that is done stays until the list has read it."""
        live = {
            job.number: job.test
            for job in jobs
            if job.test and (job.running or (job.state is JobState.DONE and job.number in self._live))
        }
        if live == self._live:
            return
        begun = live.keys() - self._live.keys()
        self._live = live
        self._show(to_newest=False)
        if begun and not self._text:
            self.listing.action_first()


def _live_rows(job: int, live: Live) -> Iterator[Row]:
    for index, one in enumerate(live.pictures):
        yield Row(drawn=one, first=index == 0, place=(job, index), state=live.state(one.render) or DRAWN)


def _live_facts(row: Row) -> list[Fact]:
    """What is known of a picture that is being drawn."""
    render = row.render
    texts = (("Prompt", render.prompt), ("Words", ", ".join(render.trigger_words)), ("Seed", str(render.seed)))
    return [
        *title(render_name(render), (kind(render), row.state)),
        *(Fact(label=label, value=words(text)) for label, text in texts if text),
    ]


def _rows(pictures: Sequence[Drawn], before: Drawn | None) -> Sequence[Row]:
    """The rows of a page that comes after `before`."""
    tests = [before.test if before else None, *(one.test for one in pictures)]
    return [Row(drawn=one, first=one.test != tests[index]) for index, one in enumerate(pictures)]
