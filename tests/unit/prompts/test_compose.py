"""LoRAs put into prompts and taken out again."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubsync.prompts.compose import Change, Choice, Composed, Placed, Placement, compose, remove
from hubsync.prompts.syntax import lora_tags, strip_comments
from hubsync.prompts.words import split

_MANY = 100_000

RING = Choice(name="ring", groups=(("sks ring", "soraka_(league)"),))


def _put(text: str, *choices: Choice, placement: Placement = Placement.END) -> str:
    return compose(text, choices, placement=placement).prompt


def test_text_then_words_then_tags() -> None:
    """Words follow the text, tags come last; what was put in and what the prompt loads is told."""
    other = Choice(name="hat", weight=1.0, te_weight=0.5, groups=(("red_hat",), ("blue hat",)))
    assert compose("a blue ring", [RING, other]) == Composed(
        prompt="a blue ring, sks ring, soraka_\\(league\\), red_hat, blue hat <lora:ring:0.8> <lora:hat:te=0.5:unet=1>",
        loras=(
            Placed(name="ring", weight=0.8, te_weight=0.8, unet_weight=0.8),
            Placed(name="hat", weight=1.0, te_weight=0.5, unet_weight=1.0),
        ),
        inserted=(
            Change(lora="ring", text="sks ring"),
            Change(lora="ring", text="soraka_\\(league\\)"),
            Change(lora="hat", text="red_hat"),
            Change(lora="hat", text="blue hat"),
        ),
    )


@pytest.mark.parametrize(
    ("text", "placement", "prompt"),
    [
        ("", Placement.END, "w <lora:n:0.8>"),
        ("", Placement.START, "w <lora:n:0.8>"),
        ("a", Placement.START, "w, a <lora:n:0.8>"),
        ("a BREAK", Placement.END, "a BREAK w <lora:n:0.8>"),
        ("BREAK a", Placement.START, "w BREAK a <lora:n:0.8>"),
        ("a\n", Placement.END, "a\nw <lora:n:0.8>"),
        ("a # why", Placement.END, "a # why\nw <lora:n:0.8>"),
        ("a # why", Placement.START, "w, a # why\n<lora:n:0.8>"),
        ("a <lora:o:1>", Placement.END, "a, w <lora:o:1> <lora:n:0.8>"),
        ("<lora:o:1>", Placement.END, "w <lora:o:1> <lora:n:0.8>"),
        ("a AND b :0.5", Placement.END, "w, a AND b :0.5 <lora:n:0.8>"),
        ("a <lora:open", Placement.END, "<lora:n:0.8> w, a <lora:open"),
    ],
)
def test_seams(text: str, placement: Placement, prompt: str) -> None:
    """Nothing is glued to BREAK, swallowed by a comment or by a tag left open."""
    assert _put(text, Choice(name="n", groups=(("w",),)), placement=placement) == prompt
    assert "n" in [tag.name for tag in lora_tags(strip_comments(prompt))]


@pytest.mark.parametrize(
    "text",
    [
        "Sks_Ring, soraka (league)",
        "(sks ring:1.2), [Soraka \\(League\\)]",
        "x\nsks ring BREAK (soraka_(league), y:0.9)",
    ],
)
def test_words_already_there_are_not_repeated(text: str) -> None:
    """Case, underscores, escapes and weights do not matter."""
    composed = compose(text, [RING])
    assert (composed.prompt, composed.inserted) == (f"{text} <lora:ring:0.8>", ())


def test_parts_of_words_and_comments_do_not_count() -> None:
    """`cat` is not in `catgirl`, nor where only a comment says it."""
    assert (
        _put("catgirl, a cat # cat", Choice(name="n", groups=(("cat",),))) == "catgirl, a cat # cat\ncat <lora:n:0.8>"
    )


def test_a_word_two_loras_share_is_put_in_once() -> None:
    """It stays until the last of them goes."""
    one, two = Choice(name="one", groups=(("x", "y"),)), Choice(name="two", groups=(("Y", "z"),))
    composed = compose("a", [one, two])
    assert composed.prompt == "a, x, y, z <lora:one:0.8> <lora:two:0.8>"
    without_one = remove(composed.prompt, one, keep=[two])
    assert (without_one.prompt, without_one.removed) == ("a, y, z <lora:two:0.8>", (Change(lora="one", text="x"),))
    assert remove(without_one.prompt, two).prompt == "a"


@pytest.mark.parametrize(
    ("there", "choice", "becomes"),
    [
        ("<lora:n:0.3>", Choice(name="n"), "<lora:n:0.3>"),
        ("<lora:n:.30>", Choice(name="n", weight=0.3), "<lora:n:.30>"),
        ("<lora:n:0.3:0.4>", Choice(name="n"), "<lora:n:0.3:0.4>"),
        ("<lora:n:0.3:0.4>", Choice(name="n", weight=1.0), "<lora:n:1>"),
        ("<lora:n>", Choice(name="n", weight=-0.5, te_weight=0.0), "<lora:n:te=0:unet=-0.5>"),
        ("<lora:N:0.3>", Choice(name="n"), "<lora:n:0.3>"),
        ("<lora:n:1:OUTALL>", Choice(name="n"), "<lora:n:1:OUTALL>"),
        ("<lora:n:1:OUTALL>", Choice(name="n", weight=0.6), "<lora:n:0.6>"),
    ],
)
def test_a_tag_already_there(there: str, choice: Choice, becomes: str) -> None:
    """It gets the weight asked for, its own else, and the case of the file's name; it is never doubled."""
    assert _put(f"a {there}, b", choice) == f"a {becomes}, b"


def test_negative_texts() -> None:
    """They go to the negative prompt word by word, and out of it again."""
    choice = Choice(name="n", negative="lowres, (bad hands:1.3)")
    composed = compose("a", [choice, Choice(name="m", negative="LowRes, blurry")], negative="ugly")
    assert composed.negative_prompt == "ugly, lowres, (bad hands:1.3), blurry"
    left = remove(composed.prompt, choice, negative=composed.negative_prompt)
    assert left.negative_prompt == "ugly, blurry"
    other = Choice(name="m", negative="Lowres")
    kept = remove("a", Choice(name="n", negative="lowres, x"), keep=[other], negative="lowres, x")
    assert kept.negative_prompt == "lowres"


def test_tags_only() -> None:
    """Without words neither prompt gets any."""
    choice = Choice(name="n", groups=(("w",),), negative="bad")
    composed = compose("a", [choice], with_words=False)
    assert (composed.prompt, composed.negative_prompt, composed.inserted) == ("a <lora:n:0.8>", "", ())


def test_an_embedding_is_its_word() -> None:
    """It has no tag and loads no LoRA."""
    choice = Choice(name="emb-x", groups=(("emb-x",),), tag=False)
    composed = compose("a", [choice])
    assert (composed.prompt, composed.loras) == ("a, emb-x", ())
    assert remove(composed.prompt, choice).prompt == "a"


def test_what_the_library_lacks_is_marked() -> None:
    """A tag whose LoRA is missing stays, marked as not found."""
    composed = compose("<lora:gone:1> <lora:here:1>", [Choice(name="gone", found=False), Choice(name="here")])
    assert [(use.name, use.found) for use in composed.loras] == [("gone", False), ("here", True)]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("1girl, <lora:n:0.8>, sky", "1girl, sky"),
        ("<lora:n:0.8>, sky", "sky"),
        ("a <lora:n:-1> b <lora:N:0.2:0.9> c<lyco:n:te=1>", "a b c"),
        ("a <lora:n>", "a"),
        ("a <lora:n:1:OUTALL>, b <lora:nn:1>", "a, b <lora:nn:1>"),
        ("W, a, red  hat", "a"),
        ("w, a, Red_Hat", "a"),
        ("(b, w, a:1.3)", "(b, a:1.3)"),
        ("(w, a:1.3), b", "(w, a:1.3), b"),
        ("(w:1.3), b", "(w:1.3), b"),
        ("[w|a]", "[w|a]"),
        ("w b, a", "w b, a"),
        ("wow, a w", "wow, a w"),
        ("a BREAK w, b", "a BREAK b"),
        ("a # w", "a # w"),
    ],
)
def test_remove(text: str, left: str) -> None:
    """Tags of any weight go, and words as they were put in; those the user has changed or weighed stay."""
    assert remove(text, Choice(name="n", groups=(("w",), ("red hat",)))).prompt == left


def test_removing_what_is_not_there_is_said() -> None:
    """Nothing changes, and a warning names the LoRA."""
    removed = remove("a <lora:m:1>", Choice(name="n", groups=(("w",),)))
    assert (removed.prompt, removed.removed) == ("a <lora:m:1>", ())
    assert [(note.code, "'n'" in note.message) for note in removed.warnings] == [("not_in_prompt", True)]
    assert [use.name for use in removed.loras] == ["m"]


_BITS = st.sampled_from(
    [
        *(
            "a",
            "b c",
            " ",
            ", ",
            ",",
            "\uff0c",
            "(",
            ")",
            "[",
            "]",
            ":1.2)",
            "|",
            "\n",
            "# c",
            "BREAK",
            "AND",
            ":.5",
            "ohwx",
        ),
        *("<lora:x:1>", "<lora:", "<a:b", "<", ">", "\\", "\\("),
    ]
)
_TEXTS = st.one_of(st.lists(_BITS, max_size=9).map("".join), st.text(max_size=12))
_WORDS = st.one_of(
    st.sampled_from(
        ["ohwx", "red_hat", "Soraka_(league)", "(w:1.2)", "(x, y)", ":(", "@_@", "[s|t]", "x)", "<s0><s1>"]
    ),
    st.text("abc ()[]:_\\1.", min_size=1, max_size=8),
)
_CHOICES = st.lists(
    st.builds(
        lambda name, weight, words: Choice(name=name, weight=weight, groups=(tuple(words),)),
        st.sampled_from(["n", "foo bar", "\u00c4", "m.v1"]),
        st.sampled_from([None, 0.8, -1.0]),
        st.lists(_WORDS, max_size=4),
    ),
    max_size=3,
    unique_by=lambda choice: choice.name,
)


@given(_TEXTS, _CHOICES, st.sampled_from(Placement), st.sampled_from([1, -1]))
def test_removing_gives_the_text_back(text: str, choices: list[Choice], placement: Placement, order: int) -> None:
    """To the last space, whatever the text, with several LoRAs, taken out in either order."""
    composed = compose(text, choices, placement=placement)
    left = composed.prompt
    for choice in choices[::order]:
        own = tuple(change.text for change in composed.inserted if change.lora == choice.name)
        step = remove(left, replace(choice, groups=(own,)))
        assert tuple(change.text for change in step.removed) == own
        left = step.prompt
    assert left == text


@given(_TEXTS, _CHOICES, st.sampled_from(Placement))
def test_composing_twice_changes_nothing(text: str, choices: list[Choice], placement: Placement) -> None:
    """Every word and tag is found again, and each LoRA stands in the prompt once."""
    once = compose(text, choices, placement=placement)
    twice = compose(once.prompt, choices, placement=placement)
    assert (twice.prompt, twice.inserted) == (once.prompt, ())
    names = [use.name for use in once.loras]
    assert {choice.name: names.count(choice.name) for choice in choices} == {choice.name: 1 for choice in choices}


def test_a_card_s_tag_and_words_are_taken_out(shared_data: Path) -> None:
    """What AUTOMATIC1111's own cards have written is known too; activation text edited by hand stays."""
    recorded = json.loads((shared_data / "a1111" / "cases.json").read_text("utf-8"))["cases"]
    cases = [case for case in recorded if case["function"] == "card click"]
    assert cases
    for case in cases:
        text = case["expected"]["prompt"]
        for click in case["input"]["clicks"]:
            words = split(click["user_metadata"].get("activation text", ""))
            text = remove(text, Choice(name=click["name"], groups=(words,))).prompt
        edited = case["note"].startswith("activation text edited")
        assert text.strip() == ("1girl trig style" if edited else case["input"].get("prompt", "").partition(" <")[0])


_HOSTILE = (
    "[" * _MANY,
    "<lora:" * (_MANY // 6),
    "<a:" * (_MANY // 3) + ">",
    "\\" * _MANY,
    ":1" * (_MANY // 2),
    " " * _MANY,
    "BREAK AND " * (_MANY // 10),
)


@pytest.mark.parametrize("hostile", _HOSTILE, ids=lambda text: text[:6])
def test_a_hundred_kilobytes_take_seconds(hostile: str) -> None:
    """As a user's text and as a hub's word, where one slow pattern would take minutes."""
    start = time.monotonic()
    word = Choice(name="n", groups=((hostile,),), negative=hostile)
    remove(compose("a, b", [word]).prompt, word)
    plain = Choice(name="n", groups=(("w",),))
    remove(compose(hostile, [plain]).prompt, plain)
    assert time.monotonic() - start < 30
