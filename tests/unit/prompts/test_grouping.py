"""Groups as plain JSON: what is written comes back, whatever was done to it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubsync.domain import TriggerGroup, TriggerWord, WordSource
from hubsync.prompts.grouping import groups_from_builtins, groups_to_builtins

_WORDS = st.builds(
    TriggerWord,
    text=st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1),
    source=st.sampled_from(WordSource),
    enabled=st.booleans(),
)
_GROUPS = st.builds(
    TriggerGroup, index=st.just(0), words=st.lists(_WORDS, min_size=1).map(tuple), enabled=st.booleans()
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(st.lists(_GROUPS))
def test_groups_survive_json(groups: list[TriggerGroup]) -> None:
    """Words, sources and switches stay; the numbers follow from the order."""
    found = groups_from_builtins(json.loads(json.dumps(groups_to_builtins(groups))))
    assert [(one.words, one.enabled) for one in found] == [(one.words, one.enabled) for one in groups]
    assert [one.index for one in found] == list(range(1, len(groups) + 1))


@given(_JSON)
def test_any_json_is_some_groups(value: object) -> None:
    """Nothing is an error, and what comes out can be written again."""
    found = groups_from_builtins(value)
    assert groups_from_builtins(groups_to_builtins(found)) == found


@pytest.mark.parametrize(
    "row",
    [
        None,
        [True],
        [True, "words"],
        [True, [["a"]]],
        [True, [["a", "nobody", True]]],
        [True, [[1, "user", True]]],
        [True, [["\x1b", "user", True]]],
        [True, []],
    ],
)
def test_a_malformed_group_costs_only_itself(row: object) -> None:
    """The good one behind it moves up."""
    good = [False, [["day", "user", True], ["\x1b[2Jnight", "civitai", False]]]
    (group,) = groups_from_builtins([row, good])
    assert (group.index, group.enabled) == (1, False)
    assert [(word.text, word.source, word.enabled) for word in group.words] == [
        ("day", WordSource.USER, True),
        ("[2Jnight", WordSource.CIVITAI, False),
    ]
