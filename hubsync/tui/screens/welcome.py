"""What a newcomer sets up, each step with how it stands: one key does it, another leaves it for later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from textual import on
from textual.app import ComposeResult

from hubsync.services.doctor import Check
from hubsync.tui.advice import advice
from hubsync.tui.entries import Entry, of_checks
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.text import words
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.facts import Fact
from hubsync.tui.widgets.rows import RowList

_STEPS = {
    "library": "Library folder",
    "civitai key": "Civitai key",
    "renderer": "Test renders",
    "device": "Graphics card",
    "checkpoints": "Checkpoint",
}
_GREETING = "Nothing of this is needed to look around. Each step can be done later in Settings (6)."


class Welcome(Dialog[str]):
    """The answer is the setting of the step that was chosen. `first` is the step to begin with, by its finding."""

    AUTO_FOCUS = "RowList"

    def __init__(self, checks: Sequence[Check], *, title: str = "Welcome to hubsync", first: str = "") -> None:
        super().__init__(title, keys="enter does the step · esc looks around first")
        self._steps = [entry for entry in of_checks(checks) if entry.name in _STEPS]
        self._first = first

    @property
    def listing(self) -> RowList[Entry]:
        """The steps."""
        return cast("RowList[Entry]", self.query_one(RowList))

    def compose_head(self) -> ComposeResult:
        """The steps stand above what the highlighted one is about."""
        yield RowList(
            Column(text=lambda entry: entry.mark, width=1, strong=True),
            Column(text=lambda entry: _STEPS[entry.name], title="Step", width=14, strong=True),
            Column(text=lambda entry: entry.value, title="State"),
            key=lambda entry: entry.name,
        )

    def on_mount(self) -> None:
        """Begin at the first step that is to be done."""
        self.listing.show(self._steps)
        undone = [at for at, step in enumerate(self._steps) if step.mark != "✓"]
        wanted = [at for at, step in enumerate(self._steps) if step.name == self._first]
        self.listing.highlighted = next(iter([*wanted, *undone]), 0)

    @on(RowList.Highlighted)
    def _explain(self) -> None:
        if (step := self.listing.row) and step.check:
            texts = (step.check.message, advice(step.check.hint), _GREETING)
            self.facts.show([Fact(value=words(text)) for text in texts if text])

    @on(RowList.Chosen)
    def _choose(self) -> None:
        if self.listing.row is not None:
            self.dismiss(self.listing.row.cure)
