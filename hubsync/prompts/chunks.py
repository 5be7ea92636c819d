"""How full a prompt is: about how many tokens stand in each chunk that CLIP reads at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from hubsync.errors import UsageError
from hubsync.prompts.schedules import schedules
from hubsync.prompts.syntax import BREAK_MARK, attention, composable, extra_networks, strip_comments
from hubsync.prompts.tokens import CHUNK, LONGEST, estimate

_STEPS = 100
"""Enough steps for every switch of a schedule to be seen."""


def chunks(prompt: str) -> tuple[int, ...]:
    """Tokens of each chunk of 75, about; at least one chunk. Of several texts in one prompt the longest counts.

    A prompt with AND, or with schedules, is several texts: AUTOMATIC1111's counter shows the longest of them too. BREAK
    begins a new chunk, and so does the 76th token.
    """
    text = extra_networks(strip_comments(prompt))[0]
    return max((tuple(_filled(_parts(one))) for one in _texts(text)), key=lambda counts: (len(counts), sum(counts)))


def told(counts: Iterable[int]) -> str:
    """Counts as they are shown: `68/75`, `75 + 12/150`."""
    counts = tuple(counts)
    return f"{' + '.join(map(str, counts))}/{CHUNK * len(counts)}"


def _texts(text: str) -> Iterable[str]:
    # Beyond that size nested brackets take time by the square.
    if len(text) > LONGEST:
        return [text]
    return dict.fromkeys(one for part, _ in composable(text) for _, one in schedules(part, _STEPS))


def _parts(text: str) -> Iterator[str]:
    """The text cut at BREAK, without brackets and weights; as it stands where it cannot be read."""
    try:
        pieces = attention(text) if len(text) <= LONGEST else [(text, 1.0)]
    except UsageError:
        pieces = [(text, 1.0)]
    for is_break, run in groupby(pieces, key=lambda piece: piece == BREAK_MARK):
        if not is_break:
            yield "".join(words for words, _ in run)


def _filled(parts: Iterable[str]) -> Iterator[int]:
    for part in parts:
        tokens = estimate(part)
        while tokens > CHUNK:
            yield CHUNK
            tokens -= CHUNK
        yield tokens
