"""Markdown from texts that were written for a terminal."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 120


def prose(text: str) -> str:
    """A help text: its paragraphs wrapped, those that stand as they are (after \\b) as code."""
    return "\n\n".join(map(_paragraph, re.split(r"\n\s*\n", inspect.cleandoc(text))))


def _paragraph(text: str) -> str:
    if text.startswith("\b"):
        return code(text.removeprefix("\b\n"))
    return textwrap.fill(escaped(" ".join(text.split())), WIDTH, break_long_words=False, break_on_hyphens=False)


def code(text: str, language: str = "") -> str:
    """A block of code."""
    return f"```{language}\n{text.strip()}\n```"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; bars in cells are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def escaped(text: str) -> str:
    """A text in which <…> would be read as HTML or an address: as code."""
    return re.sub(r"(?<!`)<[^<>`]+>(?!`)", lambda match: f"`{match[0]}`", text)
