"""Prompts kept under a name: which there are, one to go on with, one to remove."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from hubsync.services.triggers import SavedPrompt
from hubsync.tui.answers import PromptsRead, Refused
from hubsync.tui.asking import ask
from hubsync.tui.describe import problem
from hubsync.tui.screens.browse import Box
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.session import Session
from hubsync.tui.text import day, words
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.facts import Fact
from hubsync.tui.widgets.rows import RowList

_KEYS = "enter opens it · delete removes it · / filters · esc goes back"
_EMPTY = "Nothing is saved yet: ctrl+s keeps the prompt you are writing under a name."


class SavedPrompts(Dialog[SavedPrompt]):
    """The saved prompts, newest first; the answer is the one to go on with."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "focus_box", "Filter", key_display="/", id="saved.filter", tooltip="Type what to look for"),
        Binding("delete,backspace", "remove", "Remove", id="saved.remove", tooltip="Remove it; asks once more"),
    ]
    AUTO_FOCUS = "RowList"

    def __init__(self, session: Session, prompts: Sequence[SavedPrompt]) -> None:
        super().__init__("Saved prompts", keys=_KEYS)
        self._session = session
        self._prompts = prompts
        self._doomed = ""

    @property
    def listing(self) -> RowList[SavedPrompt]:
        """The list."""
        return cast("RowList[SavedPrompt]", self.query_one(RowList))

    def compose_head(self) -> ComposeResult:
        """The box and the list."""
        yield Box(placeholder="part of a name, a text, a LoRA", id="text")
        rows: RowList[SavedPrompt] = RowList(
            Column(text=lambda one: one.name, title="Name", strong=True),
            Column(text=lambda one: one.text, title="Text", width=20, needs=50),
            Column(text=lambda one: str(len(one.wishes) or ""), title="LoRAs", width=5, right=True),
            Column(text=lambda one: day(one.saved_at), title="Saved", width=10),
            key=lambda one: one.name,
        )
        yield rows

    def on_mount(self) -> None:
        """Show all."""
        self._show_fitting()

    def action_focus_list(self) -> None:
        """From the box into the list."""
        self.listing.focus()

    def action_focus_box(self) -> None:
        """Into the box."""
        self.query_one(Input).focus()

    def action_remove(self) -> None:
        """Ask once more, then remove."""
        row = self.listing.row
        if row is None:
            return
        if self._doomed != row.name:
            self._doomed = row.name
            self.say_keys(f"! delete again removes “{row.name}” · any other row keeps it")
            return
        triggers = self._session.hubsync.triggers

        def question() -> PromptsRead:
            triggers.forget_prompt(row.name)
            return PromptsRead(triggers.saved_prompts())

        ask(self, "saved", question)

    def _show_fitting(self) -> None:
        wanted = self.query_one(Input).value.strip().casefold()
        fitting = [one for one in self._prompts if wanted in _searched(one)]
        self.listing.show(fitting, placeholder="No saved prompt fits." if self._prompts else _EMPTY)

    @on(Input.Changed)
    def _typed(self) -> None:
        self._show_fitting()

    @on(PromptsRead)
    def _show_rest(self, message: PromptsRead) -> None:
        self._prompts = message.prompts
        self._show_fitting()

    @on(RowList.Highlighted)
    def _describe(self) -> None:
        row = self.listing.row
        self._doomed = ""
        self.show(saved_facts(row) if row else [], keys=_KEYS)

    @on(Input.Submitted)
    @on(RowList.Chosen)
    def _take(self) -> None:
        if self.listing.row is not None:
            self.dismiss(self.listing.row)

    @on(Refused)
    def _say_refused(self, message: Refused) -> None:
        message.stop()
        self.show(problem(message.error), keys=_KEYS)


def saved_facts(prompt: SavedPrompt) -> list[Fact]:
    """What a saved prompt holds."""
    loras = ", ".join(f"{one.name} (off)" if one.name in prompt.off else one.name for one in prompt.wishes)
    fields = (("Text", prompt.text), ("Negative", prompt.negative), ("LoRAs", loras))
    return [Fact(label=label, value=words(text)) for label, text in fields if text]


def _searched(prompt: SavedPrompt) -> str:
    names = " ".join(wish.name for wish in prompt.wishes)
    return f"{prompt.name}\n{prompt.text}\n{prompt.negative}\n{names}".casefold()
