"""A box with one line to type into: a weight, a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import Input

from hubsync.errors import UsageError
from hubsync.tui.answers import Refused
from hubsync.tui.asking import ask
from hubsync.tui.jobs import told
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.text import number, words
from hubsync.tui.widgets.facts import Fact

_KEYS = "enter takes it · esc goes back"


@dataclass
class Checked(Message, bubble=False):
    """Nothing is wrong with what was typed."""

    value: str


class Entry(Dialog[str]):
    """Asks for a text. `doubt` says what is wrong with it, or nothing; with `insists` a second enter takes it so.

    `check` may take its time, and raises what is wrong.
    """

    AUTO_FOCUS = "Input"

    def __init__(
        self,
        title: str,
        value: str = "",
        *,
        hint: str,
        doubt: Callable[[str], str],
        insists: bool = False,
        check: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(title, [Fact(value=words(hint, "$foreground-muted"))], keys=_KEYS)
        self._value = value
        self._doubt = doubt
        self._insists = insists
        self._check = check
        self._doubted: str | None = None

    def compose_head(self) -> ComposeResult:
        """The line, with what is offered: typing replaces it."""
        yield Input(self._value, id="text", select_on_focus=True)

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        value = event.value.strip()
        doubt = self._doubt(value)
        if doubt and not (self._insists and value == self._doubted):
            self._doubted = value
            self._say(doubt)
        elif (check := self._check) is not None:
            ask(self, "check", lambda: _checked(check, value))
        else:
            self.dismiss(value)

    @on(Checked)
    def _take(self, message: Checked) -> None:
        self.dismiss(message.value)

    @on(Refused)
    def _say_refused(self, message: Refused) -> None:
        message.stop()
        self._say(told(message.error))

    def _say(self, problem: str) -> None:
        self.show([Fact(value=words(f"! {problem}", "$text-warning"))], keys=_KEYS)


def weight_entry(title: str, weight: float | None) -> Entry:
    """A box for a weight; what no tool takes as one is refused in it."""
    hint = "The number in <lora:NAME:NUMBER>: most LoRAs want 0.6 to 1, sliders -2 to 2."
    return Entry(title, number(weight), hint=hint, doubt=_no_weight)


def _checked(check: Callable[[str], None], value: str) -> Checked:
    check(value)
    return Checked(value)


def _no_weight(text: str) -> str:
    from hubsync.services.editing import check_weight

    try:
        check_weight(float(text))
    except UsageError as error:
        return told(error)
    except ValueError:
        return f"“{text}” is no number" if text else "type a number"
    return ""
