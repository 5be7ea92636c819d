"""Searching both hubs at once, and showing one LoRA before a byte is downloaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
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
    """Asks the hubs. `hub` is called on first use: making an HTTP client costs time that `list` never pays.

    `forget` ends the waits for hubs that failed without asking for one.
    """

    hub: Callable[[Source], Hub]
    records: Records
    forget: Callable[[], None]

    def run(self, query: Query) -> SearchResult:
        """One page of both hubs, merged; a hub that fails is reported beside the other's rows."""
        asked = hubs_of(query)
        with ThreadPoolExecutor(max_workers=max(1, len(asked))) as pool:
            answers = pool.map(lambda source: self.ask(source, query), asked)
            return together(dict(zip(asked, answers, strict=True)), query.sort)

    def ask(self, source: Source, query: Query, *, patience: float | None = None) -> Page | HubsyncError:
        """One page of one hub, or why there is none; a hub in trouble is waited for as `Hub.search` says."""
        try:
            page = self.hub(source).search(query, patience=patience)
        except HubsyncError as error:
            return error
        return replace(page, items=self.marked(page.items))

    def show(self, reference: str | Ref) -> Lora:
        """Everything a hub knows about one LoRA.

        Raises:
            BadReference, NotFound, AccessDenied, HubError: as the hub answers.
        """
        ref = parse_ref(reference) if isinstance(reference, str) else reference
        return self.marked([self.hub(ref.source).lora(ref)])[0]

    def marked(self, items: Sequence[Lora]) -> tuple[Lora, ...]:
        """The same rows, told which are installed: from their page, or as the very bytes of their newest version."""
        installed = {_page_of(ref) for ref in self.records.refs()}
        here = self.records.having(chain.from_iterable(map(_hashes, items)))
        return tuple(
            replace(item, installed=_page_of(str(item.ref)) in installed or not here.isdisjoint(_hashes(item)))
            for item in items
        )


def hubs_of(query: Query) -> Sequence[Source]:
    """The hubs a query is for. One without a cursor is not asked again once any is given: its rows are shown."""
    return [source for source in query.sources if not query.cursors or source in query.cursors]


def together(answers: Mapping[Source, Page | HubsyncError], sort: Sort) -> SearchResult:
    """What hubs answered to one question, as one page; who was first is all the same."""
    answers = {source: answers[source] for source in Source if source in answers}
    pages = {source: answer for source, answer in answers.items() if isinstance(answer, Page)}
    return SearchResult(
        items=merge([page.items for page in pages.values()], sort),
        errors={source: answer for source, answer in answers.items() if isinstance(answer, HubsyncError)},
        next={source: page.next for source, page in pages.items()},
    )


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


def _hashes(lora: Lora) -> list[str]:
    """The SHA-256 of the newest version's files, as far as the hub told them."""
    return [file.sha256.lower() for version in lora.versions[:1] for file in version.files if file.sha256]


def _page_of(ref: str) -> str:
    """What two canonical references to one page have in common; cut out of the text, for a library holds thousands."""
    return "/".join(re.split("[@#]", ref, maxsplit=1)[0].split("/")[:2]).casefold()
