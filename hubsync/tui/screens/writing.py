"""A box with several lines to type into."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import TextArea

from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.text import plain
from hubsync.tui.widgets.detail import Reader


class Writing(Dialog[str]):
    """Asks for a text; the answer is the whole of it."""

    AUTO_FOCUS = "TextArea"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", priority=True, id="writing.save", tooltip="Keep the text"),
    ]

    def __init__(self, title: str, text: str = "") -> None:
        super().__init__(title, keys="ctrl+s saves · esc goes back without saving")
        self._text = plain(text)

    def compose_head(self) -> ComposeResult:
        """The text there is."""
        yield TextArea(self._text, id="lines", tab_behavior="focus")

    def on_mount(self) -> None:
        """Nothing stands under it."""
        self.query_one(Reader).display = False

    def action_save(self) -> None:
        """Answer with the text."""
        self.dismiss(self.query_one(TextArea).text.strip())
