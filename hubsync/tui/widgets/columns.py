"""Columns of a list: which fit, how wide they are, where their texts stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from hubsync.tui.text import fitted

Row = TypeVar("Row")

_WIDE = 54


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Generic[Row]):
    """One column under its title.

    `width` is in cells, 0 for the room left; lists of 54 cells and more use `wide`, narrower than `needs` hide it.
    What `spills` takes the room of the columns behind it that say nothing.
    """

    text: Callable[[Row], str]
    title: str = ""
    width: int = 0
    wide: int = 0
    needs: int = 0
    right: bool = False
    strong: bool = False
    spills: bool = False

    @property
    def gap(self) -> str:
        """What parts it from the next; a mark stands closer to what it marks."""
        return " " if self.width == 1 else "  "

    def cells(self, room: int) -> int:
        """Its width in a list of `room` cells, 0 for what the others leave."""
        return self.wide if self.wide and room >= _WIDE else self.width


def cells(
    columns: Sequence[Column[Row]], text: Callable[[Column[Row]], str], width: int
) -> list[tuple[Column[Row], str]]:
    """The columns that fit into `width` cells, each with its text at its exact width, the gap behind it included."""
    shown = [column for column in columns if column.needs <= width]
    taken = sum(column.cells(width) + len(column.gap) for column in shown)
    left = max(1, width - taken + 1)  # the last gap needs one cell only: nothing follows
    placed: list[tuple[Column[Row], str, int]] = []
    for column in shown:
        said, room = text(column), column.cells(width) or left
        if placed and placed[-1][0].spills and not said:
            spilling, long, before = placed.pop()
            placed.append((spilling, long, before + room + len(column.gap)))
        else:
            placed.append((column, said, room))
    return [(column, fitted(said, room, right=column.right) + column.gap) for column, said, room in placed]
