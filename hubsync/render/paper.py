"""Labelled pictures in rows and columns on one large picture: where everything stands, and the drawing of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hubsync.render.lettering import GREY, LINE, Label, Pen

if TYPE_CHECKING:
    from PIL import Image

MOST_HIGH, MOST_WIDE = 16_000, 12_000
"""Pixels of a sheet that every viewer opens; to stay below, cells shrink to `_LEAST`."""

_SIDES = (384, 320, 256, 192, 128, 96, 64)
"""Pixels of a cell's longer side, the largest that fits is taken; multiples of the sandbox's 64."""
_MANY = 4
"""Columns from which 256 pixels are enough, so that a sheet fits a screen."""
_SMALL = 256
"""A picture smaller than this becomes this large, enlarged by whole pixels."""
_LEAST_LINES = 6
"""Lines of labels a row has room for, however flat its pictures are."""
_LABELS = 200
_GAP = 12
_PAPER = (250, 250, 250)
_RULE = (205, 205, 205)


@dataclass(frozen=True, slots=True)
class Cell:
    """A picture on disk, its size in pixels, and the line below it: the first of `captions` for which there is room."""

    path: Path
    size: tuple[int, int]
    captions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SheetRow:
    """What the left margin says, and the row's pictures by column."""

    labels: tuple[Label, ...]
    cells: Mapping[int, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Rows below one heading ("" has none); `columns` say above each column what it shows, in up to two lines."""

    heading: str = ""
    columns: tuple[tuple[Label, ...], ...]
    rows: tuple[SheetRow, ...]


def draw_sheet(sections: Sequence[Section], *, title: str, subtitle: str) -> Image.Image:
    """The sheet: sections below each other, small pictures enlarged without blur."""
    from PIL import Image, ImageDraw

    plan = _fitting(sections)
    sheet = Image.new("RGB", (plan.width, plan.height), _PAPER)
    pen = Pen(ImageDraw.Draw(sheet))
    pen.line((_GAP, _GAP), Label(title), plan.width - 2 * _GAP)
    pen.line((_GAP, _GAP + LINE), Label(subtitle, GREY), plan.width - 2 * _GAP)
    top = _Plan.TOP
    for section in sections:
        if section.heading:
            sheet.paste(_RULE, (_GAP, top + _GAP, plan.width - _GAP, top + _GAP + 1))
        _draw_head(pen, plan, section, top)
        top += plan.head(section)
        for row in section.rows:
            _draw_row(sheet, pen, plan, row, top)
            top += plan.row
    return sheet


def stacked(sheets: Sequence[Path]) -> Image.Image:
    """Sheets on disk below each other; shrunk where they would be too high together."""
    from PIL import Image

    sizes = []
    for path in sheets:
        with Image.open(path) as sheet:
            sizes.append(sheet.size)
    factor = min(1.0, MOST_HIGH / sum(height for _, height in sizes))
    fitted = [(max(1, int(width * factor)), max(1, int(height * factor))) for width, height in sizes]
    whole = Image.new("RGB", (max(width for width, _ in fitted), sum(height for _, height in fitted)), _PAPER)
    top = 0
    for path, size in zip(sheets, fitted, strict=True):
        with Image.open(path) as sheet:
            whole.paste(sheet.convert("RGB") if sheet.size == size else sheet.convert("RGB").resize(size), (0, top))
        top += size[1]
    return whole


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where everything stands when cells are `cell` large, in pixels."""

    sections: Sequence[Section]
    cell: tuple[int, int]

    TOP = 2 * LINE + 2 * _GAP

    @property
    def row(self) -> int:
        """The height of a row: picture and caption, or the least its labels need; and the space below."""
        return max(self.cell[1] + LINE, _LEAST_LINES * LINE) + _GAP

    @property
    def lines(self) -> int:
        """How many lines of labels a row has room for."""
        return (self.row - _GAP) // LINE

    @property
    def width(self) -> int:
        """Of the sheet."""
        columns = max(len(section.columns) for section in self.sections)
        return _LABELS + columns * (self.cell[0] + _GAP) + _GAP

    @property
    def height(self) -> int:
        """Of the sheet."""
        return self.TOP + sum(self.head(section) + len(section.rows) * self.row for section in self.sections)

    def head(self, section: Section) -> int:
        """The height of a section's heading and columns' titles."""
        lines = max((len(column) for column in section.columns), default=0)
        return lines * LINE + _GAP + (LINE + 3 * _GAP if section.heading else 0)

    def left(self, column: int) -> int:
        """Where a column begins."""
        return _LABELS + column * (self.cell[0] + _GAP)


def _fitting(sections: Sequence[Section]) -> _Plan:
    """The plan with the largest cells that keep the sheet within bounds, or else the smallest ones."""
    size = next(cell.size for section in sections for row in section.rows for cell in row.cells.values())
    columns = max(len(section.columns) for section in sections)
    most = 256 if columns > _MANY else _SIDES[0]
    plans = [_Plan(sections, _cell(size, side)) for side in _SIDES if side <= most]
    return next((plan for plan in plans if plan.width <= MOST_WIDE and plan.height <= MOST_HIGH), plans[-1])


def _cell(size: tuple[int, int], side: int) -> tuple[int, int]:
    """A picture's size on the sheet: `side` at most, enlarged by a whole number up to 256, or shrunk."""
    longer = max(size)
    factor = max(1, min(side, _SMALL) // longer) if longer <= side else side / longer
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _draw_head(pen: Pen, plan: _Plan, section: Section, top: int) -> None:
    if section.heading:
        pen.line((_GAP, top + 2 * _GAP), Label(section.heading), plan.width - 2 * _GAP)
        top += LINE + 3 * _GAP
    for column, labels in enumerate(section.columns):
        for index, label in enumerate(labels):
            pen.line((plan.left(column), top + index * LINE), label, plan.cell[0])


def _draw_row(sheet: Image.Image, pen: Pen, plan: _Plan, row: SheetRow, top: int) -> None:
    pen.block((_GAP, top), row.labels, room=_LABELS - 2 * _GAP, lines=plan.lines)
    for column, cell in row.cells.items():
        sheet.paste(_fitted(cell, plan.cell), (plan.left(column), top))
        caption = next((text for text in cell.captions if pen.fits(text, plan.cell[0])), "")
        pen.line((plan.left(column), top + plan.cell[1] + 2), Label(caption, GREY), plan.cell[0])


def _fitted(cell: Cell, size: tuple[int, int]) -> Image.Image:
    from PIL import Image

    with Image.open(cell.path) as picture:
        enlarged = size[0] > picture.width
        return picture.convert("RGB").resize(size, Image.Resampling.NEAREST if enlarged else Image.Resampling.LANCZOS)
