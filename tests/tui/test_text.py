"""Texts for a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from hubsync.tui.text import count, day, ending, fitted, home, number, one_line, plain, size, words


def test_escape_sequences_and_joiners_are_taken_out() -> None:
    """Nothing that moves a cursor, changes a colour, joins emoji or turns the writing direction stays."""
    assert plain("\x1b[31mred\x07 \u202egnp.exe\u200d❤\ufe0f\u2066\x9b1m\tend") == "[31mred gnp.exe❤1m end"


def test_line_breaks_stay_in_descriptions_and_not_in_lists() -> None:
    """A description keeps its lines; a row is one line."""
    assert plain("one\ntwo") == "one\ntwo"
    assert one_line(" one\n\n two\r\nthree ") == "one two three"


@given(st.text(max_size=60), st.integers(1, 40))
def test_a_fitted_text_takes_exactly_its_cells(text: str, width: int) -> None:
    """Columns line up whatever a name holds: wide letters, emoji, control characters."""
    assert [cell_len(fitted(text, width)), cell_len(fitted(text, width, right=True))] == [width, width]


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("add_detail", 12, "add_detail  "),
        ("add_detail", 6, "add_d…"),
        ("civitai", 3, "civ"),
        ("水彩の背景", 7, "水彩の…"),
        ("水彩", 3, "水 "),
    ],
)
def test_a_text_is_cut_at_a_cell(text: str, width: int, expected: str) -> None:
    """A cut is marked, except in columns too narrow for a mark."""
    assert fitted(text, width) == expected


def test_markup_of_others_stays_text() -> None:
    """Square brackets in a name colour nothing."""
    content = words("[bold red]x[/] [@click=app.quit]y[/]")
    assert content.plain == "[bold red]x[/] [@click=app.quit]y[/]"
    assert not [span for span in content.spans if "red" in str(span.style) or "click" in str(span.style)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, ""), (0, "0"), (987, "987"), (1_234, "1.2k"), (999_949, "999.9k"), (4_500_000, "4.5M")],
)
def test_counts_are_short(value: int | None, expected: str) -> None:
    """Downloads fit a narrow column."""
    assert count(value) == expected


def test_numbers_sizes_and_days_are_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """Units, no needless zeros, no time of day, `~` for the home folder."""
    monkeypatch.setenv("HOME", "/home/ada")
    assert [size(None), size(135_200)] == ["", "135.2 kB"]
    assert [number(None), number(0.80), number(1.0)] == ["", "0.8", "1"]
    assert [day(None), day(datetime(2026, 3, 1, 12, tzinfo=UTC))] == ["", "2026-03-01"]
    assert [home(Path("/home/ada/loras/a")), home(Path("/srv/a"))] == ["~/loras/a", "/srv/a"]


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [("~/a/b.png", 9, "~/a/b.png"), ("~/a folder/b.png", 8, "…r/b.png"), ("写真.png", 7, "…真.png"), ("ab", 0, "…")],
)
def test_the_end_of_a_path_is_kept(text: str, width: int, expected: str) -> None:
    """In cells, not letters: `…` stands for what does not fit."""
    assert ending(text, width) == expected
