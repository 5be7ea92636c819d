"""A question before something is removed, moved or lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.text import words
from hubsync.tui.widgets.facts import Fact


class Confirm(Dialog[bool]):
    """Says what would happen; the answer is True, or None where the user goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y", "confirm", "Yes", id="confirm.yes", tooltip="Do it"),
        Binding("n", "close", "No", id="confirm.no", tooltip="Leave everything as it is"),
    ]

    def __init__(self, title: str, lines: Sequence[str], *, verb: str) -> None:
        facts = [Fact(value=words(line)) for line in lines]
        super().__init__(title, facts, keys=f"enter {verb} · esc goes back")

    def action_confirm(self) -> None:
        """Yes."""
        self.dismiss(True)  # noqa: FBT003  (the answer)
