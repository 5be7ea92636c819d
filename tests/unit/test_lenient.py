"""Lenient reading: what does not fit counts as absent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec import Struct, field

from hubsync.lenient import count, moment, read, rows, texts


class Thing(Struct, rename="camel", kw_only=True):
    """A shape with a field of each kind."""

    some_id: int = 0
    name: str = ""
    good: bool = False
    many: list[object] = field(default_factory=list)


@pytest.mark.parametrize(
    ("raw", "thing"),
    [
        ({"someId": 5, "name": "a", "good": True, "unknown": {}}, Thing(some_id=5, name="a", good=True)),
        ({"someId": "5", "name": None, "good": "true"}, Thing(some_id=5, good=True)),
        ({"someId": [], "name": {"x": 1}, "many": "no list"}, Thing()),
        ({"someId": 1.5, "name": "b"}, Thing(name="b")),
        ({}, Thing()),
        ([], None),
        ("text", None),
        (None, None),
    ],
)
def test_each_field_is_read_by_itself(raw: object, thing: Thing | None) -> None:
    """One wrong field costs that field, and something else than an object costs the whole."""
    assert read(raw, Thing) == thing


def test_rows_skip_what_is_no_object() -> None:
    """One bad row never costs the page."""
    assert [row.some_id for row in rows([{"someId": 1}, None, 3, {"someId": 2}], Thing)] == [1, 2]
    assert list(rows({"a": 1}, Thing)) == []


def test_texts_take_a_list_or_one() -> None:
    """A lone text is a list of one; what is no text is left out."""
    assert texts(["a", None, 3, "b"]) == ["a", "b"]
    assert texts("a") == ["a"]
    assert texts(None) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-10-11T14:30:00.000Z", datetime(2026, 10, 11, 14, 30, tzinfo=UTC)),
        ("2024-04-22T10:11:12.130", datetime(2024, 4, 22, 10, 11, 12, 130_000, tzinfo=UTC)),
        ("2024-04-22T12:00:00+02:00", datetime(2024, 4, 22, 10, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59Z", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_dates_are_utc(text: str | None, found: datetime | None) -> None:
    """Records without a zone are UTC; what is no date is nothing."""
    assert moment(text) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (3.7, 3),
        (0, 0),
        (-1, None),
        (float("inf"), None),
        (float("nan"), None),
        (1e19, None),
        (2**63, None),
        (None, None),
    ],
)
def test_counts_are_not_negative_and_fit_a_database(value: float | None, found: int | None) -> None:
    """A size or a count is a number that can be one."""
    assert count(value) == found
