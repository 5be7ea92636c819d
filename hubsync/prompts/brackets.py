"""Which brackets of a text belong together, as AUTOMATIC1111 pairs them."""

from __future__ import annotations

import re

_OPENS = {")": "(", "]": "[", "}": "{"}
_BRACKET = re.compile(r"\\.|[()\[\]{}]", re.DOTALL)


def pairs(text: str, *, kinds: str = "([") -> dict[int, int]:
    """Positions of opening brackets and of what closes them. Escaped and lonely ones are left out.

    Each kind is paired by itself: `(a [b) c]` holds two pairs.
    """
    waiting: dict[str, list[int]] = {kind: [] for kind in kinds}
    found: dict[int, int] = {}
    for match in _BRACKET.finditer(text):
        mark = match.group()
        if mark in waiting:
            waiting[mark].append(match.start())
        elif places := waiting.get(_OPENS.get(mark, "")):
            found[places.pop()] = match.start()
    return found
