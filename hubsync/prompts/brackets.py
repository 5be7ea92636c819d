"""Which brackets of a text belong together, as AUTOMATIC1111 pairs them."""

from __future__ import annotations

import re
from collections.abc import Iterator

_CLOSES = {"(": ")", "[": "]", "{": "}"}
_MARK = re.compile(r"\\.|[()\[\]{}]", re.DOTALL)


def raw_brackets(text: str, *, kinds: str = "([") -> Iterator[int]:
    """Positions of the brackets that no backslash escapes. `kinds` names them by their opening halves."""
    wanted = {*kinds, *(_CLOSES[kind] for kind in kinds)}
    return (match.start() for match in _MARK.finditer(text) if match.group() in wanted)


def pairs(text: str, *, kinds: str = "([") -> dict[int, int]:
    """Positions of opening brackets and of what closes them. Escaped and lonely ones are left out.

    Each kind is paired by itself: `(a [b) c]` holds two pairs.
    """
    waiting: dict[str, list[int]] = {_CLOSES[kind]: [] for kind in kinds}
    found: dict[int, int] = {}
    for at in raw_brackets(text, kinds=kinds):
        if text[at] in _CLOSES:
            waiting[_CLOSES[text[at]]].append(at)
        elif waiting[text[at]]:
            found[waiting[text[at]].pop()] = at
    return found
