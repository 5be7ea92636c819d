"""About how many tokens CLIP makes of a text, without its vocabulary of 49,408; and chunks that hold too many.

Text is cut as CLIP's tokenizer cuts it: lower-cased, into runs of letters, single digits, endings such as `'s`, and
runs of marks. What a run costs is its average in example prompts: over 211 of them, each counted with CLIP's own
merges, the estimate is off by 6.5 % on average, and by a third where made-up words abound.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hubsync.errors import UsageError
from hubsync.prompts.schedules import schedules
from hubsync.prompts.syntax import BREAK, BREAK_MARK, attention, composable

CHUNK = 75
"""Tokens AUTOMATIC1111 encodes at a time: CLIP's 77 without the marks of start and end."""

LONGEST = 20_000
"""Characters of a prompt that is looked into: nested brackets take time by the square of it."""

_STEPS = 100
"""Enough steps for every switch of a schedule to be seen."""

_RUN = re.compile(r"'(?:s|t|re|ve|m|ll|d)(?![^\W\d_])|(?P<word>[^\W\d_]+)|\d|(?P<marks>(?:[^\s\w]|_)+)")
_BY_LENGTH = (0, 1, 1, 1, 1.1, 1.1, 1.15, 1.15, 1.25, 1.5, 1.5, 1.6)
_VOWELS = frozenset("aeiouy")
_BY_SCRIPT = ((0x2E80, 2.0), (0x250, 1.3), (0, 0.45))
"""Tokens a character of words that are not plain English, from the code point on: East Asian, other, Latin."""


def estimate(text: str) -> int:
    """About how many tokens the text is. Weights and brackets are counted as text: `attention` takes them out."""
    return round(sum(_cost(run) for run in _RUN.finditer(text.lower())))


def crowded(prompt: str) -> Iterator[tuple[str, int]]:
    """The chunks, and their tokens, that are too long for a prompt that sets its own with BREAK.

    Chunks of every prompt joined by AND, in every step. The text has no tags and comments any more.
    """
    if BREAK not in prompt or len(prompt) > LONGEST:
        return
    stretches = (text for part, _ in composable(prompt) for _, text in schedules(part, _STEPS))
    for chunk in dict.fromkeys(chunk for text in dict.fromkeys(stretches) for chunk in _chunks(text)):
        if (tokens := estimate(chunk)) > CHUNK:
            yield chunk.strip(), tokens


def _chunks(text: str) -> list[str]:
    """The text cut at BREAK, without brackets and weights; nothing where it is not cut or cannot be read."""
    try:
        parts = attention(text)
    except UsageError:
        return []
    chunks = [""]
    for part in parts:
        if part == BREAK_MARK:
            chunks.append("")
        else:
            chunks[-1] += part[0]
    return chunks if len(chunks) > 1 else []


def _cost(run: re.Match[str]) -> float:
    if marks := run["marks"]:
        return 1 if len(marks) < 4 else len(marks) / 2
    word: str = run["word"] or ""
    if not word.isascii():
        return sum(next(cost for start, cost in _BY_SCRIPT if ord(letter) >= start) for letter in word)
    if len(word) > 3 and _VOWELS.isdisjoint(word):
        return len(word) / 2
    return (_BY_LENGTH[len(word)] if len(word) < len(_BY_LENGTH) else len(word) / 5) if word else 1
