"""The right-hand pane: one picture, and under it everything known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll

from hubsync.tui.session import Session
from hubsync.tui.widgets.facts import Fact, Facts
from hubsync.tui.widgets.picture import Picture


class Reader(VerticalScroll):
    """Text longer than its pane, scrolled with the keys of the lists."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", "Scroll down", show=False, id="text.down", tooltip="Scroll one line down"),
        Binding("k", "scroll_up", "Scroll up", show=False, id="text.up", tooltip="Scroll one line up"),
        Binding("g", "scroll_home", "To the top", show=False, id="text.top", tooltip="Scroll to the first line"),
        Binding("G", "scroll_end", "To the end", show=False, id="text.end", tooltip="Scroll to the last line"),
    ]


class Detail(Vertical):
    """Picture and facts of whatever the list highlights."""

    picture = getters.query_one(Picture)
    facts = getters.query_one(Facts)
    reader = getters.query_one(Reader)

    def __init__(self, session: Session) -> None:
        super().__init__(id="detail")
        self._session = session

    def compose(self) -> ComposeResult:
        """The picture stays while the facts scroll."""
        yield Picture(graphics=self._session.graphics, enabled=self._session.pictures)
        with Reader():
            yield Facts()

    def show(self, facts: Sequence[Fact]) -> None:
        """Show facts from their first line on."""
        self.facts.show(facts)
        self.reader.scroll_home(animate=False)
