"""Everything on stdout: one JSON document, or text for a person. No other module prints there."""

from __future__ import annotations

import json
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hubsync.cli.diagnostics import plain


def emit_json(document: Mapping[str, Any]) -> None:
    """Print the one JSON document of a command."""
    print(json.dumps(document, indent=2, ensure_ascii=False))


def emit(text: str = "") -> None:
    """Print text for a person, without control characters."""
    print(plain(text))


def emit_exactly(text: str) -> None:
    """Print text that programs read: unchanged, unless it goes to a terminal."""
    print(plain(text) if sys.stdout.isatty() else text.encode(errors="replace").decode())


def emit_table(rows: Iterable[Sequence[str]], *, header: Sequence[str]) -> None:
    """Print aligned columns; the first is cut so that a line fits the terminal."""
    table = [list(header), *(list(map(_one_line, row)) for row in rows)]
    widths = [max(map(cell_width, column)) for column in zip(*table, strict=True)]
    if sys.stdout.isatty():
        room = shutil.get_terminal_size().columns - sum(widths[1:]) - 2 * (len(widths) - 1)
        widths[0] = min(widths[0], max(12, room))
    for row in table:
        cells = (_fitted(cell, width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def emit_fields(fields: Iterable[tuple[str, object]]) -> None:
    """Print `label  value` lines, leaving out what is empty."""
    shown = [(label, str(value)) for label, value in fields if value not in (None, "", (), [])]
    width = max((len(label) for label, _ in shown), default=0)
    for label, value in shown:
        print(f"{label:<{width}}  {plain(value)}")


def cell_width(text: str) -> int:
    """Columns a text takes on a terminal: wide East Asian characters and emoji take two."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def human_size(size: int | None) -> str:
    """Bytes for a person."""
    if size is None:
        return "?"
    if size < 1000:
        return f"{size} B"
    for unit in ("kB", "MB"):
        size /= 1000  # type: ignore[assignment]
        if size < 999.5:
            return f"{size:.3g} {unit}"
    return f"{size / 1000:.3g} GB"


def human_words(groups: Iterable[Iterable[str]]) -> str:
    """Trigger groups for a person: words joined by commas, groups by a bar."""
    return " | ".join(", ".join(group) for group in groups)


def short_words(groups: Iterable[Iterable[str]]) -> str:
    """Trigger groups for a table, at most 48 characters."""
    words = human_words(groups)
    return words if len(words) <= 48 else f"{words[:47]}…"


def _one_line(text: str) -> str:
    return " ".join(plain(text).split())


def _fitted(text: str, width: int) -> str:
    if cell_width(text) > width:
        while cell_width(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (width - cell_width(text))
