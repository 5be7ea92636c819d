"""What training metadata tells: facts its author stated, and guesses from the captions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubsync.files.metadata import alias, candidates, suggestions, title, trigger_phrase


def _recorded(shared_data: Path, name: str) -> dict[str, str]:
    """Metadata as a file holds it: texts only, the rest JSON in a text."""
    values = json.loads((shared_data / "headers" / name).read_text("utf-8"))
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def _frequency(**folders: dict[str, int]) -> dict[str, str]:
    return {"ss_tag_frequency": json.dumps(folders)}


def test_the_most_frequent_tag_is_not_the_trigger(shared_data: Path) -> None:
    """In real captions `1girl` leads with 46 of 46; the tag its folder and file are named after triggers."""
    metadata = _recorded(shared_data, "kohya_booru_tags.json")
    best, *rest = suggestions(metadata)
    assert (best.text, best.source) == ("soraka_classic", "ss_tag_frequency")
    assert best.score > 2 * max(hint.score for hint in rest)
    assert alias(metadata) == "Soraka_Classic"
    assert (title(metadata), trigger_phrase(metadata)) == (None, ())


def test_sentence_captions_suggest_the_folder(shared_data: Path) -> None:
    """Of captions that are sentences, no word stands out: the folder `100_GiniS2` does."""
    metadata = _recorded(shared_data, "kohya_sentence_captions.json")
    assert [hint.text for hint in suggestions(metadata)] == ["GiniS2"]
    assert alias(metadata) == "Gini_S2"


@pytest.mark.parametrize(
    "name", ["aitoolkit_empty_hash.json", "onetrainer_modelspec_hash.json", "onetrainer_upper_hash.json"]
)
def test_metadata_of_hashes_only_tells_nothing(shared_data: Path, name: str) -> None:
    """Files whose metadata holds a hash alone have no alias, no words and no suggestions."""
    metadata = _recorded(shared_data, name)
    assert (alias(metadata), title(metadata), trigger_phrase(metadata), suggestions(metadata)) == (None, None, (), ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [("my_style", "my_style"), ("  spaced ", "spaced"), ("", None), ("None", None)],
)
def test_alias_is_the_trained_name(text: str, expected: str | None) -> None:
    """`ss_output_name` as it is; kohya writes "None" for none."""
    assert alias({"ss_output_name": text}) == expected


def test_a_title_made_from_the_clock_is_none() -> None:
    """sd-scripts titles what nobody titled "LoRA@" and the time."""
    assert title({"modelspec.title": "Pencil Sketch"}) == "Pencil Sketch"
    assert title({"modelspec.title": "LoRA@1699999999.123"}) is None


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("sks", ("sks",)),
        ("ohwx man, portrait ,, ohwx man", ("ohwx man", "portrait")),
        ("a; b\uff0cc\u3001d", ("a", "b", "c", "d")),
        (r"seele \(honkai: star rail, gold\), x", (r"seele \(honkai: star rail, gold\)", "x")),
        ("(a, b:1.2), <lora:x:0.8>, >_<", ("(a, b:1.2)", ">_<")),
        ("none", ()),
        ("", ()),
    ],
)
def test_the_trigger_phrase_is_split_into_words(phrase: str, words: tuple[str, ...]) -> None:
    """Commas of all widths and semicolons part words, not inside brackets; LoRA tags and placeholders are no words."""
    assert trigger_phrase({"modelspec.trigger_phrase": phrase}) == words


def test_ai_toolkit_states_its_trigger_as_a_tag() -> None:
    """ai-toolkit writes the trigger word as the one tag of a folder named after it."""
    [hint] = suggestions(_frequency(**{"1_ohwx": {"ohwx": 1}}))
    assert hint.text == "ohwx"
    assert hint.score >= 0.9


def test_folders_are_class_prompts_where_no_captions_are() -> None:
    """kohya trains on the name of a folder without captions; folders called img or woman trigger nothing."""
    folders = {
        "ss_dataset_dirs": json.dumps(
            {"10_sks dog": {"n_repeats": 10, "img_count": 5}, "5_woman": {}, "1_img": {}, "dog": {}}
        )
    }
    assert [(hint.text, hint.score, hint.source) for hint in suggestions(folders)] == [
        ("sks dog", 0.8, "ss_dataset_dirs")
    ]


def test_a_tag_kept_first_scores_higher() -> None:
    """Of two tags on every image, the one that shuffling left in place is likelier."""
    metadata = _frequency(a={"zxc": 10, "qwe": 10})
    assert [hint.score for hint in suggestions(metadata)] == [0.7, 0.7]
    kept = metadata | {"ss_datasets": json.dumps([{"subsets": [{"keep_tokens": 1, "image_dir": "a"}]}])}
    assert [(hint.text, hint.score) for hint in suggestions(kept)] == [("zxc", 0.8), ("qwe", 0.7)]
    assert suggestions(metadata | {"ss_keep_tokens": "1"}) == suggestions(kept)
    assert suggestions(metadata | {"ss_keep_tokens": "None"}) == suggestions(metadata)


def test_each_folder_has_its_own_share() -> None:
    """An outfit on every image of one folder scores fully, however many folders there are."""
    metadata = _frequency(a={"red dress": 5, "lena": 5}, b={"blue coat": 40, "lena": 40})
    assert {hint.text: hint.score for hint in suggestions(metadata)} == {
        "red dress": 0.7,
        "lena": 0.7,
        "blue coat": 0.7,
    }


def test_the_limit_holds_and_long_tags_are_left_out() -> None:
    """At most `limit` suggestions; a tag of more than 100 characters is a caption."""
    metadata = _frequency(a={f"tag{n}": 5 for n in range(30)} | {"x" * 101: 5})
    assert len(suggestions(metadata, limit=7)) == 7
    assert max(len(hint.text) for hint in suggestions(metadata, limit=99)) < 10


_KEYS = (
    "ss_output_name",
    "modelspec.title",
    "modelspec.trigger_phrase",
    "ss_tag_frequency",
    "ss_dataset_dirs",
    "ss_datasets",
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)
_COUNTS = st.dictionaries(
    st.text(max_size=9), st.dictionaries(st.text(max_size=30), st.integers(-5, 50), max_size=5), max_size=3
)


@given(st.dictionaries(st.sampled_from(_KEYS), st.text(max_size=40) | (_JSON | _COUNTS).map(json.dumps)))
def test_hostile_metadata_never_crashes(metadata: dict[str, str]) -> None:
    """Any text under any key gives words and scores between 0 and 1, best first."""
    scores = [hint.score for hint in suggestions(metadata)]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    assert all(
        word == word.strip() != ""
        for word in (*trigger_phrase(metadata), alias(metadata) or "x", title(metadata) or "x")
    )


def test_deeply_nested_metadata_is_ignored() -> None:
    """JSON nested a hundred thousand deep ends in no suggestions, not in a crash."""
    assert suggestions({"ss_tag_frequency": '{"a":' * 100_000, "ss_datasets": "[" * 100_000}) == ()


def test_everything_that_may_be_a_word_is_a_candidate() -> None:
    """What its author stated first, then the likeliest, then every tag by how often it stands; each spelling once."""
    metadata = {
        "modelspec.trigger_phrase": "frost style",
        "ss_output_name": "frost_v2",
        **_frequency(**{"5_photos": {"1girl": 50, "Frost_Style": 40, "hat": 3}, "2_more": {"hat": 1, "snow": 2}}),
    }
    found = candidates(metadata)
    assert found[0] == "frost style"
    assert "Frost_Style" not in found
    assert {*found} >= {"frost_v2", "1girl", "hat", "snow"}
    assert candidates({}) == ()
