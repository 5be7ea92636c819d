"""Searching both hubs at once, and showing one LoRA before a byte is downloaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from hubsync.domain import Lora, Page, Query, SearchResult, Sort
from hubsync.errors import HubsyncError
from hubsync.refs import Ref, Source, parse_ref
from hubsync.store.records import Records

if TYPE_CHECKING:
    from hubsync.hubs.base import Hub

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchService:
    """Asks the hubs. `hub` is called on first use: making an HTTP client costs time that `list` never pays."""

    hub: Callable[[Source], Hub]
    records: Records

    def run(self, query: Query) -> SearchResult:
        """One page of both hubs, merged; a hub that fails is reported beside the other's rows.

        A hub without a cursor is not asked again once any cursor is given: its rows are already shown.
        """
        asked = [source for source in query.sources if not query.cursors or source in query.cursors]
        with ThreadPoolExecutor(max_workers=max(1, len(asked))) as pool:
            answers = dict(zip(asked, pool.map(lambda source: self._ask(source, query), asked), strict=True))
        pages = {source: answer for source, answer in answers.items() if isinstance(answer, Page)}
        errors = {source: answer for source, answer in answers.items() if isinstance(answer, HubsyncError)}
        items = merge([page.items for page in pages.values()], query.sort)
        return SearchResult(
            items=self._marked(items), errors=errors, next={source: page.next for source, page in pages.items()}
        )

    def show(self, reference: str | Ref) -> Lora:
        """Everything a hub knows about one LoRA.

        Raises:
            BadReference, NotFound, AccessDenied, HubError: as the hub answers.
        """
        ref = parse_ref(reference) if isinstance(reference, str) else reference
        return self._marked([self.hub(ref.source).lora(ref)])[0]

    def _ask(self, source: Source, query: Query) -> Page | HubsyncError:
        try:
            return self.hub(source).search(query)
        except HubsyncError as error:
            return error

    def _marked(self, items: Sequence[Lora]) -> tuple[Lora, ...]:
        installed = {_page_of(ref) for ref in self.records.refs()}
        return tuple(replace(item, installed=_page_of(str(item.ref)) in installed) for item in items)


def merge(pages: Sequence[Sequence[Lora]], sort: Sort) -> tuple[Lora, ...]:
    """Rows of several hubs in one order: by the number asked for, else turn by turn as each hub ranked them."""
    turns = chain.from_iterable(zip_longest(*pages))
    rows = [row for row in turns if row is not None]
    if sort is Sort.DOWNLOADS:
        rows.sort(key=lambda row: -(row.downloads or 0))
    elif sort in {Sort.LIKES, Sort.RATING}:
        rows.sort(key=lambda row: -(row.likes or 0))
    elif sort is Sort.NEWEST:
        rows.sort(key=lambda row: row.updated_at or _LONG_AGO, reverse=True)
    return tuple(rows)


def _page_of(ref: str) -> str:
    """What two canonical references to one page have in common; cut out of the text, for a library holds thousands."""
    return "/".join(re.split("[@#]", ref, maxsplit=1)[0].split("/")[:2]).casefold()
