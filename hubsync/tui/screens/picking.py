"""Picking LoRAs from the library, filtered while typing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from hubsync.domain import Installed, ListFilter
from hubsync.tui.answers import Listed, Refused
from hubsync.tui.asking import ask
from hubsync.tui.describe import library_groups, problem
from hubsync.tui.screens.browse import Box
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.session import Session
from hubsync.tui.text import number
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.facts import Fact
from hubsync.tui.widgets.rows import RowList

PAGE = 100
"""Rows read at a time."""

_KEYS = "enter puts it in · ↓ list, space selects · / filter · esc goes back"
_EMPTY = "Nothing is installed yet: press esc, then 1, and install a LoRA with i."


class LoraPicker(Dialog[Sequence[Installed]]):
    """The library; the answer is what is to go into the prompt. `there` are the paths of those in it already."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "focus_box", "Filter", key_display="/", id="picking.filter", tooltip="Type what to look for"),
    ]
    AUTO_FOCUS = "Input"

    def __init__(self, session: Session, there: Collection[object]) -> None:
        super().__init__("Put LoRAs into the prompt", keys=_KEYS)
        self._session = session
        self._there = there
        self._more = False
        self._shown: str | None = None
        self._taking = False

    @property
    def listing(self) -> RowList[Installed]:
        """The list."""
        return cast("RowList[Installed]", self.query_one(RowList))

    def compose_head(self) -> ComposeResult:
        """The box and the list."""
        yield Box(placeholder="part of a name, a tag, a creator, a trigger word", id="text")
        rows: RowList[Installed] = RowList(
            Column(text=lambda lora: "!" if lora.missing else "✓" if lora.path in self._there else "", width=1),
            Column(text=lambda lora: lora.name, title="Name", strong=True),
            Column(text=lambda lora: lora.base_model or lora.family or "", title="Base", width=10),
            Column(text=lambda lora: number(lora.weight), title="Weight", width=6, right=True),
            key=lambda lora: lora.path,
            selects=True,
        )
        yield rows

    def on_mount(self) -> None:
        """Begin with all of it."""
        self._ask(0)

    def action_focus_list(self) -> None:
        """From the box into the list."""
        self.listing.focus()

    def action_focus_box(self) -> None:
        """Into the box."""
        self.query_one(Input).focus()

    @property
    def _text(self) -> str:
        return self.query_one(Input).value.strip()

    def _ask(self, offset: int) -> None:
        wanted = ListFilter(text=self._text)
        library = self._session.hubsync.library
        self._more = False
        ask(self, "list", lambda: Listed(wanted, offset, library.list(wanted, limit=PAGE, offset=offset)))

    @on(Input.Changed)
    def _typed(self) -> None:
        self._ask(0)

    @on(Listed)
    def _show_rows(self, message: Listed) -> None:
        text = message.wanted.text
        if text != self._text:
            return
        self._more = len(message.rows) == PAGE
        if message.offset:
            self.listing.append(message.rows)
            return
        self._shown = text
        self.listing.show(message.rows, placeholder=f"Nothing installed fits “{text}”." if text else _EMPTY)
        self.listing.highlighted = 0
        if self._taking:
            self._take()

    @on(RowList.NearEnd)
    def _next_page(self) -> None:
        if self._more:
            self._ask(len(self.listing.rows))

    @on(RowList.Highlighted)
    def _describe(self) -> None:
        row = self.listing.row
        self.facts.show([Fact(label="Words", value=library_groups(row.groups))] if row else [])

    @on(RowList.Marked)
    def _count(self) -> None:
        self.listing.border_subtitle = f"{self.listing.marked} selected" if self.listing.marked else ""

    @on(Input.Submitted)
    @on(RowList.Chosen)
    def _take(self) -> None:
        """Answer; enter may be faster than the list that follows the last letter."""
        self._taking = self._shown != self._text
        if not self._taking and self.listing.chosen:
            self.dismiss(self.listing.chosen)

    @on(Refused)
    def _say_refused(self, message: Refused) -> None:
        message.stop()
        self.facts.show(problem(message.error))
