"""Trigger words as uploaders type them: cleaned, grouped, compared, escaped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubsync.prompts.syntax import attention
from hubsync.prompts.words import escaped, groups, key, pieces, same, split, weight_hint


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("RetroXL,,", ("RetroXL",)),
        (" full body, chibi,", ("full body", "chibi")),
        (" long sleeves\uff0cbeard, hanfu\u3001silk", ("long sleeves", "beard", "hanfu", "silk")),
        ("<lora:WH40K:1.0>", ()),
        ("<lora:zerg:1> zerg, <LyCO:z:0.5>", ("zerg",)),
        ("zerg <lora:zerg:1", ("zerg",)),
        (
            "seele (honkai: star rail), nilou \\(genshin, impact\\)",
            ("seele (honkai: star rail)", "nilou \\(genshin, impact\\)"),
        ),
        ("[(white background:1.5),::5] hexagon, 1 girl", ("[(white background:1.5),::5] hexagon", "1 girl")),
        ("(eula, youla), ", ("(eula, youla)",)),
        ("(a, b", ("(a", "b")),
        (">_<, @_@, :i, =_=, :d", (">_<", "@_@", ":i", "=_=", ":d")),
        (":(, sad, (x, y), :)", (":(", "sad", "(x, y)", ":)")),
        ("<phigep>, <s0><s1>", ("<phigep>", "<s0><s1>")),
        ("tag\uff1arealistic\uff0c(portrait:1.2)", ("realistic", "(portrait:1.2)")),
        ("Trigger words: ohwx, re:zero", ("ohwx", "re:zero")),
        ("none", ()),
        ("No trigger words needed.", ()),
        ("N/A, -, no trigger", ()),
        ("no, nothing, none of us", ("no", "nothing", "none of us")),
        ("a  b\n c", ("a b c",)),
        ("", ()),
    ],
)
def test_split(entry: str, words: tuple[str, ...]) -> None:
    """Commas outside brackets part words; tags, labels, blanks and placeholders go, faces and escapes stay."""
    assert split(entry) == words


def test_groups() -> None:
    """Two lists are two outfits; one list, or none, is one group with the rest."""
    assert groups(["sv1, skirt, bow", "sv2", "tiara, skirt"]) == (("sv1", "skirt", "bow"), ("sv2",), ("tiara", "skirt"))
    assert groups(["venus1", "aino minako", "sailor venus, uniform"]) == (
        ("venus1", "aino minako", "sailor venus", "uniform"),
    )
    assert groups(["long,", "chinese ink painting, ", "super huge dragon,"]) == (
        ("long", "chinese ink painting", "super huge dragon"),
    )
    assert groups(["<lora:x:1>", "none", ""]) == ()


def test_groups_hold_nothing_twice() -> None:
    """A word stands once in its group, where case matters, and a group once."""
    assert groups(["Tank", "tank", "Tank "]) == (("Tank", "tank"),)
    assert groups(["a, b", "b, a", "a,b,a"]) == (("a", "b"), ("b", "a"))


@pytest.mark.parametrize(
    ("raw", "weight"),
    [
        (["zerg"], None),
        (["<lora:zerg>"], None),
        (["<lora:zerg:strong>", "x <lora:zerg:0.7>, y"], 0.7),
        (["<lora:zerg:te=0.2:unet=0.6>"], 0.6),
        (["<lora:zerg:0>", "<lora:zerg:nan>", "<lyco:zerg:-0.5>"], -0.5),
        (["<hypernet:zerg:0.7>"], None),
    ],
)
def test_weight_hint(raw: list[str], weight: float | None) -> None:
    """A tag pasted among the words suggests its weight, if it states a usable one."""
    assert weight_hint(raw) == weight


@pytest.mark.parametrize(
    ("word", "spelled"),
    [
        ("soraka_(league)", "soraka_\\(league\\)"),
        ("soraka \\(league\\)", "soraka \\(league\\)"),
        ("seele (honkai: star rail)", "seele \\(honkai: star rail\\)"),
        ("alice [nikke]", "alice \\[nikke\\]"),
        ("(portrait:1.2)", "(portrait:1.2)"),
        ("a (bottle bottom:0.9)", "a (bottle bottom:0.9)"),
        ("((best))", "((best))"),
        ("(seele (honkai):1.2)", "(seele \\(honkai\\):1.2)"),
        ("(a) (b)", "\\(a\\) \\(b\\)"),
        ("[red|blue] hair", "[red|blue] hair"),
        ("[(white:1.5),::5] hexagon", "[(white:1.5),::5] hexagon"),
        (":(", ":\\("),
        ("a)", "a\\)"),
        (">_<", ">_<"),
    ],
)
def test_escaped(word: str, spelled: str) -> None:
    """Brackets that belong to the word are escaped, those that weigh stay."""
    assert escaped(word) == spelled
    assert escaped(spelled) == spelled


@given(st.text("ab (:_1.", min_size=1, max_size=12).filter(lambda text: not text.startswith("(") and text.strip()))
def test_an_escaped_word_is_read_as_itself(word: str) -> None:
    """AUTOMATIC1111 reads the escaped word with its brackets, at weight 1."""
    assert attention(escaped(word)) == [(word, 1.0)]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Red_Hat", "red hat"),
        ("soraka_(league)", "Soraka \\(League\\)"),
        ("ohwx", "(ohwx:1.2)"),
        ("ohwx", " ((ohwx)) "),
        ("ohwx", "[ohwx:0.5]"),
        ("ohwx", "(ohwx"),
        ("(a,b)", "a, b"),
        ("name (x)", "(name \\(x\\):0.9)"),
    ],
)
def test_same(a: str, b: str) -> None:
    """Case, underscores, escapes and attention do not make another word."""
    assert same(a, b)
    assert key(a) == key(b)


@pytest.mark.parametrize(
    ("a", "b"), [("cat", "catgirl"), ("red (hat)", "red hat"), (":)", ":("), (">_<", "> <"), ("é", "e")]
)
def test_not_the_same(a: str, b: str) -> None:
    """A part of a word, other brackets inside and other faces are other words."""
    assert not same(a, b)


def test_words_of_recorded_models(shared_data: Path) -> None:
    """Every real entry becomes words without tags, blanks, outer commas or doubles, and no version loses its words."""
    paths = sorted((shared_data / "civitai_2023").glob("*.json"))
    versions = [version for path in paths for version in json.loads(path.read_text("utf-8"))["modelVersions"]]
    read = [(version.get("trainedWords") or [], groups(version.get("trainedWords") or [])) for version in versions]
    words = [word for _, found in read for group in found for word in group]
    assert len(words) > 300
    assert [
        word for word in words if not word or "<lora:" in word or word != word.strip(" ,") or pieces(word) != (word,)
    ] == []
    assert [found for _, found in read if any(len(set(group)) < len(group) for group in found)] == []
    assert [raw for raw, found in read if raw and not found] == [["<lora:yokolittner:1>"]]


def test_words_of_single_recorded_models(shared_data: Path) -> None:
    """What a careful reader makes of five of them."""

    def read(model: int, version: int) -> tuple[tuple[str, ...], ...]:
        versions = json.loads((shared_data / "civitai_2023" / f"{model}.json").read_text("utf-8"))["modelVersions"]
        return groups(next(one for one in versions if one["id"] == version)["trainedWords"])

    outfits = read(13491, 49874)
    assert [group[0] for group in outfits] == ["sen", "miko"]
    assert read(21530, 25766) == (("long", "chinese dragon"),)
    assert read(33470, 39792) == (("venus1", "aino minako", "sailor senshi uniform", "sailor venus"),)
    assert read(33956, 40251) == (("yomiyadef", "yomiyarnd"),)
    assert read(6135, 7173) == (("redhat", "redskadi"), ("whitehead", "whiteskadi"))
