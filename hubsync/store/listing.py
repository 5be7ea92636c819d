"""Which LoRAs a filter means, how many, and in what order; and what there is to filter by; told by the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping

from hubsync.domain import ListFilter, ListSort
from hubsync.store import finding

_ORDERS = {
    ListSort.NAME: "name_key, path",
    ListSort.NEWEST: "installed_at IS NULL, installed_at DESC, id DESC",
    ListSort.SIZE: "size DESC, name_key",
}
_MOST_FOUND = 100_000
_MOST_TAGS = 500
_LIVING = "trashed IS NULL"


def ids(connection: sqlite3.Connection, wanted: ListFilter, *, limit: int = -1, offset: int = 0) -> list[int]:
    """The ids of the LoRAs that fit, a page of them; with a text those that fit it best come first."""
    where, parameters = _where(connection, wanted)
    query = f"SELECT id FROM loras WHERE {where} ORDER BY {_ORDERS[wanted.sort]}"  # noqa: S608
    if not wanted.text.strip():
        page = connection.execute(f"{query} LIMIT ? OFFSET ?", [*parameters, limit, offset])
        return [key for (key,) in page]
    # Alone, a text needs no more of the matches than the page shows.
    alone = where == _LIVING and wanted.sort is ListSort.NAME
    if alone and limit >= 0:
        return finding.find(connection, wanted.text, limit=limit, offset=offset)
    matches = finding.find(connection, wanted.text, limit=_MOST_FOUND)
    if not alone:
        fitting = [key for (key,) in connection.execute(query, parameters)]
        chosen, fits = {*matches}, {*fitting}
        by_match = wanted.sort is ListSort.NAME
        matches = [key for key in matches if key in fits] if by_match else [key for key in fitting if key in chosen]
    return matches[offset : None if limit < 0 else offset + limit]


def count(connection: sqlite3.Connection, wanted: ListFilter) -> int:
    """How many LoRAs fit."""
    if wanted.text.strip():
        return len(ids(connection, wanted))
    where, parameters = _where(connection, wanted)
    return int(connection.execute(f"SELECT COUNT(*) FROM loras WHERE {where}", parameters).fetchone()[0])  # noqa: S608


def families(connection: sqlite3.Connection) -> Mapping[str, int]:
    """The families of the library with their numbers of LoRAs, the most common first."""
    query = (
        "SELECT family, COUNT(*) AS many FROM loras WHERE trashed IS NULL AND family IS NOT NULL "
        "GROUP BY family ORDER BY many DESC, family"
    )
    return dict(connection.execute(query).fetchall())


def tags(connection: sqlite3.Connection) -> Mapping[str, int]:
    """The tags of the library with their numbers of LoRAs, the most common first, 500 at most."""
    query = (
        "SELECT tag, COUNT(*) AS many FROM tags JOIN loras ON id = lora_id WHERE trashed IS NULL "
        "GROUP BY tag ORDER BY many DESC, tag LIMIT ?"
    )
    return dict(connection.execute(query, [_MOST_TAGS]).fetchall())


def _where(connection: sqlite3.Connection, wanted: ListFilter) -> tuple[str, list[str]]:
    """The condition of a filter without its text, with its parameters."""
    connection.create_function("casefold", 1, _folded, deterministic=True)
    conditions = dict(_conditions(wanted))
    return " AND ".join([_LIVING, *conditions]), [value for value in conditions.values() if value is not None]


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
    if wanted.no_words:
        yield "NOT EXISTS (SELECT 1 FROM trigger_words WHERE lora_id = loras.id)", None
    if wanted.no_preview:
        yield "preview IS NULL", None


def _folded(text: str | None) -> str | None:
    return None if text is None else text.casefold()
