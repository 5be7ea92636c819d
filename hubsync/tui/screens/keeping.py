"""Drafts kept: the one being written for the next run, others under a name to be recalled exactly."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from textual import on
from textual.message import Message

from hubsync.errors import HubsyncError
from hubsync.prompts.syntax import extra_networks
from hubsync.services.drafting import Drafted
from hubsync.services.triggers import SavedPrompt, Wish
from hubsync.tui.answers import PromptsRead
from hubsync.tui.asking import ask
from hubsync.tui.screens.composing import Composing, PromptComposed
from hubsync.tui.text import one_line

KEEP_SECONDS = 0.5
"""How long after a change the draft is kept: no more than that is lost, whatever ends the program."""

_NAME_WORDS = 5

_State: TypeAlias = tuple[str, str, tuple[Wish, ...], frozenset[str]]
"""All of a draft: text, negative text, LoRAs, and which of them are off."""

_NOTHING: _State = ("", "", (), frozenset())


@dataclass
class PromptSaved(Message, bubble=False):
    """The prompt is kept under a name."""

    name: str


@dataclass
class DraftRead(Message, bubble=False):
    """What an earlier run was writing, if anything."""

    draft: SavedPrompt | None


@dataclass
class DraftKept(Message, bubble=False):
    """The next run can go on from here."""


class Keeping(Composing):
    """Keeping the draft, saving it, and going on with a saved one."""

    _kept: _State | None = None
    """What is kept of the draft; None until it is read."""

    _soon = False
    """Whether it is about to be kept."""

    def on_screen_resume(self) -> None:
        """The first time, go on from where the last run ended."""
        if self._kept is None:
            triggers = self.session.hubsync.triggers
            ask(self, "draft", lambda: DraftRead(triggers.draft()))

    def on_screen_suspend(self) -> None:
        """Keep the draft."""
        self._keep()

    def on_unmount(self) -> None:
        """Keep it before the program ends: nobody would wait for a thread."""
        if self._kept not in {None, self._state}:
            text, negative, wishes, off = self._state
            with suppress(HubsyncError):
                self.session.hubsync.triggers.keep_draft(text, wishes, negative=negative, off=off)

    @property
    def _state(self) -> _State:
        draft = self.draft
        return draft.text, draft.negative, tuple(draft.wishes), frozenset(draft.off)

    @on(DraftRead)
    def _go_on(self, message: DraftRead) -> None:
        self._kept = _NOTHING
        if message.draft is None:
            return
        self.draft.go_on(message.draft)
        self.put_texts()
        self.compose_again()

    @on(PromptComposed)
    def _keep_soon(self) -> None:
        if not self._soon:
            self._soon = True
            self.set_timer(KEEP_SECONDS, self._keep)

    def _keep(self) -> None:
        self._soon = False
        if self._kept in {None, self._state}:
            return
        self._kept = text, negative, wishes, off = self._state
        triggers = self.session.hubsync.triggers

        def question() -> DraftKept:
            triggers.keep_draft(text, wishes, negative=negative, off=off)
            return DraftKept()

        ask(self, "keep", question)

    def action_save(self) -> None:
        """Ask for a name."""
        triggers = self.session.hubsync.triggers
        ask(self, "saved", lambda: PromptsRead(triggers.saved_prompts(), saving=True))

    def action_open(self) -> None:
        """Show the saved prompts."""
        triggers = self.session.hubsync.triggers
        ask(self, "saved", lambda: PromptsRead(triggers.saved_prompts()))

    def action_begin(self) -> None:
        """Empty the draft, once confirmed."""
        from hubsync.tui.screens.confirm import Confirm

        def answered(sure: bool | None) -> None:  # noqa: FBT001  (an answer)
            if sure:
                self.draft.clear()
                self.put_texts()
                self.compose_again()

        if self._state != _NOTHING:
            lines = ["Texts and LoRAs go. What is saved stays: ctrl+s keeps this one under a name."]
            self.app.push_screen(Confirm("Begin a new prompt", lines, verb="empties it"), answered)

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
