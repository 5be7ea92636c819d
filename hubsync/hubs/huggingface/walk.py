"""A search of the Hub: its list takes one tag combination at a time, so several lists are read and merged.

Both names of a renamed base model stay on cards as their authors wrote them, and `dora` stands on some cards instead
of `lora`. A place in the merged order is the place in each list, which is what a cursor holds.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, product
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from hubsync.domain import Query, Sort
from hubsync.errors import UsageError
from hubsync.families import Families
from hubsync.hubs.base import MOST_PAGES
from hubsync.hubs.huggingface.read import TAGS
from hubsync.hubs.huggingface.shapes import Repo
from hubsync.lenient import read
from hubsync.refs import Source

# One call for a page gives card metadata and file names; sizes come with a repository's own answer.
_FIELDS = (
    *("author", "cardData", "createdAt", "disabled", "downloads", "gated", "lastModified", "library_name", "likes"),
    *("pipeline_tag", "private", "sha", "siblings", "tags", "trendingScore"),
)
_SORTS = {
    Sort.RELEVANCE: "trendingScore",
    Sort.DOWNLOADS: "downloads",
    Sort.LIKES: "likes",
    Sort.RATING: "likes",
    Sort.NEWEST: "lastModified",
}
_LARGEST_PAGE = 100
_MOST_AT_ONCE = 4

Fetch = Callable[[list[tuple[str, str]]], tuple[list[object], str | None]]
"""Asks for a page with these parameters; gives its raw rows and the cursor of the next."""


class _Place(NamedTuple):
    """Where in a list to go on: a page's cursor, empty for the first page, and rows of it already taken."""

    cursor: str
    taken: int


@dataclass
class _Listing:
    """One list being read; `place` is None at its end."""

    filters: tuple[str, ...]
    place: _Place | None


class _Row(NamedTuple):
    repo: Repo | None
    listing: _Listing
    after: _Place | None


class Walk:
    """Walks through the merged lists of a query, and knows the cursor of where it stands.

    Raises:
        UsageError: the query's cursor is none of these.
    """

    def __init__(self, query: Query, families: Families, fetch: Fetch) -> None:
        self._query = query
        self._fetch = fetch
        self._listings = _listings(query, families)

    def __iter__(self) -> Iterator[Repo]:
        """Repositories in the order asked for, possibly with repetitions; rows that are none are skipped."""
        lists = [self._rows(listing) for listing in self._listings]
        with ThreadPoolExecutor(max_workers=_MOST_AT_ONCE) as pool:
            firsts = list(pool.map(lambda rows: next(rows, None), lists))
        going = [chain([first], rows) for first, rows in zip(firsts, lists, strict=True) if first]
        for row in heapq.merge(*going, key=self._rank, reverse=True):
            row.listing.place = row.after
            if row.repo is not None:
                yield row.repo

    @property
    def cursor(self) -> str | None:
        """Opaque text from which another walk goes on; None when every list is at its end."""
        live = [listing for listing in self._listings if listing.place]
        return urlencode([(" ".join(x.filters), f"{x.place.taken}~{x.place.cursor}") for x in live if x.place]) or None

    def _rank(self, row: _Row) -> tuple[str, float]:
        """What the lists are ordered by; rows that cannot be read keep their list's place at the front."""
        repo, order = row.repo, _SORTS[self._query.sort]
        if repo is None:
            return "\U0010ffff", 0.0
        numbers = {"trendingScore": repo.trending_score, "downloads": repo.downloads, "likes": repo.likes}
        return (repo.last_modified, 0.0) if order == "lastModified" else ("", numbers[order] or 0.0)

    def _rows(self, listing: _Listing) -> Iterator[_Row]:
        for _ in range(MOST_PAGES):
            if (place := listing.place) is None:
                return
            raw, following = self._fetch(self._params(listing, place))
            after = _Place(following, 0) if following and following != place.cursor else None
            for index, item in enumerate(raw[place.taken :], start=place.taken + 1):
                repo = read(item, Repo)
                here = _Place(place.cursor, index) if index < len(raw) else after
                yield _Row(repo if repo and repo.is_named else None, listing, here)
            listing.place = after

    def _params(self, listing: _Listing, place: _Place) -> list[tuple[str, str]]:
        query = self._query
        pairs = [("filter", value) for value in listing.filters]
        single = {
            "filter": query.tag,
            "search": query.text.strip(),
            "author": query.creator,
            "sort": _SORTS[query.sort],
            "limit": str(min(query.limit + place.taken, _LARGEST_PAGE)),
            "cursor": place.cursor,
        }
        pairs += [(key, value) for key, value in single.items() if value]
        return pairs + [("expand", name) for name in _FIELDS]


def _listings(query: Query, families: Families) -> list[_Listing]:
    """The lists to read: those of the cursor, else one for each tag and each name of each base model."""
    if cursor := query.cursors.get(Source.HUGGINGFACE):
        return [_Listing(tuple(filters.split()), _place(text)) for filters, text in parse_qsl(cursor)]
    tags = [tag for kind, tag in TAGS.items() if kind in query.types]
    repos = [repo for base in query.base_models for repo in families.repositories(base)]
    bases = [(f"base_model:adapter:{repo}",) for repo in dict.fromkeys(repos)]
    wanted = product(tags, bases if query.base_models else [()])
    return [_Listing((tag, *base), _Place("", 0)) for tag, base in wanted]


def _place(text: str) -> _Place:
    taken, found, cursor = text.partition("~")
    if not found or not re.fullmatch(r"[0-9]{1,6}", taken):
        raise UsageError("this is no cursor of a Hugging Face search", hint="start the search again without --cursor")
    return _Place(cursor, int(taken))
