"""Editing groups of trigger words, and which source's words are used."""

from __future__ import annotations

import pytest

from hubsync.domain import Statement, TriggerGroup, TriggerWord, WordSource, grouped
from hubsync.errors import NotFound, UsageError
from hubsync.prompts.editing import added, moved, removed, switched
from hubsync.prompts.sources import settled

OUTFITS = grouped((("mona", "day_outfit"), ("mona", "night (dark) outfit")), WordSource.CIVITAI)


def _texts(groups: tuple[TriggerGroup, ...]) -> list[list[str]]:
    return [[word.text for word in group.words] for group in groups]


def _on(groups: tuple[TriggerGroup, ...]) -> list[int]:
    return [group.index for group in groups if group.enabled]


def test_words_go_to_the_group_that_is_on() -> None:
    """A list is cut at its commas, a word there in any spelling is not repeated, and a new one is the user's."""
    groups = added(OUTFITS, ["red hat, Day Outfit", "boots"])
    assert _texts(groups) == [["mona", "day_outfit", "red hat", "boots"], ["mona", "night (dark) outfit"]]
    assert [word.source for word in groups[0].words][-2:] == [WordSource.USER, WordSource.USER]
    assert added(groups, ["boots"]) == groups


def test_a_new_group_is_made_by_its_number() -> None:
    """The first of all is on, another one waits to be switched on."""
    assert _on(added((), ["ohwx"])) == [1]
    three = added(OUTFITS, ["swimsuit"], group=3)
    assert _texts(three)[2] == ["swimsuit"]
    assert _on(three) == [1]
    with pytest.raises(UsageError, match="no trigger group 5"):
        added(three, ["x"], group=5)


def test_adding_a_word_that_is_off_switches_it_on() -> None:
    """What the user asks for is there afterwards."""
    off = switched(OUTFITS, ["day outfit"], on=False)
    assert off[0].texts == ("mona",)
    assert added(off, ["day outfit"])[0].texts == ("mona", "day_outfit")


def test_words_are_removed_everywhere_or_in_one_group() -> None:
    """Groups left empty go, and the others are counted anew."""
    assert _texts(removed(OUTFITS, ["mona"])) == [["day_outfit"], ["night (dark) outfit"]]
    assert _texts(removed(OUTFITS, ["MONA"], group=2)) == [["mona", "day_outfit"], ["night (dark) outfit"]]
    left = removed(OUTFITS, (), group=1)
    assert (_texts(left), left[0].index) == ([["mona", "night (dark) outfit"]], 1)


def test_words_move_within_their_group_and_groups_among_themselves() -> None:
    """Not past the ends; a group that moves keeps what it holds and whether it is on."""
    assert _texts(moved(OUTFITS, "day outfit", group=1, by=-1))[0] == ["day_outfit", "mona"]
    assert moved(OUTFITS, "mona", group=1, by=-1) == moved(OUTFITS, None, group=2, by=3) == OUTFITS
    swapped = moved(OUTFITS, None, group=1, by=1)
    assert _texts(swapped) == _texts(OUTFITS)[::-1]
    assert ([group.index for group in swapped], _on(swapped)) == ([1, 2], [2])
    with pytest.raises(NotFound):
        moved(OUTFITS, "hat", group=1, by=1)
    with pytest.raises(UsageError, match="no trigger group 3"):
        moved(OUTFITS, None, group=3, by=1)


def test_groups_and_words_are_switched() -> None:
    """A whole group without words, the words named otherwise, brackets and case aside."""
    assert _on(switched(switched(OUTFITS, (), on=True, group=2), (), on=False, group=1)) == [2]
    assert switched(OUTFITS, [r"night \(dark\) outfit"], on=False)[1].texts == ("mona",)


@pytest.mark.parametrize("edit", [removed, lambda *a, **k: switched(*a, on=True, **k)])
def test_what_is_not_there_is_said(edit: object) -> None:
    """A word that is none of them comes with the nearest that is; nothing named is wrong use."""
    assert callable(edit)
    with pytest.raises(NotFound) as caught:
        edit(OUTFITS, ["day outfits"])
    assert "day_outfit" in caught.value.hint
    with pytest.raises(UsageError):
        edit(OUTFITS, ())


def _said(source: WordSource, *groups: tuple[str, ...], weight: float | None = None) -> Statement:
    return Statement(source=source, groups=grouped(groups, source) if groups else None, weight=weight)


def test_the_most_trusted_source_that_speaks_is_used() -> None:
    """Each thing is taken from one source, never mixed from two."""
    use = settled(
        [
            _said(WordSource.METADATA, ("phrase",), weight=0.5),
            _said(WordSource.CIVITAI, ("a", "b"), weight=0.7),
            _said(WordSource.SIDECAR, ("mine",)),
        ]
    )
    assert [group.texts for group in use.groups] == [("mine",)]
    assert use.weight == 0.7
    assert settled([]).groups == ()


def test_a_user_may_want_no_words_at_all() -> None:
    """Removing every word is an answer, and a hub's words do not come back by themselves."""
    user = Statement(source=WordSource.USER, groups=())
    assert settled([_said(WordSource.CIVITAI, ("a",)), user]).groups == ()


def test_a_sidecar_that_repeats_a_hub_keeps_the_hub_s_groups() -> None:
    """Tools write one group of a hub's words into the sidecar, or all of them in a row."""
    hub = Statement(source=WordSource.CIVITAI, groups=OUTFITS)
    every = settled([hub, _said(WordSource.SIDECAR, ("mona", "day outfit", "mona", r"night \(dark\) outfit"))])
    assert every.groups == OUTFITS
    second = settled([hub, _said(WordSource.SIDECAR, ("mona", "night (dark) outfit"))])
    assert _on(second.groups) == [2]
    assert second.groups[1].words == (
        TriggerWord(text="mona", source=WordSource.CIVITAI),
        TriggerWord(text="night (dark) outfit", source=WordSource.CIVITAI),
    )
    other = settled([hub, _said(WordSource.SIDECAR, ("mona", "swimsuit"))])
    assert [group.texts for group in other.groups] == [("mona", "swimsuit")]
