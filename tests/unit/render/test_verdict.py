"""The verdict on a LoRA, from numbers as they were measured on the sandbox's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hubsync.domain import Render, RenderKind
from hubsync.domain.renders import Finding
from hubsync.render.verdict import judge, verdicts
from tests.unit.render.conftest import Plan

PROBE = "no words are known: `hubsync triggers x probe` looks for some"


def bare(*effects: float) -> list[Render]:
    """Renders with the LoRA alone, a seed each."""
    return [_render(RenderKind.LORA, effect) for effect in effects]


def worded(*numbers: tuple[float, float], words: tuple[str, ...] = ("sks",)) -> list[Render]:
    """Renders with words: effect and trigger effect, a seed each."""
    return [_render(RenderKind.TRIGGERED, effect, gained, words) for effect, gained in numbers]


def _render(kind: RenderKind, effect: float | None, gained: float | None = None, words: tuple[str, ...] = ()) -> Render:
    return Render(
        path=Path("x.png"), kind=kind, trigger_words=words, prompt="p", seed=1, steps=8, cfg=3, size=(64, 64),
        sampler="DDIM", checkpoint="c", effect=effect, trigger_effect=gained,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("weight", "renders", "finding", "sentence"),
    [
        (
            0.9,
            [*bare(0.05, 0.04), *worded((0.29, 0.28), (0.31, 0.29))],
            Finding.NEEDS_WORDS,
            "works; needs its words (effect 0.045 without words, 0.300 with)",
        ),
        (
            0.8,
            [*bare(0.038), *worded((0.056, 0.046))],
            Finding.HELPED_BY_WORDS,
            "works; its words do more (effect 0.038 without words, 0.056 with)",
        ),
        (
            1.0,
            [*bare(0.042), *worded((0.043, 0.025))],
            Finding.WORKS_WITHOUT,
            "works without its words (effect 0.042 without words, 0.043 with)",
        ),
        (0.8, bare(0.077), Finding.WORKS, "works (effect 0.077)"),
        (
            1.0,
            bare(0.055),
            Finding.WORKS,
            f"works (effect 0.055); {PROBE}",
        ),
        (
            0.8,
            [*bare(0.002), *worded((0.004, 0.003))],
            Finding.NOTHING,
            "no visible effect at 0.8 (effect 0.002 without words, 0.004 with): check the base model",
        ),
        (
            0.8,
            bare(0.002),
            Finding.NOTHING,
            f"no visible effect at 0.8 (effect 0.002): check the base model; {PROBE}",
        ),
        (
            0.05,
            [*bare(0.003), *worded((0.009, 0.009))],
            Finding.NOTHING,
            "no visible effect at 0.05 (effect 0.003 without words, 0.009 with): give it more weight",
        ),
        (1.0, worded((0.044, 0.0)), Finding.WORKS, "works (effect 0.044)"),
        (
            1.0,
            worded((0.006, 0.0)),
            Finding.NOTHING,
            "no visible effect at 1 (effect 0.006): try another prompt, or check the base model",
        ),
        (
            0.8,
            [*bare(0.003), *worded((0.12, 0.12))],
            Finding.NEEDS_WORDS,
            "works; needs its words (effect 0.003 without words, 0.120 with)",
        ),
    ],
)
def test_each_case_in_plain_words(weight: float, renders: list[Render], finding: Finding, sentence: str) -> None:
    """What it does with words and without, its numbers, and what to do where something is wrong."""
    verdict = judge("x", weight, renders)
    assert (verdict.finding, verdict.sentence) == (finding, sentence)


def test_the_group_that_does_most_decides() -> None:
    """One that does nothing beside it is named."""
    renders = [
        *bare(0.04),
        *worded((0.2, 0.19), words=("mona", "day")),
        *worded((0.041, 0.003), words=("mona", "nights")),
    ]
    verdict = judge("x", 1.0, renders)
    assert (verdict.finding, verdict.effect, verdict.full_effect) == (Finding.NEEDS_WORDS, 0.04, 0.2)
    assert verdict.sentence.endswith("0.200 with); 'mona, nights' does nothing more")


def test_words_that_do_as_much_by_themselves_are_not_needed() -> None:
    """Weight 0 in a sweep shows what words do without the LoRA; a LoRA that adds nothing to that does nothing."""
    renders = [*bare(0.003), *worded((0.12, 0.12))]
    judged = judge("x", 1.0, renders, alone={("sks",): worded((0.11, 0.11))})
    assert judged.finding is Finding.NOTHING


def test_weight_zero_has_no_verdict(plan: Plan) -> None:
    """Nor has the base; the others come in the order of the plan, all seeds in one."""
    made = plan("sks_frame", "add_detail", weights=(-1.0, 0.0, 1.0), seeds=(1, 2))
    numbers = {RenderKind.BASE: (None, None), RenderKind.LORA: (0.05, None), RenderKind.TRIGGERED: (0.3, 0.3)}
    renders = [_render(row.kind, *numbers[row.kind], row.trigger_words) for row in made.rows]
    found = verdicts(made.rows, renders)
    assert [(one.lora, one.weight) for one in found] == [
        ("sks_frame", -1), ("sks_frame", 1), ("add_detail", -1), ("add_detail", 1),
    ]  # fmt: skip
    # 0.3 with words at weight 0 too: they do it without the LoRA.
    assert [one.finding for one in found] == [Finding.WORKS_WITHOUT] * 2 + [Finding.WORKS] * 2
