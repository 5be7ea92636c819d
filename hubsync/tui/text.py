"""Texts for a terminal: hub text made harmless, and numbers, sizes and dates for a person."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from rich.cells import cell_len, set_cell_size
from rich.filesize import decimal
from textual.content import Content

# Control characters act on the terminal; format characters (joiners, bidirectional marks) and variation selectors take
# a different width in every terminal, so that columns behind them would not line up.
_ACTING = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    r"\ud800-\udfff\U000e0000-\U000e0fff]"
)


_MARK = 3  # cells; an ellipsis would take a third of it and more


def plain(text: str) -> str:
    """A text of someone else's without anything that acts on a terminal; line breaks stay."""
    return _ACTING.sub("", text.replace("\t", " "))


def one_line(text: str) -> str:
    """A harmless text on one line."""
    return " ".join(plain(text).split())


def fitted(text: str, width: int, *, right: bool = False) -> str:
    """A harmless line of exactly `width` cells, cut with `…` unless it is a mere mark; `right` aligns numbers."""
    text = one_line(text)
    if (length := cell_len(text)) > width:
        return f"{set_cell_size(text, width - 1)}…" if width > _MARK else set_cell_size(text, width)
    return " " * (width - length) + text if right else text + " " * (width - length)


def ending(text: str, width: int) -> str:
    """A harmless line of at most `width` cells: a path says most with its end, so `…` stands for the beginning."""
    text = one_line(text)
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) >= width:
        text = text[1:]
    return f"…{text}"


def words(text: str, style: str = "") -> Content:
    """Someone else's text as content: never read as markup."""
    return Content.styled(plain(text), style)


def count(number: int | None) -> str:
    """A count in at most five characters: `987`, `12.3k`, `4.5M`; nothing for an unknown one."""
    if number is None:
        return ""
    for limit, divisor, unit in ((1_000, 1, ""), (999_950, 1_000, "k"), (10**15, 1_000_000, "M")):
        if number < limit:
            return f"{number / divisor:.1f}{unit}" if unit else str(number)
    return "many"


def size(amount: float | None) -> str:
    """Bytes for a person, empty for an unknown number."""
    return "" if amount is None else decimal(int(amount))


def day(moment: datetime | None) -> str:
    """A date, empty for an unknown one."""
    return f"{moment:%Y-%m-%d}" if moment else ""


def number(value: float | None) -> str:
    """A weight or strength without needless zeros."""
    return "" if value is None else f"{value:g}"


def home(path: Path) -> str:
    """A path with the home folder as `~`."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except ValueError:
        return str(path)
