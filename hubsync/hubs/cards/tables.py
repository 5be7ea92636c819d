"""Tables of a card, in Markdown."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import NamedTuple

_ROW = re.compile(r"[ \t]*\|.*")
_RULER = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-*:?[ \t]*)*")


class Table(NamedTuple):
    """A table: the cells of its heading and of each row."""

    heading: list[str]
    rows: list[list[str]]


def split(text: str) -> tuple[str, list[Table]]:
    """The text with its tables' headings and rulers left out, and the tables."""
    lines = text.split("\n")
    rulers = [index for index, line in enumerate(lines) if "|" in line and "-" in line and _RULER.fullmatch(line)]
    dropped, tables = set(rulers), []
    for index in rulers:
        heading = _cells(lines[index - 1]) if index and "|" in lines[index - 1] else []
        rows = takewhile(lambda row: row not in dropped and _ROW.fullmatch(lines[row]), range(index + 1, len(lines)))
        tables.append(Table(heading, [_cells(lines[row]) for row in rows]))
        # A heading with a word in code is a first row.
        if heading and not any("`" in cell for cell in heading):
            dropped.add(index - 1)
    return "\n".join(line for index, line in enumerate(lines) if index not in dropped), tables


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
