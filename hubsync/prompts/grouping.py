"""Groups of trigger words as plain JSON, for the database and for sidecars; reading them back forgives anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hubsync.domain import TriggerGroup, TriggerWord, WordSource
from hubsync.text import clean

Builtins = list[list[object]]
"""One `[enabled, [[text, source, enabled], …]]` for each group, in their order."""

_SOURCES = {source.value: source for source in WordSource}


def groups_to_builtins(groups: Iterable[TriggerGroup]) -> Builtins:
    """Groups as JSON holds them; their numbers follow from their order."""
    return [[group.enabled, [[word.text, word.source.value, word.enabled] for word in group.words]] for group in groups]


def groups_from_builtins(value: object) -> tuple[TriggerGroup, ...]:
    """Groups as they were written, numbered from 1; whatever is malformed, and groups without a word, are left out."""
    found = [(rows[0], words) for rows in _lists(value, 2) if (words := tuple(_words(rows[1])))]
    return tuple(
        TriggerGroup(index=index, enabled=enabled is True, words=words)
        for index, (enabled, words) in enumerate(found, start=1)
    )


def _words(value: object) -> Iterator[TriggerWord]:
    for text, source, enabled in _lists(value, 3):
        word = clean(text) if isinstance(text, str) else ""
        if word and isinstance(source, str) and source in _SOURCES:
            yield TriggerWord(text=word, source=_SOURCES[source], enabled=enabled is not False)


def _lists(value: object, length: int) -> Iterator[list[object]]:
    """The rows of a list that are lists themselves, of that length."""
    for row in value if isinstance(value, list) else ():
        if isinstance(row, list) and len(row) == length:
            yield row
