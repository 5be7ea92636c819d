"""Picking LoRAs from the library, filtered while typing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from hubsync.domain import Installed
from hubsync.tui.answers import Refused
from hubsync.tui.describe import library_groups, problem
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.session import Session
from hubsync.tui.text import number
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.facts import Fact
from hubsync.tui.widgets.picker import Picker
from hubsync.tui.widgets.rows import RowList

_KEYS = "enter puts it in · ↓ list, space selects · / filter · esc goes back"


class LoraPicker(Dialog[Sequence[Installed]]):
    """The library; the answer is what is to go into the prompt. `there` are the paths of those in it already."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "focus_box", "Filter", key_display="/", id="picking.filter", tooltip="Type what to look for"),
    ]
    AUTO_FOCUS = "Input"

    picker = getters.query_one(Picker)

    def __init__(self, session: Session, there: Collection[object]) -> None:
        super().__init__("Put LoRAs into the prompt", keys=_KEYS)
        self._session = session
        self._there = there
        self._taking = False

    @property
    def listing(self) -> RowList[Installed]:
        """The list."""
        return self.picker.listing

    def compose_head(self) -> ComposeResult:
        """The box and the list."""
        yield Picker(
            self._session,
            Column(text=lambda lora: "!" if lora.missing else "✓" if lora.path in self._there else "", width=1),
            Column(text=lambda lora: lora.name, title="Name", strong=True),
            Column(text=lambda lora: lora.base_model or lora.family or "", title="Base", width=10),
            Column(text=lambda lora: number(lora.weight), title="Weight", width=6, right=True),
            prompt="part of a name, a tag, a creator, a trigger word",
            selects=True,
        )

    def action_focus_list(self) -> None:
        """From the box into the list."""
        self.listing.focus()

    def action_focus_box(self) -> None:
        """Into the box."""
        self.picker.box.focus()

    @on(RowList.Highlighted)
    @on(Picker.Filtered)
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
        self._taking = not self.picker.follows
        if not self._taking and self.listing.chosen:
            self.dismiss(self.listing.chosen)

    @on(Picker.Filtered)
    def _take_late(self) -> None:
        if self._taking:
            self._take()

    @on(Refused)
    def _say_refused(self, message: Refused) -> None:
        message.stop()
        self.facts.show(problem(message.error))
