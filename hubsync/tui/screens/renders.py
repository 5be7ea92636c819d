"""Renders: every picture drawn so far by test, newest first; one of them opens the whole test it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content

from hubsync.domain import Render, RenderKind
from hubsync.refs import Ref
from hubsync.services.history import Drawn
from hubsync.tui.answers import HistoryRead
from hubsync.tui.asking import ask
from hubsync.tui.describe import finding, moment, percent, render_facts
from hubsync.tui.messages import ComparisonRequested
from hubsync.tui.screens.browse import Browse
from hubsync.tui.screens.pictured import Pictured
from hubsync.tui.session import Session
from hubsync.tui.text import number
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.rows import RowList

_PAGE = 100
_KINDS = {RenderKind.BASE: "base", RenderKind.LORA: "LoRA", RenderKind.TRIGGERED: "+ words"}
_FIRST_STEP = (
    "Nothing is rendered yet.\n\n"
    "Press n and choose a LoRA: the same prompt and seed are drawn without it, with it, and with its trigger words.\n\n"
    'Rendering needs torch and diffusers (pip install "hubsync[render]") and a checkpoint: f2 says what is there, 6 '
    "leads to the settings."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A picture in the list; `first` of its test."""

    drawn: Drawn
    first: bool

    @property
    def render(self) -> Render:
        """The picture itself."""
        return self.drawn.render

    @property
    def name(self) -> str:
        """The LoRA it shows; a base, with which a test begins, has the prompt instead."""
        return self.drawn.subject.name if self.drawn.subject else f"“{self.render.prompt}”"

    @property
    def weight(self) -> str:
        """The LoRA's weight."""
        return number(self.drawn.subject.weight if self.drawn.subject else None)


class Renders(Pictured, Browse[Row]):
    """The pictures of all tests."""

    MODE = "renders"
    PROMPT = "part of a LoRA's name or of a prompt"
    TITLES = ("Filter", "Pictures", "Picture")
    AUTO_FOCUS = "#list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "compare", "Compare", id="renders.compare", tooltip="See the whole test side by side"),
        Binding("n", "plan", "New test", id="renders.new", tooltip="Choose LoRAs, weights, seeds and prompt"),
    ]

    def columns(self) -> Sequence[Column[Row]]:
        """Where a test begins and when, LoRA and weight, kind of picture, effects, verdict."""
        return (
            Column(text=lambda row: "┌" if row.first else "│", width=1),
            Column(text=lambda row: moment(row.render)[5:] if row.first else "", title="Drawn", width=11, needs=96),
            Column(text=lambda row: row.name, title="LoRA", strong=True),
            Column(text=lambda row: row.weight, title="At", width=5, right=True),
            Column(text=lambda row: _KINDS[row.render.kind], title="Picture", width=7),
            Column(text=lambda row: percent(row.render.effect), title="Effect", width=6, right=True),
            Column(text=lambda row: percent(row.render.trigger_effect), title="Words", width=6, right=True, needs=60),
            Column(text=lambda row: finding(row.drawn.verdict), title="Verdict", width=1, wide=13),
        )

    def key(self, row: Row) -> object:
        """A render is its picture."""
        return row.render.path

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._asked = 0
        self._newest: object = None

    def on_mount(self) -> None:
        """Follow what is drawn meanwhile."""
        self.session.library_changed.subscribe(self, self._changed)

    def on_screen_resume(self) -> None:
        """Read again whenever the screen comes up."""
        self._changed(None)

    @property
    def pictured(self) -> Drawn | None:
        """The highlighted picture."""
        row = self.listing.row if self.is_mounted else None
        return row.drawn if row else None

    def look_for(self, text: str) -> None:
        """Read the first page of what fits."""
        self._ask(text, 0)

    def describe(self, row: Row) -> None:
        """Everything is in the row."""
        self.detail.show(render_facts(row.render, row.drawn.verdict))
        self.refresh_bindings()

    def settle(self, row: Row) -> None:
        """Show the picture."""
        self.detail.picture.show(str(row.render.path), lambda: row.render.path)

    def open(self, row: Row) -> None:
        """See the test this picture belongs to."""

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

    def _changed(self, _: Ref | None) -> None:
        self.look_for(self.box.value.strip())

    @on(RowList.NearEnd)
    def _more(self) -> None:
        known = len(self.listing.rows)
        if known % _PAGE == 0 and known > self._asked:
            self._ask(self.box.value.strip(), known)

    def _ask(self, text: str, offset: int) -> None:
        self._asked = offset

        def question() -> HistoryRead:
            found = self.hubsync.render.page(text, limit=_PAGE, offset=offset)
            return HistoryRead(text, offset, found.pictures, found.total)

        ask(self, "history", question)

    @on(HistoryRead)
    def _show_history(self, message: HistoryRead) -> None:
        if message.text != self.box.value.strip() or message.offset not in {0, len(self.listing.rows)}:
            return
        before = self.listing.rows[-1].drawn if message.offset else None
        rows = _rows(message.renders, before)
        self.say(Content())
        if message.offset:
            self.listing.append(rows)
        else:
            self.listing.show(rows, placeholder=f"No picture fits “{message.text}”." if message.text else _FIRST_STEP)
            self._go_to_newest(message.text)
        self.listing.border_subtitle = f"{message.total} drawn" if message.total else ""
        self.refresh_bindings()

    def _go_to_newest(self, text: str) -> None:
        """A test that was not there before comes under the highlight: it is what one waited for."""
        newest = self.listing.rows[0].drawn.test if self.listing.rows else None
        if not text and newest != self._newest:
            self._newest = newest
            self.listing.action_first()


def _rows(pictures: Sequence[Drawn], before: Drawn | None) -> Sequence[Row]:
    """The rows of a page that comes after `before`."""
    tests = [before.test if before else None, *(one.test for one in pictures)]
    return [Row(drawn=one, first=one.test != tests[index]) for index, one in enumerate(pictures)]
