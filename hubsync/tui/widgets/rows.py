"""A virtual list: any number of rows, of which only the visible lines are ever formatted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from hubsync.tui.widgets.columns import Column, cells

Row = TypeVar("Row")

PAGE = 100
"""Rows that are read at once, more than a screen shows; the next are when the highlight comes near the last."""

_HEADER = 1
_MARK_WIDTH = 2
_NEAR = 10  # rows before the end at which the next page is asked for


class RowList(ScrollView, Generic[Row], can_focus=True):
    """Rows of one line each, one of them highlighted; `key` tells what makes two rows the same thing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Next row", show=False, id="list.next", tooltip="Highlight the next row"),
        Binding("up,k", "move(-1)", "Previous row", show=False, id="list.previous", tooltip="Highlight the row before"),
        Binding("pagedown", "page(1)", "Next page", show=False, id="list.page_down", tooltip="One screen further"),
        Binding("pageup", "page(-1)", "Previous page", show=False, id="list.page_up", tooltip="One screen back"),
        Binding("home,g", "first", "First row", show=False, id="list.first", tooltip="Go to the first row"),
        Binding("end,G", "last", "Last row", show=False, id="list.last", tooltip="Go to the last row"),
        Binding(
            "enter", "choose", "Open", show=False, id="list.open", tooltip="Open the highlighted row; in a box, take it"
        ),
        Binding(
            "space", "mark", "Select", show=False, id="list.select", tooltip="Select the row, for all that follows"
        ),
    ]
    DEFAULT_CSS = """
    RowList { overflow-x: hidden; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "rows--strong", "rows--weak", "rows--header", "rows--highlighted", "rows--placeholder",
    }  # fmt: skip

    highlighted: reactive[int] = reactive(0)

    class Highlighted(Message):
        """Another row is highlighted, or none any more."""

    @dataclass
    class Chosen(Message):
        """A row was opened."""

        row: object

    class Marked(Message):
        """Other rows are selected."""

    class NearEnd(Message):
        """Rows are running out: there may be more to append."""

    def __init__(
        self,
        *columns: Column[Row],
        key: Callable[[Row], object],
        id: str | None = None,  # noqa: A002
        selects: bool = False,
    ) -> None:
        super().__init__(id=id)
        self._selects = selects
        self._marks: dict[object, Row] = {}
        self._columns = columns
        self._key = key
        self._rows: list[Row] = []
        self._placeholder = ""

    @property
    def rows(self) -> Sequence[Row]:
        """Every row."""
        return self._rows

    @property
    def row(self) -> Row | None:
        """The highlighted row."""
        return self._rows[self.highlighted] if self.highlighted < len(self._rows) else None

    @property
    def chosen(self) -> Sequence[Row]:
        """The rows an action is meant for: those selected, in that order, else the highlighted one."""
        return tuple(self._marks.values()) or (() if self.row is None else (self.row,))

    @property
    def marked(self) -> int:
        """How many rows are selected, those out of sight too."""
        return len(self._marks)

    def unmark(self) -> None:
        """Select nothing any more."""
        self._marks.clear()
        self.refresh()
        self.post_message(self.Marked())

    def show(self, rows: Sequence[Row], *, placeholder: str = "") -> None:
        """Replace all rows; the highlight stays on the same thing if it is there. No rows: `placeholder` is shown."""
        known = self._key(self.row) if self.row is not None else None
        self._rows, self._placeholder = list(rows), placeholder
        self.set_reactive(RowList.highlighted, self._index(known))
        self._resize()
        self._announce()

    def append(self, rows: Sequence[Row]) -> None:
        """Add rows at the end."""
        self._rows += rows
        self._resize()
        self._check_end()

    def change(self, change: Callable[[Row], Row]) -> None:
        """Replace every row by what `change` makes of it, in place."""
        self._rows = [change(row) for row in self._rows]
        self._marks = {key: change(row) for key, row in self._marks.items()}
        self.refresh()

    def action_move(self, rows: int) -> None:
        """Move the highlight."""
        self.highlighted += rows

    def action_page(self, pages: int) -> None:
        """Move the highlight by what is visible."""
        self.highlighted += pages * max(1, self._visible - 1)

    def action_first(self) -> None:
        """Highlight the first row."""
        self.highlighted = 0

    def action_last(self) -> None:
        """Highlight the last row that is there."""
        self.highlighted = len(self._rows) - 1

    def action_choose(self) -> None:
        """Open the highlighted row."""
        if self.row is not None:
            self.post_message(self.Chosen(self.row))

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Rows are selected where a list is for that."""
        return action != "mark" or self._selects

    def action_mark(self) -> None:
        """Select the highlighted row, or no longer, and go to the next."""
        if self.row is None:
            return
        key = self._key(self.row)
        if self._marks.pop(key, None) is None:
            self._marks[key] = self.row
        self.post_message(self.Marked())
        self.refresh_line(self.highlighted + _HEADER)
        self.highlighted += 1

    def on_click(self, event: events.Click) -> None:
        """Highlight the row under the mouse; open it with a double click."""
        offset = event.get_content_offset(self)
        index = offset.y + self.scroll_offset.y - _HEADER if offset and offset.y >= _HEADER else len(self._rows)
        if index >= len(self._rows):
            return
        self.highlighted = index
        if event.chain == 2:
            self.action_choose()

    def on_resize(self) -> None:
        """Fit the lines to the new width."""
        self._resize()
        self._check_end()

    def validate_highlighted(self, index: int) -> int:
        """Stay inside the list."""
        return max(0, min(index, len(self._rows) - 1))

    def watch_highlighted(self, before: int, now: int) -> None:
        """Keep the highlighted row in sight and tell the screen."""
        self.refresh_line(before + _HEADER)
        self.refresh_line(now + _HEADER)
        self._announce()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for more rows also when the mouse scrolls."""
        super().watch_scroll_y(old_value, new_value)
        self._check_end()

    def render_line(self, y: int) -> Strip:
        """One visible line."""
        width = self.scrollable_content_region.width
        index = y + self.scroll_offset.y - _HEADER
        if not self._rows:
            return self._placeholder_strip(y, width)
        if y < _HEADER:
            return self._header_strip(width)
        if index < len(self._rows):
            return self._row_strip(index, width)
        return Strip.blank(width, self.rich_style)

    def _row_strip(self, index: int, width: int) -> Strip:
        row, cursor = self._rows[index], index == self.highlighted
        base = self.get_component_rich_style("rows--highlighted") if cursor else self.rich_style
        mark = "●" if self._marks and self._key(row) in self._marks else " "
        segments = [Segment(("▸" if cursor else " ") + mark, base)]
        for column, text in cells(self._columns, lambda column: column.text(row), width - _MARK_WIDTH):
            segments.append(Segment(text, base if cursor else self._column_style(column)))
        return Strip(segments).adjust_cell_length(width, base)

    def _header_strip(self, width: int) -> Strip:
        titles = cells(self._columns, lambda column: column.title, width - _MARK_WIDTH)
        return self._line("".join(text for _, text in titles), "rows--header", width)

    def _placeholder_strip(self, y: int, width: int) -> Strip:
        lines = Content(self._placeholder).wrap(max(1, width - 2 * _MARK_WIDTH)) if self._placeholder else []
        return self._line(lines[y - 1].plain if 1 <= y <= len(lines) else "", "rows--placeholder", width)

    def _line(self, text: str, name: str, width: int) -> Strip:
        style = self.get_component_rich_style(name)
        return Strip([Segment(" " * _MARK_WIDTH + text, style)]).adjust_cell_length(width, style)

    def _column_style(self, column: Column[Row]) -> Style:
        return self.get_component_rich_style("rows--strong" if column.strong else "rows--weak")

    def _resize(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._rows) + _HEADER)
        self.refresh()

    @property
    def _visible(self) -> int:
        """How many rows the list shows at once."""
        return self.scrollable_content_region.height - _HEADER

    def _index(self, key: object) -> int:
        return next((index for index, row in enumerate(self._rows) if self._key(row) == key), 0)

    def _announce(self) -> None:
        self.scroll_to_region(Region(0, self.highlighted, 1, 1 + _HEADER), animate=False, force=True)
        self.post_message(self.Highlighted())
        self._check_end()

    def _check_end(self) -> None:
        visible = round(self.scroll_y) + self._visible
        if self._rows and max(visible, self.highlighted) + _NEAR >= len(self._rows):
            self.post_message(self.NearEnd())
