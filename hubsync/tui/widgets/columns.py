"""Columns of a list: which fit, how wide they are, where their texts stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from hubsync.tui.text import fitted

Row = TypeVar("Row")

_WIDE = 54
_ENOUGH = 32  # cells that most names fit into


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Generic[Row]):
    """One column under its title.

    `width` is in cells, 0 for the room left; lists of 54 cells and more use `wide`, narrower than `needs` hide it.
    Where the room left is more than enough, the column grows up to `most`. What `spills` takes the room of the columns
    behind it that say nothing.
    """

    text: Callable[[Row], str]
    title: str = ""
    width: int = 0
    wide: int = 0
    most: int = 0
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

    def grows(self, room: int) -> int:
        """Cells it could use beyond its width in a list of `room` cells."""
        return max(0, self.most - self.cells(room))


def cells(
    columns: Sequence[Column[Row]], text: Callable[[Column[Row]], str], width: int
) -> list[tuple[Column[Row], str]]:
    """The columns that fit into `width` cells, each with its text at its exact width, the gap behind it included."""
    shown = [column for column in columns if column.needs <= width]
    taken = sum(column.cells(width) + len(column.gap) for column in shown)
    left = max(1, width - taken + 1)  # the last gap needs one cell only: nothing follows
    wanted = sum(column.grows(width) for column in shown)
    given = min(wanted, max(0, left - _ENOUGH))
    more = [given * column.grows(width) // wanted if wanted else 0 for column in shown]
    placed: list[tuple[Column[Row], str, int]] = []
    for column, extra in zip(shown, more, strict=True):
        said, room = text(column), (column.cells(width) or left - sum(more)) + extra
        if placed and placed[-1][0].spills and not said:
            spilling, long, before = placed.pop()
            placed.append((spilling, long, before + room + len(column.gap)))
        else:
            placed.append((column, said, room))
    return [(column, fitted(said, room, right=column.right) + column.gap) for column, said, room in placed]
