"""A box with one line to type into: a weight, a name."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.text import words
from hubsync.tui.widgets.facts import Fact

_KEYS = "enter takes it · esc goes back"


class Entry(Dialog[str]):
    """Asks for a text. `doubt` says what is wrong with it, or nothing; with `insists` a second enter takes it so."""

    AUTO_FOCUS = "Input"

    def __init__(
        self, title: str, value: str = "", *, hint: str, doubt: Callable[[str], str], insists: bool = False
    ) -> None:
        super().__init__(title, [Fact(value=words(hint, "$foreground-muted"))], keys=_KEYS)
        self._value = value
        self._doubt = doubt
        self._insists = insists
        self._doubted: str | None = None

    def compose_head(self) -> ComposeResult:
        """The line, with what is offered: typing replaces it."""
        yield Input(self._value, id="text", select_on_focus=True)

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        value = event.value.strip()
        doubt = self._doubt(value)
        if not doubt or (self._insists and value == self._doubted):
            self.dismiss(value)
            return
        self._doubted = value
        self.show([Fact(value=words(f"! {doubt}", "$text-warning"))], keys=_KEYS)
