"""What follows from everything that is said of a LoRA: for each thing the word of the most trusted source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hubsync.domain import Entry, Statement, TriggerGroup, WordSource
from hubsync.prompts.words import key


def said_by(statements: Iterable[Statement], source: WordSource) -> Statement | None:
    """What one source says."""
    return next((one for one in statements if one.source is source), None)


def without(statements: Iterable[Statement], *sources: WordSource) -> tuple[Statement, ...]:
    """What all others say."""
    return tuple(one for one in statements if one.source not in sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Groups of words, weight, negative text and notes as they are used."""

    groups: tuple[TriggerGroup, ...] = ()
    weight: float | None = None
    negative: str | None = None
    notes: str | None = None


_NOTHING = Settled()


def settled(statements: Iterable[Statement]) -> Settled:
    """For each thing what the most trusted source says that says anything; nothing is mixed from two of them."""
    ranked = sorted(statements, key=lambda statement: statement.source.rank)
    return Settled(
        groups=_groups([one for one in ranked if one.groups is not None]),
        weight=next((one.weight for one in ranked if one.weight is not None), None),
        negative=next((one.negative for one in ranked if one.negative is not None), None),
        notes=next((one.notes for one in ranked if one.notes is not None), None),
    )


def resolved(entry: Entry) -> Entry:
    """The entry with what follows from its statements."""
    known = entry.lora
    use = settled(entry.statements) if entry.statements else _NOTHING
    if (use.groups, use.weight, use.negative, use.notes) == (known.groups, known.weight, known.negative, known.notes):
        return entry
    lora = replace(entry.lora, groups=use.groups, weight=use.weight, negative=use.negative, notes=use.notes)
    return replace(entry, lora=lora)


def _groups(ranked: Sequence[Statement]) -> tuple[TriggerGroup, ...]:
    if not ranked:
        return ()
    first, *others = ranked
    if first.source is WordSource.SIDECAR:
        for other in others:
            if repeated := _repeated(first.groups or (), other.groups or ()):
                return repeated
    return first.groups or ()


def _repeated(short: Sequence[TriggerGroup], full: Sequence[TriggerGroup]) -> tuple[TriggerGroup, ...]:
    """`full` with those groups switched on that a sidecar repeats; () where it says something else.

    A sidecar holds one text: tools write one group of a hub's words into it, or all of them in a row.
    """
    said = _keys(short)
    chosen = {group.index for group in full if said and _keys([group]) <= said}
    if not chosen or _keys([group for group in full if group.index in chosen]) != said:
        return ()
    if chosen == {group.index for group in full}:
        return tuple(full)
    return tuple(replace(group, enabled=group.index in chosen) for group in full)


def _keys(groups: Iterable[TriggerGroup]) -> set[str]:
    return {key(word.text) for group in groups for word in group.words}
