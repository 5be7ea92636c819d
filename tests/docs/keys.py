"""The tables of keys in docs/tui.md: every binding the TUI declares, by the first part of its name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from textual.binding import Binding

import hubsync.tui
from tests.docs.markdown import table

TITLES = {
    "app": "Everywhere",
    "browse": "Discover and Library",
    "box": "In the box",
    "list": "In every list",
    "discover": "1 Discover",
    "library": "2 Library",
    "prompt": "3 Prompt",
    "renders": "4 Renders",
    "activity": "5 Activity",
    "settings": "6 Settings",
    "chips": "In Discover's line of filters",
    "text": "In every text",
    "trial": "A new test (4, n)",
    "comparison": "Comparing pictures (4, c)",
    "frame": "On one of the compared pictures",
    "picture": "With a picture",
    "sheet": "The contact sheet",
    "facets": "Narrowing the library (2, f)",
    "editing": "Words, weight and notes (2, e)",
    "groups": "Groups of a prompt's LoRA (3, g)",
    "picker": "Picking LoRAs (3, l)",
    "picking": "In the box above them",
    "saved": "Saved prompts (3, o)",
    "versions": "Versions and files (1, v)",
    "preflight": "Before an install (1, i)",
    "updates": "Updates (2, U)",
    "writing": "Writing notes",
    "confirm": "A question",
    "dialog": "In every box over a screen",
}
"""Headings, in order, by the first part of a binding's name; what is not named here comes after them."""

_SIGNS = {
    "question_mark": "?",
    "slash": "/",
    "escape": "esc",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "asterisk": "*",
    "underscore": "_",
}


def tables() -> str:
    """A heading and a table for each part of the TUI."""
    parts: dict[str, dict[str, tuple[str, ...]]] = {name: {} for name in TITLES}
    for binding in _bindings():
        name = binding.id or ""
        row = (_keys(binding), f"{binding.description}: {binding.tooltip}" if binding.tooltip else binding.description)
        parts.setdefault(name.partition(".")[0], {})[name] = (*row, f"`{name}`")
    return "".join(
        f"\n### {TITLES.get(part, f'In the {part}')}\n\n{table(('key', 'does', 'name'), rows.values())}\n"
        for part, rows in parts.items()
        if rows
    )


def _bindings() -> Iterator[Binding]:
    """Bindings with a name, in the order of their modules."""
    for found in pkgutil.walk_packages(hubsync.tui.__path__, "hubsync.tui."):
        module = importlib.import_module(found.name)
        for kind in vars(module).values():
            if isinstance(kind, type) and kind.__module__ == module.__name__:
                yield from (one for one in vars(kind).get("BINDINGS", ()) if isinstance(one, Binding) and one.id)


def _keys(binding: Binding) -> str:
    shown = binding.key_display or binding.key
    return " ".join(f"`{_SIGNS.get(key, key)}`" for key in shown.split(","))
