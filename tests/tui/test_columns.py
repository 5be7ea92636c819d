"""Which columns a line has, and how wide they are."""

from __future__ import annotations

import pytest

from hubsync.tui.widgets.columns import Column, cells

COLUMNS: tuple[Column[tuple[str, str, str]], ...] = (
    Column(text=lambda row: row[0], title="What", spills=True),
    Column(text=lambda row: row[1], title="Bar", width=4, needs=20),
    Column(text=lambda row: row[2], title="Done", width=4, right=True),
)


@pytest.mark.parametrize(
    ("row", "width", "line"),
    [
        (("a long name", "━━──", "50%"), 24, "a long name  ━━──   50%  "),
        (("a much too long name", "━━──", "50%"), 24, "a much too…  ━━──   50%  "),
        (("a much too long name", "", "50%"), 24, "a much too long …   50%  "),
        (("a much too long name", "", ""), 24, "a much too long name     "),
        (("a much too long name", "━━──", "50%"), 16, "a much t…   50%  "),
        (("a much too long name", "━━──", ""), 16, "a much too lon…  "),
    ],
)
def test_a_text_takes_the_room_of_columns_that_say_nothing(row: tuple[str, str, str], width: int, line: str) -> None:
    """What is left is the first column's; so is, line by line, what the others do not use."""
    found = cells(COLUMNS, lambda column: column.text(row), width)
    assert "".join(text for _, text in found) == line


def test_titles_stay_above_their_texts() -> None:
    """A line on which one column took another's room is as long as the line of titles."""
    row = ("name", "", "50%")
    lines = [cells(COLUMNS, text, 40) for text in (lambda column: column.title, lambda column: column.text(row))]
    titles, line = ("".join(text for _, text in found) for found in lines)
    assert len(titles) == len(line)
    assert titles.index("Done") + 4 == line.index("50%") + 3


WIDE: tuple[Column[None], ...] = (
    Column(text=lambda _: "", title="Name"),
    Column(text=lambda _: "", title="Words", width=16, most=64),
    Column(text=lambda _: "", title="Base", width=8, most=24),
    Column(text=lambda _: "", title="Size", width=6),
)


@pytest.mark.parametrize(
    ("width", "widths"),
    [
        (61, [24, 16, 8, 6]),
        (69, [32, 16, 8, 6]),
        (101, [32, 40, 16, 6]),
        (133, [32, 64, 24, 6]),
        (201, [100, 64, 24, 6]),
    ],
)
def test_room_a_name_does_not_need_goes_to_the_others(width: int, widths: list[int]) -> None:
    """The first column keeps what most names fit into; beyond it each gets its share up to what it can use."""
    found = cells(WIDE, lambda column: column.title, width)
    assert [len(text) - len(column.gap) for column, text in found] == widths
    assert sum(widths) + 3 * 2 + 1 == width
