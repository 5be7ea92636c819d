"""Trigger words: groups of words, who said them, and what the training data hints at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

TriggerWords = tuple[tuple[str, ...], ...]
"""Groups of words: a group is one unit of use (an outfit, a style), its words in their order."""


class WordSource(StrEnum):
    """Who said a trigger word, in the order a careful human trusts them."""

    USER = "user"
    CIVITAI = "civitai"
    CARD = "card"
    METADATA = "metadata"
    FILE_NAME = "file_name"


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
class Suggestion:
    """A word the training data hints at; never inserted by itself. `score` 0..1."""

    text: str
    score: float
    source: str
