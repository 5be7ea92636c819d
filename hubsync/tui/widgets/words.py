"""Trigger groups and their words as lines: what is on, and who said it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hubsync.domain import TriggerGroup, TriggerWord
from hubsync.tui.about import SAID_BY, said_by
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.rows import RowList

_NOTHING = "No trigger words yet.\n\na adds one, typed or from what its header suggests; t tries some out."


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A group, or a word in it."""

    group: TriggerGroup
    word: TriggerWord | None = None

    @property
    def key(self) -> tuple[int, str]:
        """What makes two lines the same."""
        return self.group.index, self.word.text if self.word else ""

    @property
    def words(self) -> tuple[str, ...]:
        """The word as edits name it; none means the whole group."""
        return (self.word.text,) if self.word else ()

    @property
    def on(self) -> bool:
        """Whether it is switched on."""
        return self.word.enabled if self.word else self.group.enabled


class WordList(RowList[Line]):
    """A line for each group and each word under it."""

    def __init__(self) -> None:
        super().__init__(
            Column(text=lambda line: "●" if line.on else "○", width=1, strong=True),
            Column(text=_text, title="Words", strong=True),
            Column(text=lambda line: "on" if line.on else "off", title="Use", width=3),
            Column(text=_source, title="Said by", width=12),
            key=lambda line: line.key,
        )

    def show_groups(self, groups: Sequence[TriggerGroup], *, goal: tuple[int, str] | None = None) -> None:
        """Show groups; the highlight goes to the line with the key `goal`, else stays on its line or in its place."""
        before, place = self.row, self.highlighted
        lines = [*_lines(groups)]
        self.show(lines, placeholder=_NOTHING)
        wanted = goal or (before and before.key)
        self.highlighted = next((index for index, line in enumerate(lines) if line.key == wanted), place)


def _lines(groups: Sequence[TriggerGroup]) -> Iterator[Line]:
    for group in groups:
        yield Line(group=group)
        yield from (Line(group=group, word=word) for word in group.words)


def _text(line: Line) -> str:
    return f"└ {line.word.text}" if line.word else f"Group {line.group.index}"


def _source(line: Line) -> str:
    return SAID_BY[line.word.source] if line.word else said_by(line.group.words)
