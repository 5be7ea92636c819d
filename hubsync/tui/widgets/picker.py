"""LoRAs of the library to choose from: a filter, and a list read by pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from hubsync.domain import Installed, ListFilter
from hubsync.tui.answers import Listed
from hubsync.tui.asking import ask
from hubsync.tui.screens.browse import Box
from hubsync.tui.session import Session
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.rows import PAGE, RowList

_EMPTY = "Nothing is installed yet.\n\nPress esc, then 1: look for a LoRA and press i on it."


class Picker(Vertical):
    """The library in a form or a dialog. The screen says what choosing means."""

    box = getters.query_one("#box", Input)

    class Filtered(Message):
        """The list follows what was typed. What it says itself then goes no further than here, who filled it."""

    def __init__(
        self,
        session: Session,
        *columns: Column[Installed],
        prompt: str,
        selects: bool = False,
        begins: Callable[[Installed], object] = lambda _: False,
    ) -> None:
        """`begins` tells at which LoRA to begin, where the whole library is shown."""
        super().__init__()
        self._begins = begins
        self._session = session
        self._columns = columns
        self._prompt = prompt
        self._selects = selects
        self._shown: str | None = None
        self._more = False

    @property
    def listing(self) -> RowList[Installed]:
        """The LoRAs."""
        return cast("RowList[Installed]", self.query_one(RowList))

    @property
    def follows(self) -> bool:
        """Whether the list is that of the last letter."""
        return self._shown == self._text

    def compose(self) -> ComposeResult:
        """Filter and list."""
        box = Box(placeholder=self._prompt, id="box", select_on_focus=False)
        box.border_title = "Filter"
        yield box
        rows: RowList[Installed] = RowList(*self._columns, key=lambda lora: lora.path, id="list", selects=self._selects)
        rows.border_title = "LoRAs"
        yield rows

    def on_mount(self) -> None:
        """Offer the whole library."""
        self._ask(0)

    @property
    def _text(self) -> str:
        return self.box.value.strip()

    @on(Input.Changed, "#box")
    def _filter(self) -> None:
        self._ask(0)

    @on(RowList.NearEnd)
    def _next_page(self) -> None:
        if self._more:
            self._ask(len(self.listing.rows))

    def _ask(self, offset: int) -> None:
        library, wanted = self._session.hubsync.library, ListFilter(text=self._text)
        self._more = False
        ask(self, "list", lambda: Listed(wanted, offset, library.list(wanted, limit=PAGE, offset=offset)))

    @on(Listed)
    def _show(self, message: Listed) -> None:
        text = message.wanted.text
        if text != self._text:
            return
        self._more = len(message.rows) == PAGE
        if message.offset:
            self.listing.append(message.rows)
            return
        self._shown = text
        self.listing.show(message.rows, placeholder=f"Nothing installed fits “{text}”." if text else _EMPTY)
        found = (at for at, row in enumerate(message.rows) if not text and self._begins(row))
        self.listing.highlighted = next(found, 0)
        self.post_message(self.Filtered())
