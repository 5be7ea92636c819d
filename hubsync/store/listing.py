"""Which LoRAs a filter means, and in what order, told by the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from hubsync.domain import ListFilter, ListSort
from hubsync.store import finding

_ORDERS = {
    ListSort.NAME: "name_key, path",
    ListSort.NEWEST: "installed_at IS NULL, installed_at DESC, id DESC",
    ListSort.SIZE: "size DESC, name_key",
}
_MOST_FOUND = 100_000


def ids(connection: sqlite3.Connection, wanted: ListFilter, *, limit: int = -1, offset: int = 0) -> list[int]:
    """The ids of the LoRAs that fit, a page of them; with a text those that fit it best come first."""
    connection.create_function("casefold", 1, _folded, deterministic=True)
    conditions = dict(_conditions(wanted))
    where = " AND ".join(["trashed IS NULL", *conditions])
    parameters = [value for value in conditions.values() if value is not None]
    query = f"SELECT id FROM loras WHERE {where} ORDER BY {_ORDERS[wanted.sort]}"  # noqa: S608
    if not wanted.text.strip():
        page = connection.execute(f"{query} LIMIT ? OFFSET ?", [*parameters, limit, offset])
        return [key for (key,) in page]
    # Alone, a text needs no more of the matches than the page shows.
    alone = not conditions and wanted.sort is ListSort.NAME
    if alone and limit >= 0:
        return finding.find(connection, wanted.text, limit=limit, offset=offset)
    matches = finding.find(connection, wanted.text, limit=_MOST_FOUND)
    if not alone:
        fitting = [key for (key,) in connection.execute(query, parameters)]
        chosen, fits = {*matches}, {*fitting}
        by_match = wanted.sort is ListSort.NAME
        matches = [key for key in matches if key in fits] if by_match else [key for key in fitting if key in chosen]
    return matches[offset : None if limit < 0 else offset + limit]


def _conditions(wanted: ListFilter) -> Iterator[tuple[str, str | None]]:
    """SQL conditions with the value of their one parameter, if they have one."""
    if wanted.base is not None:
        yield "casefold(base_model) = ?", wanted.base.casefold()
    if wanted.family is not None:
        yield "family = ?", wanted.family.casefold()
    if wanted.tag is not None:
        yield "id IN (SELECT lora_id FROM tags WHERE casefold(tag) = ?)", wanted.tag.casefold()
    if wanted.source is not None:
        yield "ref LIKE ?", "hf:%" if wanted.source.value == "huggingface" else f"{wanted.source.value}:%"
    if wanted.trigger is not None:
        yield "id IN (SELECT lora_id FROM trigger_words WHERE casefold(text) = ?)", wanted.trigger.casefold()
    if wanted.outdated:
        yield "newer != ''", None


def _folded(text: str | None) -> str | None:
    return None if text is None else text.casefold()
