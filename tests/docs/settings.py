"""docs/configuration.md: every key with its default and meaning from config/hubsync.toml, its kind from the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import inspect

from hubsync import config
from tests.docs.markdown import table

_LINE = re.compile(r"(?P<name>\w+) = (?P<default>\"[^\"]*\"|[^#]+?)\s+# (?P<text>.+)")
_SECTION = re.compile(r"\[(?P<name>\w+)\](?:\s+# (?P<text>.+))?")
_KINDS: dict[Any, str] = {
    inspect.StrType: "text",
    inspect.BoolType: "true or false",
    inspect.IntType: "whole number",
    inspect.FloatType: "number",
}

_HEAD = """\
# Configuration

Made from `config/hubsync.toml` and `hubsync/config.py` by `make docs`.

Nothing needs to be set but a Civitai key (`civitai.api_key`), for most downloads there, and a checkpoint a family, for
test renders. A setting is taken from the first of these that has it:

1. options: `--root`, and those of a command
2. the environment: the key `a.b` is `HUBSYNC_A__B`; empty variables are no setting
3. the configuration file: `hubsync config path` says where it is (`~/.config/hubsync/hubsync.toml` on Linux);
   `HUBSYNC_CONFIG` names another
4. the defaults below

```sh
hubsync config                                     # every setting as it is now; keys are hidden
hubsync config set render.steps 30                 # checked, and written with your comments kept
hubsync config set civitai.api_key                 # asked for, hidden; stored if Civitai knows it
```

An unknown key is an error that names the nearest real one, and so is a value its key cannot hold. The file is readable
by you alone. Plain `http://` is allowed to this machine only. In the TUI all of it is in mode 6, Settings.
"""


def page() -> str:
    """The whole page."""
    return "\n\n".join((_HEAD.rstrip(), *_sections())) + "\n"


def _sections() -> Iterator[str]:
    rows: list[tuple[str, ...]] = []
    name, text = "", "Where the library is."
    for line in config.shipped("hubsync.toml").read_text("utf-8").splitlines():
        if begun := _SECTION.match(line):
            yield _section(name, text, rows)
            rows, name, text = [], begun["name"], begun["text"] or ""
        elif found := _LINE.match(line):
            rows.append(_row(f"{name}.{found['name']}" if name else found["name"], found["default"], found["text"]))
        elif name and line.startswith("# "):
            text += f"\n{line}"
    yield _section(name, text, rows)


def _section(name: str, text: str, rows: list[tuple[str, ...]]) -> str:
    about, *examples = text.splitlines() or [""]
    parts = [f"## {name or 'root'}", f"{about[:1].upper()}{about[1:]}." if examples else about]
    if rows:
        parts.append(table(("key", "default", "takes", "means", "environment"), rows))
    if examples:
        lines = "\n".join(example.removeprefix("# ") for example in examples)
        parts.append(f"```toml\n[{name}]\n{lines}\n```")
    return "\n\n".join(part for part in parts if part)


def _row(key: str, default: str, text: str) -> tuple[str, ...]:
    names = (f"HUBSYNC_{key.upper().replace('.', '__')}", *config._ALIASES.get(key, ()))
    shown = "`" + default.strip() + "`" if default.strip() != '""' else "empty"
    return f"`{key}`", shown, _kind(key), text, ", ".join(f"`{name}`" for name in dict.fromkeys(names))


def _kind(key: str) -> str:
    """What a key takes, with its bounds."""
    kind: Any = inspect.type_info(config.Settings)
    for name in key.split("."):
        kind = next(field.type for field in kind.fields if field.name == name)
    if isinstance(kind, inspect.LiteralType):
        return ", ".join(f"`{value}`" for value in sorted(kind.values, key=str))
    bounds = {name: getattr(kind, name, None) for name in ("gt", "ge", "lt", "le")}
    signs = {"gt": "above", "ge": "from", "lt": "below", "le": "to"}
    said = " ".join(f"{signs[name]} {bound:,.15g}" for name, bound in bounds.items() if bound is not None)
    return f"{_KINDS[type(kind)]} {said}".strip()
