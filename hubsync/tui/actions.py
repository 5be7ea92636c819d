"""Every action of the TUI that has a key, and what a new key would take from another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from inspect import getmembers, isclass
from pkgutil import walk_packages

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import format_key

_SHARED = frozenset({"app", "browse", "list", "text"})
"""What the actions of nearly every screen meet."""


def actions() -> Sequence[Binding]:
    """All of them by their ids, the app's last. Every screen is imported for that, which takes a fifth of a second."""
    import hubsync.tui

    found: dict[str, Binding] = {}
    for module in walk_packages(hubsync.tui.__path__, "hubsync.tui."):
        for _, kind in getmembers(import_module(module.name), isclass):
            if kind.__module__ == module.name and issubclass(kind, DOMNode):
                found |= {binding.id: binding for binding in declared_by(kind) if binding.id}
    return sorted(found.values(), key=lambda binding: (group(binding) in _SHARED, binding.id or ""))


def declared_by(kind: type[DOMNode]) -> Iterator[Binding]:
    """The bindings a class itself declares."""
    return (binding for binding in vars(kind).get("BINDINGS", ()) if isinstance(binding, Binding))


def keys_of(binding: Binding, keymap: Mapping[str, str]) -> Sequence[str]:
    """The keys that do an action, as the user has it."""
    keys = keymap.get(binding.id or "") or binding.key
    return [key.strip() for key in keys.split(",")]


def named(keys: Sequence[str]) -> str:
    """Keys as help and the bottom line call them: `esc`, `/`, `^q`."""
    return " ".join(map(_named, keys))


def _named(key: str) -> str:
    *modifiers, name = key.split("+")
    held = "".join(f"{one}+" for one in modifiers if one != "ctrl")
    return f"{held}{'^' if 'ctrl' in modifiers else ''}{format_key(name)}"


def clashes(action: str, keys: Sequence[str], known: Sequence[Binding], keymap: Mapping[str, str]) -> Sequence[Binding]:
    """The other actions which one of the keys does as well, where both can be meant."""
    own = action.partition(".")[0]
    return [
        one
        for one in known
        if one.id != action
        and (group(one) == own or own in _SHARED or group(one) in _SHARED)
        and not set(keys).isdisjoint(keys_of(one, keymap))
    ]


def group(binding: Binding) -> str:
    """The first part of an action's name: its screen or widget."""
    return (binding.id or "").partition(".")[0]
