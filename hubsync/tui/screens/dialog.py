"""A box over the screen: something to read, or to decide. Escape always leaves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from hubsync.tui.text import words
from hubsync.tui.widgets.detail import Reader
from hubsync.tui.widgets.facts import Fact, Facts

Answer = TypeVar("Answer")

_HELP = "F1 keys"
"""At the foot of every box: where one types, `?` is a letter."""


class Dialog(ModalScreen[Answer]):
    """Facts under a title, with a line of keys at the foot."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Back", show=False, id="dialog.back", tooltip="Leave this box"),
        Binding(
            "question_mark,f1", "help", "Help", show=False, id="dialog.help", tooltip="Every key that works in this box"
        ),
    ]
    AUTO_FOCUS = "Reader"

    facts = getters.query_one(Facts)

    def __init__(self, title: str, facts: Sequence[Fact] = (), *, keys: str = "esc goes back") -> None:
        super().__init__()
        self._title = title
        self._facts = facts
        self._keys = keys

    def compose(self) -> ComposeResult:
        """Title, text, keys."""
        with Vertical(id="dialog") as box:
            box.border_title = words(self._title)
            box.border_subtitle = _HELP
            yield from self.compose_head()
            with Reader():
                yield Facts(self._facts)
            yield Static(self._keys, id="keys", markup=False)

    def compose_head(self) -> ComposeResult:
        """What stands above the text."""
        yield from ()

    def show(self, facts: Sequence[Fact], *, keys: str) -> None:
        """Other text, other keys."""
        self.facts.show(facts)
        self.say_keys(keys)

    def say_keys(self, keys: str) -> None:
        """Other keys."""
        self.query_one("#keys", Static).update(keys)

    def action_help(self) -> None:
        """Show the keys of this box and of what has the focus in it."""
        from hubsync.tui.screens.help import Keys

        self.app.push_screen(Keys(self.active_bindings.values()))

    def action_close(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)
