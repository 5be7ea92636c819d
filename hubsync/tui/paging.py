"""An endless search: which answers still count, which rows are new, if there is another page, and whose turn it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from threading import Condition
from typing import TypeVar

from hubsync.domain import Lora, Page, Query, SearchResult
from hubsync.errors import Cancelled, HubsyncError
from hubsync.refs import Ref, Source
from hubsync.services.search import together

Answer = TypeVar("Answer")

UNDER_WAY = 4
"""Questions of one kind under way at once: a hub that hangs leaves room for the next words."""

_EMPTY_PAGES = 3  # a hub may go on with empty pages and a cursor; so many in a row count as its end


class Paging:
    """One question to the hubs, page after page; a page is over when the last of them has answered.

    `rows` are all that came: those of the first page in one order, later ones as they come, for nothing above the
    highlight may move then.
    """

    def __init__(self, query: Query, hubs: Iterable[Source]) -> None:
        self.query = query
        self.rows: Sequence[Lora] = ()
        self._asked: Query | None = query
        self._waiting = set(hubs)
        self._answers: dict[Source, Page | HubsyncError] = {}
        self._cursors: Mapping[Source, str] = {}
        self._seen: set[Ref] = set()
        self._empty = 0

    @property
    def more(self) -> bool:
        """Whether a hub has further pages."""
        return bool(self._cursors) and self._empty < _EMPTY_PAGES

    def next(self) -> Query | None:
        """The question for the next page; None at the end, and while a page is on its way."""
        if self._asked or not self.more:
            return None
        self._asked = replace(self.query, cursors=self._cursors)
        self._waiting = set(self._cursors)
        self._answers = {}
        return self._asked

    @property
    def over(self) -> bool:
        """Whether every hub that was asked has answered."""
        return not self._waiting

    @property
    def result(self) -> SearchResult:
        """What came of the page asked for last, so far."""
        return together(self._answers, self.query.sort)

    def answers(self, query: Query, source: Source) -> bool:
        """Whether a hub's answer to `query` is one waited for: typing goes on while a hub thinks."""
        return query == self._asked and source in self._waiting

    def take(self, source: Source, answer: Page | HubsyncError) -> Sequence[Lora]:
        """The rows of a hub's answer that are not in the list yet."""
        fresh = [lora for lora in answer.items if lora.ref not in self._seen] if isinstance(answer, Page) else []
        self._seen.update(lora.ref for lora in fresh)
        self._answers[source] = replace(answer, items=tuple(fresh)) if isinstance(answer, Page) else answer
        self._waiting.discard(source)
        result = self.result
        self.rows = (*self.rows, *fresh) if self._asked != self.query else result.items
        if self.over:
            self._empty = 0 if result.items else self._empty + 1
            self._cursors = {hub: cursor for hub, cursor in result.next.items() if cursor}
            self._asked = None
        return fresh


class Turns:
    """Lets `most` questions be under way at once; of those that wait only the newest gets its turn.

    A hub that hangs keeps its thread for up to a minute: one for each word typed meanwhile would use up all there are.
    """

    def __init__(self, most: int) -> None:
        self._left = most
        self._newest = 0
        self._changed = Condition()

    def ticket(self) -> int:
        """A number for a question, which sends away all that still wait."""
        with self._changed:
            self._newest += 1
            self._changed.notify_all()
            return self._newest

    def take(self, ticket: int, question: Callable[[], Answer]) -> Answer:
        """Wait for a turn, then ask.

        Raises:
            Cancelled: there is a newer question.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._left or ticket != self._newest)
            if ticket != self._newest:
                raise Cancelled
            self._left -= 1
        try:
            return question()
        finally:
            with self._changed:
                self._left += 1
                self._changed.notify_all()
