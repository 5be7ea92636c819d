"""Help: every key that works now."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from textual.app import App
from textual.binding import ActiveBinding
from textual.content import Content

from hubsync.tui.describe import BLANK
from hubsync.tui.text import words
from hubsync.tui.widgets.facts import Fact

_KEYS_WIDTH = 12
_VERB_WIDTH = 15
_ORDER = ("", "browse", "box", "list", "text", "app")
_HEADINGS = {"browse": "Screen", "box": "Box", "list": "List", "text": "Text", "app": "Everywhere"}


def key_facts(app: App[None], bindings: Sequence[ActiveBinding]) -> list[Fact]:
    """One line an action under the heading of its group: the screen's own, then lists, then what works everywhere."""
    actions: dict[str, list[ActiveBinding]] = {}
    for active in sorted(bindings, key=_rank):
        if active.binding.id:
            actions.setdefault(active.binding.id, []).append(active)
    facts: list[Fact] = []
    for name, group in groupby(actions.values(), key=lambda same: _group(same[0])):
        heading = _HEADINGS.get(name, name.replace("_", " ").capitalize())
        facts += [*([BLANK] if facts else []), Fact(value=words(heading, "bold"))]
        facts += [Fact(value=_line(app, same)) for same in group]
    return facts


def _rank(active: ActiveBinding) -> int:
    group = _group(active)
    return _ORDER.index(group) if group in _ORDER else 0


def _group(active: ActiveBinding) -> str:
    return (active.binding.id or "").partition(".")[0]


def _line(app: App[None], same: Sequence[ActiveBinding]) -> Content:
    keys = " ".join(dict.fromkeys(app.get_key_display(active.binding) for active in same))
    text = f"{same[0].binding.description:<{_VERB_WIDTH}}{same[0].tooltip}"
    return Content.styled(f"{keys:<{_KEYS_WIDTH}}", "bold $text-accent") + words(text)
