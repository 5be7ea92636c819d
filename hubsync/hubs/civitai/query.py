"""A search as Civitai's `/models` takes it, and what of its answer is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hubsync.domain import Lora, LoraType, Nsfw, Period, Query, Sort
from hubsync.families import Families, letters
from hubsync.hubs.base import within
from hubsync.hubs.civitai.files import TYPES

_SORTS = {
    Sort.DOWNLOADS: "Most Downloaded",
    Sort.LIKES: "Most Liked",
    Sort.RATING: "Highest Rated",
    Sort.NEWEST: "Newest",
}
_LARGEST_PAGE = 100


def params(query: Query, *, limit: int, cursor: str | None, bases: Sequence[str]) -> list[tuple[str, str]]:
    """The query string's pairs. Lists repeat their key: comma-joined ones are refused or filter nothing.

    `page` is never among them, for beside `query` it is refused. Only the lowest ceiling asks the server to leave
    mature models out: its filter keeps what holds a PG picture, which for the others is the wrong set.
    """
    pairs = [("limit", str(max(1, min(limit, _LARGEST_PAGE)))), ("nsfw", str(query.nsfw is not Nsfw.NONE).lower())]
    if LoraType.OTHER not in query.types:
        pairs += [("types", name) for name, kind in TYPES.items() if kind in query.types]
    pairs += [("baseModels", base) for base in bases]
    single = {
        "query": query.text.strip(),
        "tag": query.tag,
        "username": query.creator,
        "sort": _SORTS.get(query.sort),
        "period": None if query.period is Period.ALL else query.period.capitalize(),
        "cursor": cursor,
    }
    return pairs + [(key, value) for key, value in single.items() if value]


def base_names(names: Sequence[str], families: Families, ask: Callable[[], Sequence[str]]) -> list[str]:
    """Civitai's names for base models given as its own, as families, or as repositories.

    Its own may be written in any case, with or without spaces, dots and hyphens. `ask` gives those it has now, for a
    name the table does not know; one that it does not know either stays as it is.
    """
    return list(dict.fromkeys(base for name in names for base in _base_names(name, families, ask)))


def _base_names(name: str, families: Families, ask: Callable[[], Sequence[str]]) -> Sequence[str]:
    if name.casefold() in families.table:
        return families[name.casefold()].civitai
    if "/" in name:
        return families[families.of(name) or ""].civitai or (name,)
    known = [base for family in families.table.values() for base in family.civitai]
    return (_spelled(name, known) or _spelled(name, ask()) or name,)


def _spelled(name: str, known: Sequence[str]) -> str | None:
    """How the hub spells a name: exactly so, else what differs in case and in what parts the words."""
    return next((base for key in (str.casefold, letters) for base in known if key(base) == key(name)), None)


def shown(lora: Lora, query: Query) -> Lora | None:
    """A row with its first version and the pictures under the ceiling; None where it is not what was asked for.

    Filters are applied again because the server drops a tag it does not know and caps levels by front page.
    """
    if not within(query.nsfw, level=lora.nsfw_level, nsfw=lora.nsfw) or lora.type not in query.types:
        return None
    if query.tag and query.tag.casefold() not in {tag.casefold() for tag in lora.tags}:
        return None
    versions = [
        replace(version, previews=tuple(p for p in version.previews if within(query.nsfw, level=p.nsfw_level)))
        for version in lora.versions[:1]
    ]
    return replace(lora, versions=tuple(versions))


def ordered(rows: Sequence[Lora], query: Query) -> Sequence[Lora]:
    """The page in the order asked for: beside a text the server knows relevance only."""
    if not query.text or query.sort is Sort.RELEVANCE:
        return rows
    if query.sort is Sort.NEWEST:
        return sorted(rows, key=lambda lora: lora.updated_at.timestamp() if lora.updated_at else 0.0, reverse=True)
    by_downloads = query.sort is Sort.DOWNLOADS
    return sorted(rows, key=lambda lora: (lora.downloads if by_downloads else lora.likes) or 0, reverse=True)
