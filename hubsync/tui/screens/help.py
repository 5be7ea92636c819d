"""Dialogs that only tell: every key that works now, and the state of the set-up."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import App
from textual.binding import ActiveBinding
from textual.content import Content

from hubsync.services.doctor import Check
from hubsync.tui.text import words
from hubsync.tui.widgets.facts import Fact

_KEYS_WIDTH = 12
_VERB_WIDTH = 15
_ORDER = ("", "browse", "box", "list", "text", "app")
_MARKS = {"ok": ("✓", "$text-success"), "warning": ("!", "$text-warning"), "error": ("✗", "$text-error")}


def key_facts(app: App[None], bindings: Sequence[ActiveBinding]) -> list[Fact]:
    """One line an action: the mode's own first, then lists, then what works everywhere."""
    actions: dict[str, list[ActiveBinding]] = {}
    for active in sorted(bindings, key=_rank):
        if active.binding.id:
            actions.setdefault(active.binding.id, []).append(active)
    return [Fact(value=_line(app, same)) for same in actions.values()]


def _rank(active: ActiveBinding) -> int:
    group, _, _ = (active.binding.id or "").partition(".")
    return _ORDER.index(group) if group in _ORDER else 0


def _line(app: App[None], same: Sequence[ActiveBinding]) -> Content:
    keys = " ".join(dict.fromkeys(app.get_key_display(active.binding) for active in same))
    text = f"{same[0].binding.description:<{_VERB_WIDTH}}{same[0].tooltip}"
    return Content.styled(f"{keys:<{_KEYS_WIDTH}}", "bold $text-accent") + words(text)


def check_facts(checks: Sequence[Check]) -> list[Fact]:
    """One line a finding, and what to do about it."""
    facts: list[Fact] = []
    for check in checks:
        mark, style = _MARKS[check.status]
        value = Content.styled(f"{mark} {check.name:<15}", style) + words(check.message, "$foreground-muted")
        facts += [Fact(value=value), *([Fact(value=words(f"  {check.hint}"))] if check.hint else [])]
    return facts
