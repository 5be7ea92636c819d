"""Trigger words as a user edits them: pure functions from groups to groups."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from hubsync.domain import TriggerGroup, TriggerWord, WordSource
from hubsync.errors import NotFound, UsageError
from hubsync.prompts.words import key, pieces

Groups = tuple[TriggerGroup, ...]
Item = TypeVar("Item")


def added(groups: Groups, words: Iterable[str], *, group: int | None = None) -> Groups:
    """The groups with words at the end of one: the numbered one, else the first that is on, else the first.

    The number after the last makes a new group; it is on where no other is. A word that is there is switched on.

    Raises:
        UsageError: no such group, or no word.
    """
    texts = _texts(words)
    if group == len(groups) + 1 or not groups:
        _check(group, len(groups) + 1)
        on = not any(one.enabled for one in groups)
        groups = (*groups, TriggerGroup(index=len(groups) + 1, words=(), enabled=on))
        group = len(groups)
    _check(group, len(groups))
    target = group or next((one.index for one in groups if one.enabled), 1)
    return tuple(_with(one, texts) if one.index == target else one for one in groups)


def removed(groups: Groups, words: Iterable[str], *, group: int | None = None) -> Groups:
    """The groups without words, or without one whole group if no word is named. Those left empty go.

    Raises:
        NotFound: a word that is not there. UsageError: no such group.
    """
    wanted = _wanted(groups, words, group)
    left = [replace(one, words=tuple(word for word in one.words if not wanted(one, word))) for one in groups]
    full = [one for one in left if one.words]
    return tuple(replace(one, index=index) for index, one in enumerate(full, start=1))


def switched(groups: Groups, words: Iterable[str], *, on: bool, group: int | None = None) -> Groups:
    """The groups with words switched on or off, or with one whole group if no word is named.

    Raises:
        NotFound: a word that is not there. UsageError: no such group.
    """
    texts = list(words)
    wanted = _wanted(groups, texts, group)
    if not texts:
        return tuple(replace(one, enabled=on) if one.index == group else one for one in groups)
    return tuple(
        replace(one, words=tuple(replace(word, enabled=on) if wanted(one, word) else word for word in one.words))
        for one in groups
    )


def moved(groups: Groups, word: str | None, *, group: int, by: int) -> Groups:
    """The groups with a word `by` places further on in its group, or with the whole group; never past the ends.

    Raises:
        NotFound: a word that is not there. UsageError: no such group.
    """
    wanted = _wanted(groups, [] if word is None else [word], group)
    if word is None:
        return tuple(replace(one, index=index) for index, one in enumerate(_shifted(groups, group - 1, by), start=1))
    one = groups[group - 1]
    place = next(place for place, known in enumerate(one.words) if wanted(one, known))
    return tuple(replace(one, words=_shifted(one.words, place, by)) if one.index == group else one for one in groups)


def _shifted(items: tuple[Item, ...], place: int, by: int) -> tuple[Item, ...]:
    rest = [*items]
    rest.insert(max(0, min(place + by, len(items) - 1)), rest.pop(place))
    return tuple(rest)


def _with(group: TriggerGroup, texts: Sequence[str]) -> TriggerGroup:
    known = {key(text) for text in texts}
    kept = tuple(replace(word, enabled=word.enabled or key(word.text) in known) for word in group.words)
    there = {key(word.text) for word in kept}
    new = [TriggerWord(text=text, source=WordSource.USER) for text in texts if key(text) not in there]
    return replace(group, words=(*kept, *new))


def _wanted(groups: Groups, words: Iterable[str], group: int | None) -> Callable[[TriggerGroup, TriggerWord], bool]:
    """Whether a word of a group is meant; without words all of the group are."""
    texts = list(words)
    _check(group, len(groups))
    if not texts:
        if group is None:
            raise UsageError("name a word, or a group with --group N")
        return lambda one, _: one.index == group
    keys = {key(text) for text in _texts(texts)}
    here = [word.text for one in groups if group in {None, one.index} for word in one.words]
    for text in _texts(texts):
        if key(text) not in {key(word) for word in here}:
            near = difflib.get_close_matches(text, here, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"its words: {', '.join(here) or 'none'}"
            raise NotFound(f"'{text}' is not one of the trigger words", hint=hint)
    return lambda one, word: group in {None, one.index} and key(word.text) in keys


def _texts(words: Iterable[str]) -> list[str]:
    """Words as they are kept: a typed list is cut at its commas, a repeated word stands once."""
    found = {key(piece): piece for word in words for piece in pieces(word)}
    if not found:
        raise UsageError("name a word", hint="for example: hubsync triggers NAME add 'red dress'")
    return list(found.values())


def _check(group: int | None, most: int) -> None:
    if group is not None and not 1 <= group <= most:
        raise UsageError(f"there is no trigger group {group}", hint=f"groups are numbered from 1 to {most}")
