"""Help: every key that works now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import ClassVar

from textual.app import App
from textual.binding import ActiveBinding, Binding, BindingType
from textual.content import Content

from hubsync.tui.describe import BLANK
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.text import words
from hubsync.tui.widgets.facts import Fact

_KEYS_WIDTH = 12
_VERB_WIDTH = 15
_ORDER = ("", "browse", "box", "list", "text", "dialog", "app")
_HEADINGS = {
    "browse": "Screen",
    "box": "Box",
    "list": "List",
    "text": "Text",
    "dialog": "This box",
    "app": "Everywhere",
}


class Keys(Dialog[None]):
    """The keys that worked where it was asked for; the key that opened it closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "close", "Close", show=False, id="help.close", tooltip="Leave the list of keys"),
    ]

    def __init__(self, bindings: Iterable[ActiveBinding]) -> None:
        super().__init__("Keys")
        self._bindings_then = [*bindings]

    def on_mount(self) -> None:
        """Show them."""
        self.query_one("#dialog").border_subtitle = ""
        self.facts.show(key_facts(self.app, self._bindings_then))


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
