"""The parts of a card that list its trigger words, and how a reader takes the words from one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise, takewhile

from hubsync.hubs.cards import tables
from hubsync.hubs.cards.names import DENIED, KIND, NAME, is_about_words, uncalled
from hubsync.hubs.cards.phrase import first_marked, listed, marked, marked_first, unique, value, words

_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]*[^\s#].*")
_BOLD_LINE = re.compile(r"\W*\*\*([^*]{1,80})\*\*\W*")
# "The weights were trained on the concept prompt:", "Use one of these trigger words:".
_ANNOUNCED = re.compile(
    rf".{{0,300}}{NAME}(?:[ \t]*\([^()\n]{{0,40}}\))?(?:[ \t]+(?:is|are|used|to use|for\b[^\n:]{{0,30}}))?"
    r"[*_ \t]*:[*_ \t]*",
    re.IGNORECASE,
)
_OTHER_LABEL = re.compile(r"[ \t]*\**[^\s`:*-][^`:*]{0,40}(?:\*\*)?:")
_ITEM = re.compile(r"[ \t]*(?:[-+•]|\*(?!\*)|\d+[.)])[ \t]+")
# "**Trigger token**: `x`": the bold words say what follows.
_LABEL = re.compile(
    rf"\*\*[^*\n]{{0,40}}(?:trigger|{KIND})[^*\n]{{0,20}}\*\*[ \t]*:|\*\*[^*\n]{{1,40}}:\*\*", re.IGNORECASE
)
# Of what generators of cards write, X is the whole prompt of training, in code or not.
_USE = re.compile(
    r"\buse[ \t]+(?:(.{1,1000}?)[ \t]+to trigger the image generation"
    r"|(?:the[ \t]+)?(.{1,300}?)[ \t]+(?:to (?:trigger|invoke|activate)|in (?:your|the) prompts?\b))",
    re.IGNORECASE,
)
_NOT_NEEDED = re.compile(r"\bnot (?:needed|required|necessary)|^\W*(?:none|n/a)\b", re.IGNORECASE)

Statements = Callable[[str], tuple[str, ...]]
"""Reads what whole sentences state, as they stand anywhere in a card."""


def sections(prose: str) -> Iterator[str]:
    """The texts under headings about trigger words, then what follows lines that announce some."""
    lines = prose.split("\n")
    headings = [index for index, line in enumerate(lines) if _HEADING.fullmatch(line)]
    for index, end in pairwise([*headings, len(lines)]):
        if is_about_words(lines[index]):
            yield "\n".join(lines[index + 1 : end])
    for index, line in enumerate(lines):
        bold = _BOLD_LINE.fullmatch(line)
        if (bold and is_about_words(bold[1])) or _ANNOUNCED.fullmatch(line):
            yield "\n".join(_block(lines, index + 1))


def _block(lines: list[str], start: int) -> Iterator[str]:
    """Lines up to an empty one after some text, a heading or another label."""
    said = False
    for index in range(start, len(lines)):
        line = lines[index]
        other = _HEADING.fullmatch(line) or _OTHER_LABEL.match(line) or _BOLD_LINE.fullmatch(line)
        if (said and not line.strip()) or (other and not _ITEM.match(line)):
            return
        said = said or bool(line.strip())
        yield line


def denies(section: str) -> bool:
    """Whether a section says that there are no trigger words."""
    return DENIED.search(section) is not None or _NOT_NEEDED.search(section) is not None


def words_of(section: str, statements: Statements) -> tuple[str, ...]:
    """The words of a section: those it says to use, states, or lists; else those marked, else short lines."""
    text, found = tables.split(section)
    if used := unique(word for phrase in _USE.findall(text) for word in _used(*phrase)):
        return used
    lines = text.split("\n")
    start = next((index for index, line in enumerate(lines) if _ITEM.match(line)), len(lines))
    lead = "\n".join(lines[:start])
    if stated := statements(lead):
        return stated
    if denies(lead):
        return ()
    items = [_LABEL.sub("", _ITEM.sub("", line, count=1)) for line in lines if _ITEM.match(line)]
    cells = [next((cell for cell in row if "`" in cell), "") for table in found[:1] for row in table.rows]
    series = [phrase for item in [*items, *cells] if (phrase := first_marked(item))]
    if series:
        return unique(word for phrase in series for word in listed(phrase))
    for sentence in re.split(r"(?<=\.)\s|\n", lead):
        if marks := marked(_LABEL.sub("", sentence)):
            return unique(word for mark in marks for word in words(mark))
    plain = items or takewhile(lambda line: line.strip() and "|" not in line, lead.strip().split("\n"))
    return unique(word for line in plain for word in listed(value(_explained(line))))


def _used(exact: str, free: str) -> Iterator[str]:
    """The words of what a text says to use: in a generator's sentence as they stand."""
    if not exact:
        yield from listed(uncalled(free))
    for mark in marked_first(exact) or [exact]:
        yield from words(mark)


def _explained(line: str) -> str:
    """The word that a line explains (`rbt_7: a robot`), else what a label stands before (`Style: rbt`)."""
    before, _, after = line.rpartition(": ")
    return before if re.fullmatch(r"[^\sA-Z:]\S*|\S*[\d_]\S*", before) else after
