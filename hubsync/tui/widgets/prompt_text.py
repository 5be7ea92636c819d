"""Boxes for texts of several lines; the one for the prompt takes a pasted infotext apart."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.widgets import TextArea

from hubsync.prompts.infotext import parted


class PromptText(TextArea):
    """A text of the user's. Whatever replaces it as a whole can be undone like typing."""

    def put(self, text: str) -> None:
        """Another text instead of the whole."""
        if text != self.text:
            self.replace(text, self.document.start, self.document.end, maintain_selection_offset=False)


class OwnText(PromptText):
    """The text of the prompt itself."""

    @dataclass
    class Parted(Message):
        """An infotext was pasted: its prompt is in the box, and here is the rest of it."""

        negative: str
        settings: str

    def on_paste(self, event: events.Paste) -> None:
        """A prompt goes in as it is, with its tags; of an infotext only the prompt goes into this box."""
        prompt, negative, settings = parted(event.text)
        if not (negative or settings):
            return
        event.stop()
        event.prevent_default()
        self.replace(prompt, *self.selection, maintain_selection_offset=False)
        self.post_message(self.Parted(negative, settings))
