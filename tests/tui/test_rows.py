"""The virtual list."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import App, ComposeResult

from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.rows import RowList


class OneList(App[None]):
    """A list of names with a number each."""

    def __init__(self) -> None:
        super().__init__()
        self.near_ends = 0
        self.chosen: list[object] = []
        self.drawn: set[tuple[str, int]] = set()

    def note_name(self, row: tuple[str, int]) -> str:
        """The name of a row, which is noted as drawn."""
        self.drawn.add(row)
        return row[0]

    def compose(self) -> ComposeResult:
        """The list alone."""
        yield RowList(
            Column(text=self.note_name, title="Name", strong=True),
            Column(text=lambda row: str(row[1]), title="No", width=5, right=True),
            Column(text=lambda row: f"seldom {row[1]}", width=8, needs=60),
            key=lambda row: row[0],
        )

    @property
    def listing(self) -> RowList[tuple[str, int]]:
        """The list."""
        return self.query_one(RowList)

    def on_row_list_near_end(self) -> None:
        """Count how often more rows were asked for."""
        self.near_ends += 1

    def on_row_list_chosen(self, message: RowList.Chosen) -> None:
        """Remember what was opened."""
        self.chosen.append(message.row)

    def lines(self) -> Sequence[str]:
        """What the terminal shows."""
        return [strip.text for strip in self.screen._compositor.render_strips()]


def rows(count: int) -> list[tuple[str, int]]:
    """So many rows."""
    return [(f"row {index}", index) for index in range(count)]


async def test_keys_move_and_open() -> None:
    """Arrows, letters and pages move inside the list; enter opens."""
    app = OneList()
    async with app.run_test(size=(40, 10)) as pilot:
        app.listing.show(rows(100))
        places = []
        for key in ("j", "down", "k", "pagedown", "G", "down", "pageup", "g", "up"):
            await pilot.press(key)
            places.append(app.listing.highlighted)
        await pilot.press("j", "enter")
        assert places == [1, 2, 1, 9, 99, 99, 91, 0, 0]
        assert app.chosen == [("row 1", 1)]


async def test_the_mouse_chooses() -> None:
    """A click highlights, a double click opens, beside the rows nothing happens."""
    app = OneList()
    async with app.run_test(size=(40, 10)) as pilot:
        app.listing.show(rows(4))
        await pilot.click(RowList, offset=(5, 3))
        assert app.listing.row == ("row 2", 2)
        await pilot.click(RowList, offset=(5, 9))
        await pilot.click(RowList, offset=(5, 0))
        assert app.listing.row == ("row 2", 2)
        await pilot.double_click(RowList, offset=(5, 4))
        assert app.chosen == [("row 3", 3)]


async def test_wide_characters_keep_the_columns() -> None:
    """Numbers end in one column whatever stands before them, and no escape sequence reaches the terminal."""
    app = OneList()
    names = ["plain", "水彩の背景", "🎨 paint", "❤\ufe0f heart", "[bold red]x[/] \x1b[31m", "né\u0301e"]
    async with app.run_test(size=(40, 10)) as pilot:
        app.listing.show([(name, index) for index, name in enumerate(names)])
        await pilot.pause()
        shown = [strip for strip in app.screen._compositor.render_strips() if strip.text.strip()][1:]
        assert [strip.cell_length for strip in shown] == [40] * len(names)
        assert [strip.crop(34, 39).text.strip() for strip in shown] == [str(index) for index in range(len(names))]
        assert "[bold red]x[/] [31m" in app.lines()[5]
        assert "\x1b" not in "".join(app.lines())


async def test_columns_appear_where_there_is_room() -> None:
    """A narrow list leaves out what matters less."""
    app = OneList()
    async with app.run_test(size=(40, 5)) as pilot:
        app.listing.show(rows(2))
        await pilot.pause()
        assert "seldom" not in app.lines()[1]
        await pilot.resize_terminal(80, 5)
        await pilot.pause()
        assert "seldom" in app.lines()[1]


async def test_more_rows_are_asked_for_near_the_end() -> None:
    """The list says when it runs out: at once if it does not fill the screen, else when the highlight comes near."""
    app = OneList()
    async with app.run_test(size=(40, 10)) as pilot:
        app.listing.show(rows(50))
        await pilot.pause()
        assert app.near_ends == 0
        app.listing.highlighted = 41
        await pilot.pause()
        assert app.near_ends > 0
        app.listing.append(rows(200)[50:])
        await pilot.pause()
        before = app.near_ends
        await pilot.press("j")
        assert (app.near_ends, app.listing.highlighted) == (before, 42)


async def test_the_highlight_stays_on_its_row() -> None:
    """When the rows are read again the same thing stays highlighted; if it is gone the first is."""
    app = OneList()
    async with app.run_test(size=(40, 10)) as pilot:
        app.listing.show(rows(9))
        await pilot.press("j", "j")
        app.listing.show([("new", 0), *rows(9)])
        assert app.listing.row == ("row 2", 2)
        app.listing.show([("other", 0)])
        assert app.listing.row == ("other", 0)


async def test_an_empty_list_says_why() -> None:
    """Words stand where rows would be; keys do no harm."""
    app = OneList()
    async with app.run_test(size=(40, 10)) as pilot:
        app.listing.show([], placeholder="Nothing found. Fewer or other words may help, or none at all.")
        await pilot.press("j", "G", "enter")
        shown = " ".join(" ".join(app.lines()).split())
        assert "Nothing found. Fewer or other words may help, or none at all." in shown
        assert (app.listing.row, app.chosen) == (None, [])


async def test_many_rows_cost_nothing_until_they_are_seen() -> None:
    """Of 50,000 rows, shown and walked to their end, only those that come into sight are written out."""
    app = OneList()
    many = rows(50_000)
    async with app.run_test(size=(80, 40)) as pilot:
        app.listing.show(many)
        await pilot.press("G")
        assert app.listing.row == many[-1]
        assert many[-1] in app.drawn
        assert len(app.drawn) < 3 * 40
