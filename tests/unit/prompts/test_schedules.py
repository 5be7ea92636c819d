"""Prompts that change while a picture is drawn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubsync.prompts.schedules import schedules


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a [b:4] c", [(4, "a  c"), (10, "a b c")]),
        ("a [b:0.25] c", [(2, "a  c"), (10, "a b c")]),
        ("[a:b:1]", [(1, "a"), (10, "b")]),
        ("[a:b:1.0]", [(10, "a")]),
        ("[a::3]", [(3, "a"), (10, "")]),
        ("[a:b: 5 ]", [(5, "a"), (10, "b")]),
        ("[a:b:99]", [(10, "a")]),
        ("[a:[b:c:6]:3]", [(3, "a"), (6, "b"), (10, "c")]),
        ("([a:b:5]:1.2)", [(5, "(a:1.2)"), (10, "(b:1.2)")]),
        ("[(a:1.2)::5]", [(5, "(a:1.2)"), (10, "")]),
        ("[[a:b:5]", [(5, "[a"), (10, "[b")]),
        ("[a\\]:b:5]", [(5, "a\\]"), (10, "b")]),
        ("[a:b]", [(10, "[a:b]")]),
        ("[a:b:c:5]", [(10, "[a:b:c:5]")]),
        ("[a:b:5.5.5]", [(10, "[a:b:5.5.5]")]),
        ("[a:b:5] | c", [(10, "[a:b:5] | c")]),
        ("[a:b:5]\\", [(10, "[a:b:5]\\")]),
        ("[(a:b:5]", [(10, "[(a:b:5]")]),
        ("[a:b:1e400]", [(10, "a")]),
        ("[a:b:-1e400]", [(10, "b")]),
    ],
)
def test_switches(text: str, expected: list[tuple[int, str]]) -> None:
    """A whole number is a step, one with a dot a share; what fits no reading stays as it is."""
    assert schedules(text, 10) == expected


def test_turns() -> None:
    """Alternatives take turns step by step, blank ones too, and may hold switches."""
    assert [text for _, text in schedules("[a|b|]c", 4)] == ["ac", "bc", "c", "ac"]
    assert [text for _, text in schedules("[a|[b:c:2]]", 4)] == ["a", "b", "a", "c"]


def test_the_second_pass_of_a_hires_picture() -> None:
    """Whole numbers count on from the first pass, shares run from 1.0 to 2.0, unless the old rules are asked for."""
    assert schedules("[a:b:14]", 10, hires_steps=8) == [(4, "a"), (8, "b")]
    assert schedules("[a:b:1.5]", 10, hires_steps=8) == [(4, "a"), (8, "b")]
    assert schedules("[a:b:0.5]", 10, hires_steps=8) == [(8, "b")]
    assert schedules("[a:b:5]", 10, hires_steps=8, old=True) == [(5, "a"), (10, "b")]


@given(st.text("ab[]():|\\ .05\n", max_size=30), st.integers(1, 12))
def test_any_text_has_a_prompt_for_every_step(text: str, steps: int) -> None:
    """Stretches rise to the last step, and a text without alternatives and numbers is never changed."""
    stretches = schedules(text, steps)
    ends = [end for end, _ in stretches]
    assert ends == sorted(set(ends))
    assert (ends[0] >= 1, ends[-1]) == (True, steps)
    if not set(text) & set("|05"):
        assert stretches == [(steps, text)]
