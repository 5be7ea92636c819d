"""The top line: where one is, where one can go, and which library this is."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

MODES = {"discover": "Discover", "library": "Library", "renders": "Renders"}
"""The modes in the order of their digits."""


class Masthead(Horizontal):
    """Name, modes and library root on one line."""

    def __init__(self, active: str, *, root: str) -> None:
        super().__init__()
        self._active = active
        self._root = root

    def compose(self) -> ComposeResult:
        """Modes left, root right."""
        yield Static("hubsync", id="brand")
        for digit, (mode, label) in enumerate(MODES.items(), start=1):
            markup = "[@click=app.mode($mode)]$digit $label[/]"
            tab = Static(Content.from_markup(markup.replace("$mode", f"'{mode}'"), digit=digit, label=label))
            yield tab.set_class(mode == self._active, "-active").add_class("tab")
        yield Static(Content(self._root), id="root")
