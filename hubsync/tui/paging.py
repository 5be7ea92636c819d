"""An endless search: which answers still count, which rows are new, and whether there is another page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hubsync.domain import Lora, Query, SearchResult
from hubsync.refs import Ref, Source

_EMPTY_PAGES = 3  # a hub may go on with empty pages and a cursor; so many in a row count as its end


class Paging:
    """One question to the hubs, page after page."""

    def __init__(self, query: Query) -> None:
        self.query = query
        self._cursors: Mapping[Source, str] = {}
        self._seen: set[Ref] = set()
        self._empty = 0
        self._asked = False

    @property
    def more(self) -> bool:
        """Whether a hub has further pages."""
        return bool(self._cursors) and self._empty < _EMPTY_PAGES

    def next(self) -> Query | None:
        """The question for the next page; None at the end, and while a page is on its way."""
        if self._asked or not self.more:
            return None
        self._asked = True
        return replace(self.query, cursors=self._cursors)

    def answers(self, query: Query) -> bool:
        """Whether an answer to `query` is one to this question: typing goes on while a hub thinks."""
        return replace(query, cursors={}) == self.query

    def take(self, result: SearchResult) -> Sequence[Lora]:
        """The rows of an answer that are not in the list yet."""
        fresh = [lora for lora in result.items if lora.ref not in self._seen]
        self._seen.update(lora.ref for lora in fresh)
        self._empty = 0 if fresh else self._empty + 1
        self._cursors = {source: cursor for source, cursor in result.next.items() if cursor}
        self._asked = False
        return fresh
