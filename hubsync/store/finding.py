"""Full-text search: LoRAs by any part of their names, words, tags and creators, the likeliest first.

All of it is one index of trigrams over texts that `folding` prepares, so a word's beginning, a name's beginning and a
substring are the same kind of question. It is asked from the strictest kind down, each from the newest LoRA on, and
answered when the page is full.
"""

from __future__ import annotations

import difflib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from hubsync.store import folding
from hubsync.store.trigrams import Index, every_trigram

_MOST_CHARACTERS = 200
_FEW = 600
"""LoRAs that may be an answer and are compared at once with every kind: 1 ms."""
_COMPARED = 500
"""LoRAs compared for each better kind of answer. What lies behind them comes among those that have it anywhere."""
_SCANNED = 2000
"""The newest LoRAs, which are looked through for a letter inside words: 2 ms. No index has those."""
_TOLD_BY, _ALIKE, _NEAREST = 10, 200, 150
"""Trigrams of a misspelt name that are looked for, LoRAs with each, and names that are compared: 20 ms together."""


def refresh(connection: sqlite3.Connection, ids: Iterable[int] | None) -> None:
    """Make LoRAs found by what their rows say now; all of them with None. Those in the trash are not found."""
    connection.create_function("lookup_body", 3, folding.body, deterministic=True)
    chosen, parameters = ("1", []) if ids is None else ("id IN (SELECT value FROM json_each(?))", [json.dumps([*ids])])
    living = "SELECT id FROM loras WHERE trashed IS NULL"
    connection.execute(f"DELETE FROM lookup WHERE {chosen} AND id NOT IN ({living})", parameters)  # noqa: S608
    connection.execute(
        f"""
        INSERT INTO lookup (id, body)
        SELECT id, lookup_body(
            name,
            title || ' ' || COALESCE(alias, ''),
            COALESCE(creator, '')
            || COALESCE((SELECT ' ' || group_concat(tag, ' ') FROM tags WHERE lora_id = loras.id), '')
            || COALESCE((SELECT ' ' || group_concat(text, ' ') FROM trigger_words WHERE lora_id = loras.id), '')
        ) FROM loras WHERE trashed IS NULL AND {chosen}
        ON CONFLICT (id) DO UPDATE SET body = excluded.body WHERE body != excluded.body
        """,  # noqa: S608
        parameters,
    )
    if ids is None:
        # One segment instead of ten makes a question a third cheaper; it takes 0.4 s at 100,000 LoRAs.
        connection.execute("INSERT INTO finder (finder) VALUES ('optimize')")


def find(connection: sqlite3.Connection, text: str, *, limit: int = 100, offset: int = 0) -> list[int]:
    """The ids of the LoRAs that have all words of a text in them, a page of them; all without a limit (-1).

    First those of that name, then names that begin with the text, names with words that do, LoRAs with words, tags or
    a creator that do, and last those that have it anywhere; the newest first in each.
    """
    found: dict[int, None] = {}
    kinds = folding.needles(text[:_MOST_CHARACTERS])
    for key in _answers(Index.of(connection), kinds) if kinds and limit else ():
        found[key] = None
        if limit > 0 and len(found) == offset + limit:
            break
    return [*found][offset:]


def near(connection: sqlite3.Connection, name: str, n: int = 3) -> list[str]:
    """Up to `n` names that look like this one, the nearest first.

    Comparing all of 100,000 names would take seconds; those are compared that share the most trigrams, and most of all
    those that also begin or end alike.
    """
    index = Index.of(connection)
    trigrams = every_trigram(folding.whole(folding.words(name[:_MOST_CHARACTERS]))[1:-1])
    shared: Counter[int] = Counter()
    for trigram in sorted(trigrams, key=index.count)[:_TOLD_BY]:
        for together in ({trigram}, {trigrams[0], trigram}, {trigram, trigrams[-1]}):
            shared.update(index.with_trigrams(together, _ALIKE))
    keys = [key for key, _count in shared.most_common(_NEAREST)]
    keys += index.newest_having("", _NEAREST - len(keys))
    query = "SELECT name_key, name FROM loras WHERE trashed IS NULL AND id IN (SELECT value FROM json_each(?))"
    names = dict(connection.execute(query, [json.dumps(keys)]).fetchall())
    return [names[key] for key in difflib.get_close_matches(name.casefold(), names, n=n)]


def _answers(index: Index, kinds: Sequence[Sequence[str]]) -> Iterator[int]:
    """Ids, the best first; one that answers in several ways comes several times."""
    few = index.if_few(kinds[-1], _FEW)
    if few is not None:
        yield from _sorted_out(few, kinds)
        return
    of_names, others = kinds[: folding.OF_NAMES], kinds[folding.OF_NAMES : -1]
    few = index.if_few(of_names[-1], _FEW)
    if few is not None:
        yield from _sorted_out(few, of_names)
    for needles in others if few is not None else [*of_names, *others]:
        yield from index.having(needles, _COMPARED)
    yield from _anywhere(index, kinds[-1])


def _sorted_out(bodies: Sequence[tuple[int, str]], kinds: Sequence[Sequence[str]]) -> Iterator[int]:
    for needles in kinds:
        fitting = bodies
        for needle in needles:
            fitting = [row for row in fitting if needle in row[1]]
        yield from (key for key, _body in fitting)


def _anywhere(index: Index, needles: Sequence[str]) -> Iterator[int]:
    (first, *more) = needles
    if more or len(first) > 2:
        yield from index.having(needles)
    elif len(first) == 2 and first.isascii():
        yield from index.having_two(first)
    else:
        yield from index.newest_having(first, _SCANNED)
