"""LoRAs of the library to choose from: a filter, and a list that shows which are chosen."""

from __future__ import annotations

from typing import cast

from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from hubsync.domain import Installed, ListFilter
from hubsync.services.triggers import Wish
from hubsync.tui.answers import Offered
from hubsync.tui.asking import ask
from hubsync.tui.screens.browse import Box
from hubsync.tui.session import Session
from hubsync.tui.text import number
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.rows import RowList

_PAGE = 100
_EMPTY = "Nothing is installed yet.\n\nPress esc, then 1: look for a LoRA and press i on it."


class Picker(Vertical):
    """The library beside a form; the session's test says which LoRAs are chosen."""

    box = getters.query_one("#box", Input)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._asked = 0

    @property
    def listing(self) -> RowList[Installed]:
        """The LoRAs."""
        return cast("RowList[Installed]", self.query_one(RowList))

    def compose(self) -> ComposeResult:
        """Filter and list."""
        box = Box(placeholder="part of a name", id="box", select_on_focus=False)
        box.border_title = "Filter"
        yield box
        rows: RowList[Installed] = RowList(
            Column(text=lambda lora: "●" if self._wish(lora) else "", width=1, strong=True),
            Column(text=lambda lora: lora.name, title="LoRA", strong=True),
            Column(text=self._weight, title="Weight", width=6, right=True),
            Column(text=lambda lora: lora.family or "", title="Family", width=8, needs=36),
            key=lambda lora: lora.path,
            id="list",
        )
        rows.border_title = "LoRAs"
        yield rows

    def on_mount(self) -> None:
        """Offer the whole library."""
        self._ask(0)

    @on(Input.Changed, "#box")
    def _filter(self) -> None:
        self._ask(0)

    @on(Input.Submitted, "#box")
    def _filtered(self) -> None:
        self.listing.focus()

    @on(RowList.NearEnd)
    def _more(self) -> None:
        known = len(self.listing.rows)
        if known % _PAGE == 0 and known > self._asked:
            self._ask(known)

    def _ask(self, offset: int) -> None:
        text, self._asked = self.box.value.strip(), offset
        library, wanted = self._session.hubsync.library, ListFilter(text=text)
        ask(self, "offer", lambda: Offered(text, offset, library.list(wanted, limit=_PAGE, offset=offset)))

    @on(Offered)
    def _show(self, message: Offered) -> None:
        if message.text != self.box.value.strip():
            return
        if message.offset:
            self.listing.append(message.rows)
        else:
            nothing = f"Nothing fits “{message.text}”." if message.text else _EMPTY
            self.listing.show(message.rows, placeholder=nothing)

    def _wish(self, lora: Installed) -> Wish | None:
        return next((wish for wish in self._session.test.wishes if wish.name == lora.name), None)

    def _weight(self, lora: Installed) -> str:
        wish = self._wish(lora)
        return number(lora.weight if wish is None or wish.weight is None else wish.weight)
