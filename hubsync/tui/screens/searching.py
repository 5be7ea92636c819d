"""Asking the hubs: box and chips make a question, its answers fill the list page by page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from hubsync.domain import ListFilter, Lora, Nsfw, Query, SearchResult
from hubsync.tui.answers import LibraryCounted, Refused
from hubsync.tui.asking import FIRST_FRAME, ask
from hubsync.tui.findings import NO_KEY, SEARCHING, down, nothing
from hubsync.tui.paging import UNDER_WAY, Paging, Turns
from hubsync.tui.questions import Chip, Choice, base_choices, chips, question, reference
from hubsync.tui.screens.browse import Browse
from hubsync.tui.session import Session
from hubsync.tui.text import words
from hubsync.tui.widgets.chips import Chips
from hubsync.tui.widgets.rows import RowList

TYPING_SECONDS = 0.3
"""Pause in typing after which the hubs are asked."""


@dataclass
class Searched(Message, bubble=False):
    """The hubs answered; `query` tells whether anybody still wants to know."""

    query: Query
    result: SearchResult


@dataclass
class BasesRead(Message, bubble=False):
    """The names of base models one can search for; `chip` shows them."""

    chip: Chip
    choices: tuple[Choice, ...]


class Searching(Browse[Lora]):
    """A list of search results. An answer to another question than box and chips ask is dropped."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "filters", "Filters", id="discover.filters", tooltip="To source, type, base model, sort and more"),
        Binding("r,f5", "again", "Search again", show=False, id="discover.again", tooltip="Ask the hubs once more"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        settings = self.hubsync.settings.search
        self._limit = settings.limit
        self.chips = Chips(chips(Nsfw(settings.nsfw)))
        self._paging = Paging(self._question(""))
        self._turns = Turns(UNDER_WAY)
        self._tip = Content()
        self._found = ""

    def compose(self) -> ComposeResult:
        """The chips stand between box and list."""
        for widget in super().compose():
            yield widget
            if widget.id == "box":
                yield self.chips

    def on_mount(self) -> None:
        """Ask for the most downloaded, once the first frame stands."""
        self._typing = self.set_timer(TYPING_SECONDS, self._search, pause=True)
        self.set_timer(FIRST_FRAME, self._begin)

    def look_for(self, text: str) -> None:
        """Wait for a pause in typing."""
        wanted = self._question(text)
        if wanted == self._paging.query:
            return
        self._paging = Paging(wanted)
        self._say_found("searching…")
        self._typing.stop()
        self._typing = self.set_timer(TYPING_SECONDS, self._search)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The way to the chips is offered elsewhere."""
        if action == "filters":
            return self.focused is not self.chips
        return super().check_action(action, parameters)

    def action_filters(self) -> None:
        """To the chips."""
        self.chips.focus()

    def action_again(self) -> None:
        """Ask the same once more."""
        self._paging = Paging(self._paging.query)
        self._search()

    def _question(self, text: str) -> Query:
        return question(text, self.chips.values, limit=self._limit)

    def _begin(self) -> None:
        self.listing.show([], placeholder=SEARCHING)
        self._search()
        if not self.hubsync.settings.civitai.api_key:
            ask(self, "library", lambda: LibraryCounted(self.hubsync.library.count(ListFilter())))

    def _search(self) -> None:
        self._ask(self._paging.query)

    def _ask(self, query: Query) -> None:
        self._say_found("searching…")
        ticket = self._turns.ticket()
        ask(self, "search", lambda: Searched(query, self._turns.take(ticket, lambda: self._answer(query))))

    def _answer(self, query: Query) -> SearchResult:
        """What the hubs say; a pasted reference is looked up instead of searched for."""
        service = self.hubsync.search
        ref = reference(query.text)
        return SearchResult(items=(service.show(ref),)) if ref else service.run(query)

    def _say_found(self, found: str) -> None:
        """How many rows there are, and how many are selected."""
        self._found = found
        marked = f"{self.listing.marked} selected · " if self.listing.marked else ""
        self.listing.border_subtitle = f"{marked}{found}"

    @on(RowList.NearEnd)
    def _next_page(self) -> None:
        if query := self._paging.next():
            self._ask(query)

    @on(RowList.Marked)
    def _say_marked(self) -> None:
        self._say_found(self._found)

    @on(Chips.Changed)
    def _ask_otherwise(self) -> None:
        self.look_for(self.box.value.strip())

    @on(Chips.Opened)
    def _show_values(self, message: Chips.Opened) -> None:
        if message.chip.free:
            ask(self, "bases", lambda: BasesRead(message.chip, base_choices(self.hubsync.families)))
        else:
            self._choose(message.chip)

    @on(BasesRead)
    def _show_bases(self, message: BasesRead) -> None:
        self._choose(replace(message.chip, choices=message.choices))

    def _choose(self, chip: Chip) -> None:
        from hubsync.tui.screens.choosing import Choosing

        def chosen(value: str | None) -> None:
            if value is not None:
                self.chips.set(chip.key, value)

        self.app.push_screen(Choosing(chip, value=self.chips.values[chip.key]), chosen)

    @on(Searched)
    def _show_results(self, message: Searched) -> None:
        query, result, paging = message.query, message.result, self._paging
        if not paging.answers(query):
            return
        fresh = paging.take(result)
        self.say(down(result.errors) if result.errors else self._tip)
        if query.cursors:
            self.listing.append(fresh)
        else:
            self.listing.show(fresh, placeholder=nothing(query, result, narrowed=self.chips.changed))
        self._say_found(f"{len(self.listing.rows)}{'+' if paging.more else ''} found")

    @on(Refused)
    def _show_nothing(self, message: Refused) -> None:
        if message.group == "search":
            self.listing.show([], placeholder="Nothing to show.")
            self._say_found("")

    @on(LibraryCounted)
    def _greet(self, message: LibraryCounted) -> None:
        if not message.count:
            self._tip = words(NO_KEY, "$foreground-muted")
            if not self.notice.display:
                self.say(self._tip)
