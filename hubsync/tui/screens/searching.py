"""Asking the hubs: box and chips make a question, its answers fill the list page by page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from hubsync.domain import ListFilter, Lora, Nsfw, Page, Query, SearchResult
from hubsync.errors import HubsyncError
from hubsync.refs import Source
from hubsync.services.search import hubs_of
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

STALE_SECONDS = 1.0
"""How long the rows of the question before stay in sight: without them every word would make the list flicker."""

_SEARCHING = "searching…"
_PATIENCE = 3.0  # seconds for a hub in trouble, at a time: after the first two pauses the screen says so instead


@dataclass
class HubAnswered(Message, bubble=False):
    """A hub answered; `query` tells whether anybody still wants to know."""

    query: Query
    source: Source
    answer: Page | HubsyncError


@dataclass
class Searched(Message, bubble=False):
    """Every hub that was asked has answered; `result` is that page of both."""

    query: Query
    result: SearchResult


@dataclass
class BasesRead(Message, bubble=False):
    """The names of base models one can search for; `chip` shows them."""

    chip: Chip
    choices: tuple[Choice, ...]


class Searching(Browse[Lora]):
    """A list of search results, hub by hub. An answer to another question than box and chips ask is dropped."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "filters", "Filters", id="discover.filters", tooltip="To source, type, base model, sort and more"),
        Binding(
            "R", "reset_filters", "Reset filters", show=False, id="discover.reset_filters",
            tooltip="Every filter back to what it is at first",
        ),
        Binding("r,f5", "again", "Search again", show=False, id="discover.again", tooltip="Ask the hubs once more"),
    ]  # fmt: skip

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        settings = self.hubsync.settings.search
        self._limit = settings.limit
        self.chips = Chips(chips(Nsfw(settings.nsfw)))
        self._paging = _paging(self._question(""))
        self._turns = {source: Turns(UNDER_WAY) for source in Source}
        self._shown: Query | None = None
        self._down: dict[Source, HubsyncError] = {}
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
        self._aging = self.set_timer(STALE_SECONDS, self._clear, pause=True)
        self.set_timer(FIRST_FRAME, self._begin)

    def look_for(self, text: str) -> None:
        """Wait for a pause in typing."""
        wanted = self._question(text)
        if wanted == self._paging.query:
            return
        self._paging = _paging(wanted)
        self._say_found(_SEARCHING)
        self._typing.stop()
        self._typing = self.set_timer(TYPING_SECONDS, self._search)
        self._aging.stop()
        self._aging = self.set_timer(STALE_SECONDS, self._clear)

    @property
    def fits(self) -> bool:
        """Whether the rows are what box and chips ask for; those of the question before stay for a moment."""
        return self._shown == self._paging.query

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The way to the chips is offered elsewhere."""
        if action == "filters":
            return self.focused is not self.chips
        return super().check_action(action, parameters)

    def action_filters(self) -> None:
        """To the chips."""
        self.chips.focus()

    def action_reset_filters(self) -> None:
        """Back to all that the text finds."""
        self.chips.reset()

    def action_again(self) -> None:
        """Ask the same once more, hubs that failed too."""
        self.hubsync.search.forget()
        self._paging = _paging(self._paging.query)
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
        """Ask each hub by itself: one that hangs holds nothing up. A pasted reference is looked up instead."""
        self._say_found(_SEARCHING)
        service = self.hubsync.search
        if ref := reference(query.text):
            self._ask_hub(query, ref.source, lambda: Page(items=(service.show(ref),)), group="search")
            return
        for source in hubs_of(query):
            answer = partial(service.ask, source, query, patience=_PATIENCE)
            self._ask_hub(query, source, answer, group=f"search {source.value}")

    def _ask_hub(self, query: Query, source: Source, answer: Callable[[], Page | HubsyncError], *, group: str) -> None:
        turns = self._turns[source]
        ticket = turns.ticket()
        ask(self, group, lambda: HubAnswered(query, source, turns.take(ticket, answer)))

    def _clear(self) -> None:
        """Rows of another question do not stand for an answer."""
        if not self.fits:
            self.listing.show([], placeholder=SEARCHING)

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

    @on(HubAnswered)
    def _show_answer(self, message: HubAnswered) -> None:
        query, paging = message.query, self._paging
        if not paging.answers(query, message.source):
            return
        fresh = paging.take(message.source, message.answer)
        result = paging.result
        self._say_down(message.source, message.answer)
        if query.cursors:
            self.listing.append(fresh)
        elif paging.rows or paging.over:
            self._show_first(paging.rows, placeholder=nothing(query, result, narrowed=self.chips.changed))
        if paging.over:
            self._say_found(f"{len(paging.rows)}{'+' if paging.more else ''} found")
            self.post_message(Searched(query, result))
        else:
            self._say_found(f"{len(paging.rows)} so far, {_SEARCHING}")

    def _say_down(self, source: Source, answer: Page | HubsyncError) -> None:
        """What is wrong with a hub stays in sight until it answers: the list must not jump with every word."""
        self._down.pop(source, None)
        if isinstance(answer, HubsyncError):
            self._down[source] = answer
        errors = {hub: self._down[hub] for hub in self._paging.query.sources if hub in self._down}
        self.say(down(errors) if errors else self._tip)

    def _show_first(self, rows: Sequence[Lora], *, placeholder: str) -> None:
        """The first page: what the second hub found stands between the rows of the first."""
        begins = self.fits and self.listing.highlighted == 0
        self._shown = self._paging.query
        self.listing.show(rows, placeholder=placeholder)
        if begins:
            self.listing.highlighted = 0

    @on(Refused)
    def _show_nothing(self, message: Refused) -> None:
        if message.group.startswith("search"):
            self._shown = self._paging.query
            self.listing.show([], placeholder="Nothing to show.")
            self._say_found("")

    @on(LibraryCounted)
    def _greet(self, message: LibraryCounted) -> None:
        if not message.count:
            self._tip = words(NO_KEY, "$foreground-muted")
            if not self.notice.display:
                self.say(self._tip)


def _paging(query: Query) -> Paging:
    """The beginning of a question: who is asked."""
    ref = reference(query.text)
    return Paging(query, (ref.source,) if ref else hubs_of(query))
