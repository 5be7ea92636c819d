"""Adding trigger words: typed, or picked among those that a LoRA's header and trials suggest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from hubsync.domain import Suggestion
from hubsync.tui.screens.browse import Box
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.detail import Reader
from hubsync.tui.widgets.rows import RowList


class Adding(Dialog[Sequence[str]]):
    """The answer is the words; what is typed may be several with commas between them."""

    AUTO_FOCUS = "Box"

    def __init__(self, title: str, suggestions: Sequence[Suggestion]) -> None:
        super().__init__(title, keys="enter adds · down: suggestions · space selects several · esc goes back")
        self._suggestions = suggestions

    @property
    def listing(self) -> RowList[Suggestion]:
        """The suggestions."""
        return cast("RowList[Suggestion]", self.query_one(RowList))

    def compose_head(self) -> ComposeResult:
        """The line to type into, and the suggestions that have it in them."""
        yield Box(placeholder="a word or a phrase", id="text")
        rows: RowList[Suggestion] = RowList(
            Column(text=lambda one: one.text, title="Suggested", strong=True),
            Column(text=lambda one: f"{one.score:.0%}", title="Score", width=5, right=True),
            Column(text=lambda one: one.source, title="Told by", width=16),
            key=lambda one: one.text,
            selects=True,
        )
        yield rows

    def on_mount(self) -> None:
        """All suggestions at first."""
        self.query_one(Reader).display = False
        nothing = "Neither its header nor a trial suggests words.\n\nt in the list of words tries some out."
        self.listing.show(self._suggestions, placeholder=nothing)

    def action_focus_list(self) -> None:
        """From the line into the suggestions."""
        self.listing.focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        part = event.value.strip().casefold()
        found = [one for one in self._suggestions if part in one.text.casefold()]
        self.listing.show(found, placeholder="No suggestion has this in it: enter adds what you typed.")

    @on(Input.Submitted)
    def _take_typed(self, event: Input.Submitted) -> None:
        if text := event.value.strip():
            self.dismiss([text])

    @on(RowList.Chosen)
    def _take_chosen(self) -> None:
        self.dismiss([one.text for one in self.listing.chosen])
