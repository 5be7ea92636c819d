"""A prompt with one LoRA: the user's text, its trigger words and its tag, composed while typing, ready to copy."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from hubsync.services.triggers import Wish
from hubsync.tui.asking import ask
from hubsync.tui.describe import problem
from hubsync.tui.messages import PromptComposed, Refused
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.session import Session
from hubsync.tui.text import words
from hubsync.tui.widgets.facts import Fact

_READING = "y copies the prompt · / edits your text · esc goes back"
_TYPING = "enter leads to the prompt"


class PromptBox(Dialog[None]):
    """What to paste into another program."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy", id="prompt.copy", tooltip="Copy the prompt to the clipboard"),
        Binding("slash", "edit", "Your text", key_display="/", id="prompt.edit", tooltip="Type your own part"),
    ]

    def __init__(self, session: Session, name: str) -> None:
        super().__init__(f"Prompt with {name}", keys=_READING)
        self._session = session
        self._lora = name
        self._prompt = ""

    def compose_head(self) -> ComposeResult:
        """Room for the user's own words."""
        yield Input(placeholder="your own text, for example: a blue ring", id="text")

    def on_mount(self) -> None:
        """Begin with tag and words alone."""
        self._ask("")

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Say the keys of what has the focus."""
        self.say_keys(_TYPING if isinstance(event.widget, Input) else _READING)

    def action_edit(self) -> None:
        """Into the user's text."""
        self.query_one(Input).focus()

    def action_copy(self) -> None:
        """Hand the prompt to the terminal's clipboard (OSC 52)."""
        self.app.copy_to_clipboard(self._prompt)
        self.notify("The prompt is copied.", timeout=2)

    def action_close(self) -> None:
        """From the text back to the prompt, from there out."""
        if isinstance(self.focused, Input):
            self.query_one("Reader").focus()
        else:
            self.dismiss(None)

    @on(Input.Submitted)
    def _typed(self) -> None:
        self.query_one("Reader").focus()

    @on(Input.Changed)
    def _typing(self, event: Input.Changed) -> None:
        self._ask(event.value)

    def _ask(self, text: str) -> None:
        def question() -> PromptComposed:
            composed = self._session.hubsync.triggers.compose(text, [Wish(name=self._lora)])
            warnings = tuple(warning.message for warning in composed.warnings)
            return PromptComposed(text, composed.prompt, composed.negative_prompt, warnings)

        ask(self, "compose", question)

    @on(PromptComposed)
    def _show_prompt(self, message: PromptComposed) -> None:
        self._prompt = message.prompt
        facts = [Fact(value=words(message.prompt, "bold"))]
        if message.negative:
            facts += [Fact(value=words("")), Fact(label="Negative", value=words(message.negative))]
        facts += [Fact(value=words(f"! {warning}", "$text-warning")) for warning in message.warnings]
        self.show(facts, keys=_TYPING if isinstance(self.focused, Input) else _READING)

    @on(Refused)
    def _say_refused(self, message: Refused) -> None:
        message.stop()
        self.show(problem(message.error), keys="esc goes back")
