"""Drafts kept under a name, and recalled exactly."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.message import Message

from hubsync.prompts.syntax import extra_networks
from hubsync.services.drafting import Drafted
from hubsync.services.triggers import SavedPrompt
from hubsync.tui.answers import PromptsRead
from hubsync.tui.asking import ask
from hubsync.tui.screens.composing import Composing
from hubsync.tui.text import one_line

_NAME_WORDS = 5


@dataclass
class PromptSaved(Message, bubble=False):
    """The prompt is kept under a name."""

    name: str


class Keeping(Composing):
    """Saving the draft, and going on with a saved one."""

    def action_save(self) -> None:
        """Ask for a name."""
        triggers = self.session.hubsync.triggers
        ask(self, "saved", lambda: PromptsRead(triggers.saved_prompts(), saving=True))

    def action_open(self) -> None:
        """Show the saved prompts."""
        triggers = self.session.hubsync.triggers
        ask(self, "saved", lambda: PromptsRead(triggers.saved_prompts()))

    @on(PromptsRead)
    def _show_saved(self, message: PromptsRead) -> None:
        if message.saving:
            self._ask_name({one.name for one in message.prompts})
            return
        from hubsync.tui.screens.saved import SavedPrompts

        self.app.push_screen(SavedPrompts(self.session, message.prompts), self._recall)

    def _ask_name(self, taken: set[str]) -> None:
        from hubsync.tui.screens.entry import Entry

        def doubt(name: str) -> str:
            if not name:
                return "a prompt is kept under a name"
            return "a prompt of this name is saved: enter once more replaces it" if name in taken else ""

        words = one_line(extra_networks(self.draft.text)[0]).split()[:_NAME_WORDS]
        first = " ".join(words).strip(" ,") or ", ".join(wish.name for wish in self.draft.wishes)
        hint = "o brings it back, exactly as it is"
        self.app.push_screen(Entry("Save the prompt as", first, hint=hint, doubt=doubt, insists=True), self._save)

    def _save(self, name: str | None) -> None:
        if name is None:
            return
        draft, triggers = self.draft, self.session.hubsync.triggers
        text, negative, wishes, off = draft.text, draft.negative, tuple(draft.wishes), frozenset(draft.off)

        def question() -> PromptSaved:
            triggers.save_prompt(name, text, wishes, negative=negative, off=off)
            return PromptSaved(name)

        ask(self, "save", question)

    @on(PromptSaved)
    def _say_saved(self, message: PromptSaved) -> None:
        self.say(f"The prompt is saved as “{message.name}”.")

    def _recall(self, saved: SavedPrompt | None) -> None:
        if saved is None:
            return
        self.draft.recall(saved)
        self.put_texts()
        self.compose_again()
        self.when_composed(self._say_gone)

    def _say_gone(self, drafted: Drafted) -> None:
        if gone := [part.name for part in drafted.parts if part.lora is None]:
            self.say(f"No longer installed: {', '.join(gone)}", wrong=True)
