"""What a test says of a LoRA in plain words, from the numbers of its pictures.

The thresholds were measured on the sandbox's LoRAs (docs/sandbox.md), 2 prompts and 4 seeds each, 8 steps, 64 pixels.
An effect is the mean absolute difference of pixels, 0..1:

| pictures, means                                | weight 0 | 0.05  | 0.2   | 0.5   | 0.8   | 1     |
|------------------------------------------------|----------|-------|-------|-------|-------|-------|
| slider: effect of add_detail, the gentlest     | 0        | .001  | .005  | .014  | .022  | .028  |
| slider: effect of add_saturation               | 0        | .006  | .024  | .055  | .077  | .088  |
| three trigger LoRAs, no words: effect at most  | 0        | .003  | .010  | .028  | .042  | .055  |
| their own words: effect at least               | .002     | .004  | .010  | .025  | .056  | .170  |
| their own words: trigger effect at least       | .002     | .002  | .003  | .008  | .046  | .163  |
| wrong words (3 kinds): trigger effect at most  | .003     | .003  | .003  | .005  | .014  | .025  |
| wrong words: effect, times that without        |          |       |       | 1.06  | 1.05  | 1.04  |

Words change a picture by themselves, with larger models by more than here. A test that holds weight 0 shows by how
much; words that do no more than twice that with the LoRA are not what the LoRA needs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from hubsync.domain import Render, RenderKind
from hubsync.domain.renders import Finding, Verdict
from hubsync.render.rows import PlannedRow

VISIBLE = 0.01
"""An effect to be seen: 2.5 of 255 levels. Every LoRA measured reaches it at its own weight, none at 0.05."""

WORDS = 0.04
"""A trigger effect that is more than other words': those reach 0.025, the right ones 0.046 and more from 0.8 on."""

NEEDED = 2.0
"""How much more a LoRA that needs its words does with them: 2.9 to 9 times at its weight; wrong words at most 1.06."""

HELPED = 1.2
"""The same of one that words help."""

WEAK = 0.06
"""Below this, at weight 1, a LoRA whose words nobody knows may need some: trigger LoRAs without theirs reach 0.055."""

_LOW = 0.5
"""Weights below which a LoRA without effect is first of all weak."""

Words = tuple[str, ...]


def verdicts(rows: Sequence[PlannedRow], renders: Sequence[Render]) -> tuple[Verdict, ...]:
    """One verdict for each LoRA and weight of a plan's rows and their renders; weight 0 is the base and gets none."""
    tested: dict[tuple[str, float], list[Render]] = defaultdict(list)
    for row, render in zip(rows, renders, strict=True):
        if row.lora and row.weight is not None:
            tested[row.lora, row.weight].append(render)
    return judge_all(tested, together=any(len(row.tested) > 1 for row in rows))


def judge_all(tested: Mapping[tuple[str, float], Sequence[Render]], *, together: bool = False) -> tuple[Verdict, ...]:
    """The same of renders by the LoRA and weight they show; of several LoRAs `together` no words are looked for."""
    heaviest = {lora: max(abs(weight) for other, weight in tested if other == lora) for lora, _ in tested}
    return tuple(
        judge(
            lora,
            weight,
            found,
            alone=_by_words(tested.get((lora, 0.0), ())),
            # Of a sweep the strongest says it for all.
            missing_words=not together and abs(weight) == heaviest[lora],
        )
        for (lora, weight), found in tested.items()
        if weight
    )


def judge(
    lora: str,
    weight: float,
    renders: Sequence[Render],
    *,
    alone: Mapping[Words, Sequence[Render]] | None = None,
    missing_words: bool = True,
) -> Verdict:
    """The verdict on the renders of one LoRA at one weight, not 0: means over the seeds, of the group that does most.

    `alone` are renders of the same words at weight 0, by words, where there are any. `missing_words` False keeps quiet
    about words that nobody knows.
    """
    effect = _mean(render.effect for render in renders if render.kind is RenderKind.LORA)
    groups = _by_words(renders)
    full = max((_mean(one.effect for one in found) or 0.0 for found in groups.values()), default=None)
    idle = [words for words, found in groups.items() if not _matter(found, (alone or {}).get(words, ()))]
    finding = _found(effect, full, words_matter=len(idle) < len(groups))
    said = [
        f"{finding} at {weight:g}" if finding is Finding.NOTHING else finding.value,
        f" ({_numbers(effect, full)}{_means(renders)})",
        *_advice(weight, effect, finding),
    ]
    if missing_words and full is None and effect is not None and effect < WEAK * abs(weight):
        said.append(f"; no words are known: `hubsync triggers {lora} probe` looks for some")
    if finding in {Finding.NEEDS_WORDS, Finding.HELPED_BY_WORDS}:
        said += [f"; '{', '.join(words)}' does nothing more" for words in idle]
    return Verdict(lora=lora, weight=weight, finding=finding, effect=effect, full_effect=full, sentence="".join(said))


def _by_words(renders: Sequence[Render]) -> dict[Words, list[Render]]:
    groups: dict[Words, list[Render]] = defaultdict(list)
    for render in renders:
        if render.kind is RenderKind.TRIGGERED:
            groups[render.trigger_words].append(render)
    return groups


def _matter(found: Sequence[Render], alone: Sequence[Render]) -> bool:
    """Whether words do more with the LoRA than words do anyway."""
    gained = _mean(one.trigger_effect for one in found) or 0.0
    by_themselves = _mean(one.effect for one in alone) or 0.0
    return gained >= max(WORDS, NEEDED * by_themselves)


def _found(effect: float | None, full: float | None, *, words_matter: bool) -> Finding:
    without, best = effect or 0.0, max(effect or 0.0, full or 0.0)
    if effect is None or full is None:
        return Finding.WORKS if best >= VISIBLE else Finding.NOTHING
    if words_matter and full >= NEEDED * without:
        return Finding.NEEDS_WORDS
    if without < VISIBLE:
        return Finding.NOTHING
    return Finding.HELPED_BY_WORDS if words_matter and full >= HELPED * without else Finding.WORKS_WITHOUT


def _advice(weight: float, effect: float | None, finding: Finding) -> Iterable[str]:
    """What to look at where a LoRA does nothing."""
    if finding is Finding.NOTHING and abs(weight) < _LOW:
        yield ": give it more weight"
    elif finding is Finding.NOTHING:
        yield ": check the base model" if effect is not None else ": try another prompt, or check the base model"


def _numbers(effect: float | None, full: float | None) -> str:
    if effect is None or full is None:
        return f"effect {effect or full or 0:.3f}"
    return f"effect {effect:.3f} without words, {full:.3f} with"


def _means(renders: Sequence[Render]) -> str:
    """That the numbers are no single picture's, where they are not."""
    seeds = len({render.seed for render in renders})
    return f", mean of {seeds} seeds" if seeds > 1 else ""


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
