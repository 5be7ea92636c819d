"""Trigger words: groups of words, who said them, and what the training data hints at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

TriggerWords = tuple[tuple[str, ...], ...]
"""Groups of words: a group is one unit of use (an outfit, a style), its words in their order."""


class WordSource(StrEnum):
    """Who said a trigger word, in the order a careful human trusts them. An embedding's word is its file name."""

    USER = "user"
    SIDECAR = "sidecar"
    FILE_NAME = "file_name"
    CIVITAI = "civitai"
    CARD = "card"
    METADATA = "metadata"
    DESCRIPTION = "description"

    @property
    def rank(self) -> int:
        """Its place in that order, from 0."""
        return [*WordSource].index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerWord:
    """One word or phrase, who said it, and whether it is inserted."""

    text: str
    source: WordSource
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerGroup:
    """Words used together. `index` counts from 1; an enabled group is inserted by default."""

    index: int
    words: tuple[TriggerWord, ...]
    enabled: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        """The enabled words, in order."""
        return tuple(word.text for word in self.words if word.enabled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one source says of how a LoRA is used; None where it says nothing.

    raw: the source's own list, verbatim.
    groups: what is used of it; () says that there are no words, which only a user does.
    """

    source: WordSource
    raw: tuple[str, ...] = ()
    groups: tuple[TriggerGroup, ...] | None = None
    weight: float | None = None
    negative: str | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A word the training data hints at; never inserted by itself. `score` 0..1."""

    text: str
    score: float
    source: str


def grouped(words: TriggerWords, source: WordSource) -> tuple[TriggerGroup, ...]:
    """Groups numbered from 1, all said by one source; the first is the default one."""
    return tuple(
        TriggerGroup(
            index=index,
            enabled=index == 1,
            words=tuple(TriggerWord(text=text, source=source) for text in group),
        )
        for index, group in enumerate(words, start=1)
    )
