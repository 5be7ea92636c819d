"""Suggested weight and negative prompt out of an uploader's example pictures."""

from __future__ import annotations

import pytest

from hubsync.hubs.civitai.examples import metas, usual_negative, usual_weight


def _weight(*prompts: str, stems: set[str] = frozenset({"Zerg_v1"})) -> float | None:  # type: ignore[assignment]
    return usual_weight(metas([{"prompt": prompt} for prompt in prompts]), stems=stems, version=7)


@pytest.mark.parametrize(
    ("prompts", "weight"),
    [
        (["<lora:zerg_v1:0.6> a", "b <lora:Zerg_v1:0.8>", "<lora:ZERG_V1:1>"], 0.8),
        (["<lora:zerg_v1:0.6>", "<lora:zerg_v1:0.7>"], 0.65),
        (["<lora:other:0.3> <lora:zerg_v1:0.9>"], 0.9),
        (["<lora:renamed:0.7>"], 0.7),
        (["<lora:one:0.3> <lora:two:0.4>"], None),
        (["<lora:folder/zerg_v1:0.5:0.9>"], 0.5),
        (["<lora:zerg_v1>"], 1.0),
        (["<lora:zerg_v1:-0.8>"], -0.8),
        (["<lora:zerg_v1:1>", "<lora:zerg_v1:-1>"], None),
        (["<lora:zerg_v1:OUTALL>"], None),
        (["<lora:zerg_v1:0>", "<lora:zerg_v1:1e300>", "<lora:zerg_v1:nan>"], None),
        (["no tag"], None),
        ([], None),
    ],
)
def test_the_weight_is_the_median_of_the_examples_own(prompts: list[str], weight: float | None) -> None:
    """Tags that name a file of the version count, or a lone tag; several others, zeros and nonsense do not."""
    assert _weight(*prompts) == weight


def test_resources_tell_where_no_tag_does() -> None:
    """Pictures made on the site name the version and its weight instead of a tag."""
    raw = {
        "prompt": "a",
        "civitaiResources": [{"modelVersionId": 7, "weight": 0.7}, {"modelVersionId": 8, "weight": 2}],
    }
    named = {"prompt": "a", "resources": [{"name": "zerg_V1", "type": "lora", "weight": "0.9"}]}
    assert usual_weight(metas([raw]), stems={"Zerg_v1"}, version=7) == 0.7
    assert usual_weight(metas([named]), stems={"Zerg_v1"}, version=7) == 0.9


def test_data_wrapped_in_itself_is_read() -> None:
    """Some answers hold the generation data one level deeper."""
    assert metas([{"id": 1, "meta": {"prompt": "deep"}}])[0].prompt == "deep"


@pytest.mark.parametrize(
    ("negatives", "text"),
    [
        (["bad", "bad", "worse"], "bad"),
        (["bad ", "bad\n"], "bad"),
        (["bad", "worse"], None),
        (["bad"], None),
        (["", "", "bad"], None),
        ([], None),
    ],
)
def test_a_negative_prompt_is_suggested_by_a_majority(negatives: list[str], text: str | None) -> None:
    """More than half have to share it, and at least two."""
    assert usual_negative(metas([{"prompt": "a", "negativePrompt": negative} for negative in negatives])) == text
