"""A small list of values, of which one is chosen; where others are allowed too, a line to type into."""

from __future__ import annotations

from typing import cast

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from hubsync.tui.questions import Chip, Choice, fitting
from hubsync.tui.screens.browse import Box
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.detail import Reader
from hubsync.tui.widgets.rows import RowList

_MOST_LINES = 9  # what 24 lines have room for beside a box and the keys


class Choosing(Dialog[str]):
    """The values of a chip; the answer is the one chosen."""

    AUTO_FOCUS = "Box, RowList"

    def __init__(self, chip: Chip, *, value: str) -> None:
        super().__init__(chip.key, keys="enter chooses · esc goes back")
        self._chip = chip
        self._choices = chip.choices
        self._value = value

    @property
    def listing(self) -> RowList[Choice]:
        """The list."""
        return cast("RowList[Choice]", self.query_one(RowList))

    def compose_head(self) -> ComposeResult:
        """A box where anything may be typed, and the list."""
        if self._chip.free:
            yield Box(placeholder="part of a name, or a name of your own", id="text")
        rows: RowList[Choice] = RowList(
            Column(text=lambda choice: "•" if choice.value == self._value else "", width=1, strong=True),
            Column(text=lambda choice: choice.value, title="Value", width=22, strong=True),
            Column(text=lambda choice: choice.note),
            key=lambda choice: choice.value,
        )
        rows.styles.height = min(len(self._choices), _MOST_LINES) + 3
        yield rows

    def on_mount(self) -> None:
        """Begin at the value there is."""
        self.query_one(Reader).display = False
        self.listing.show(self._choices)
        values = [choice.value for choice in self._choices]
        self.listing.highlighted = values.index(self._value) if self._value in values else 0

    def action_focus_list(self) -> None:
        """From the box into the list."""
        self.listing.focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self.listing.show(fitting(self._choices, event.value.strip()))
        self.listing.highlighted = 0

    @on(Input.Submitted)
    def _take_first(self) -> None:
        self.listing.action_choose()

    @on(RowList.Chosen)
    def _take(self, message: RowList.Chosen) -> None:
        assert isinstance(message.row, Choice)
        self.dismiss(message.row.value)
