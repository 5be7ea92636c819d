"""What the weights must do, measured: each figure has a value, a bar and says whether it is reached."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hubsync.sandbox.train.measuring import MEASURES, read, region_luminance
from hubsync.sandbox.train.pictures import COLOURS, SHAPES
from hubsync.sandbox.train.prompts import Prompt, held_out_prompts
from hubsync.sandbox.train.recipes import EmbeddingRecipe, Group, Property
from hubsync.sandbox.train.rendering import STEPS, embedding, lora, render

SLIDER_WEIGHTS = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""The weights a slider is measured at."""

STRANGERS = ("qzv7", "skz", "masterpiece", "best quality")
"""Words no LoRA was trained on; none may fire one."""


class Rule(StrEnum):
    """How a value is held against its bar."""

    AT_LEAST = "≥"
    AT_MOST = "≤"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number, for example the share of prompts whose colour is right."""

    subject: str
    name: str
    value: float
    bar: float
    rule: Rule = Rule.AT_LEAST

    @property
    def reached(self) -> bool:
        """Whether the value keeps its bar."""
        return self.value >= self.bar if self.rule is Rule.AT_LEAST else self.value <= self.bar


def base_figures(pipeline: Any, *, prompts: int = 64, steps: int = STEPS) -> list[Figure]:  # noqa: ANN401
    """Shares of held-out prompts whose foreground, background and shape come out right."""
    asked = held_out_prompts(prompts)
    seen = read(_render(pipeline, asked, steps=steps))
    return [
        Figure(subject="base", name=f"{part} right, {steps} steps", value=_share(found == wanted), bar=0.95)
        for part, found, wanted in (
            ("foreground", seen.foreground, torch.tensor([prompt.foreground for prompt in asked])),
            ("background", seen.background, torch.tensor([prompt.background for prompt in asked])),
            ("shape", seen.shape, torch.tensor([prompt.shape for prompt in asked])),
        )
    ]


def slider_figures(pipeline: Any, path: Path, moved: Property, *, seeds: int = 16) -> list[Figure]:  # noqa: ANN401
    """How a slider moves its property over five weights, and that weight 0 changes no bit."""
    asked, subject, measure = held_out_prompts(seeds), path.stem, MEASURES[moved]
    base, pictures = _render(pipeline, asked), []
    with lora(pipeline, path) as loaded:
        for weight in SLIDER_WEIGHTS:
            loaded.set_adapters(loaded.get_active_adapters(), [weight])
            pictures.append(_render(loaded, asked))
    values = torch.stack([measure(batch) for batch in pictures])
    rising = (values[1:] > values[:-1]).all(0)
    low, middle, high = values.mean(1)[[0, 2, 4]].tolist()
    return [
        Figure(subject=subject, name="seeds strictly rising", value=_share(rising), bar=15 / 16),
        Figure(subject=subject, name="weight 0 equals base", value=float(torch.equal(pictures[2], base)), bar=1),
        Figure(subject=subject, name=f"{moved} at -1, of weight 0", value=low / middle, bar=0.9, rule=Rule.AT_MOST),
        Figure(subject=subject, name=f"{moved} at 1, of weight 0", value=high / middle, bar=1.1),
    ]


def trigger_figures(
    pipeline: Any,  # noqa: ANN401
    path: Path,
    groups: tuple[Group, ...],
    *,
    prompts: int = 32,
    strangers: tuple[str, ...] = STRANGERS,
) -> list[Figure]:
    """How reliably each group's words switch on its effect, and that neither nothing nor strangers do."""
    asked = held_out_prompts(prompts)
    others = (None, *strangers)
    texts = {word: [_beside(prompt.text, word) for prompt in asked] for word in others}
    for group in groups:
        texts[group.words] = [_beside(prompt.text, group.words) for prompt in asked]
        texts["end " + group.words] = [f"{prompt.text}, {group.words}" for prompt in asked]
    before = {word: _render(pipeline, asked, texts=lines) for word, lines in texts.items()}
    with lora(pipeline, path) as loaded:
        after = {word: _render(loaded, asked, texts=lines) for word, lines in texts.items()}
    runs = {word: (before[word], after[word]) for word in texts}
    return [
        figure
        for group in groups
        for figure in _group_figures(path.stem, group, runs, others, [other for other in groups if other != group])
    ]


Run = tuple[Tensor, Tensor]
"""Pictures without and with the LoRA, of the same prompts and seeds."""


def _group_figures(
    subject: str, group: Group, runs: dict[str | None, Run], others: tuple[str | None, ...], rivals: list[Group]
) -> list[Figure]:
    start, end = runs[group.words], runs["end " + group.words]
    effect = min(change(start, group), change(end, group))
    loudest = max(change(runs[word], group) for word in others)
    strays = max(fires(runs[word], group) for word in others)

    def figure(name: str, value: float, bar: float, rule: Rule = Rule.AT_LEAST) -> Figure:
        return Figure(subject=subject, name=f"{group.words}: {name}", value=value, bar=bar, rule=rule)

    return [
        figure("fires at the start", fires(start, group), 0.9),
        figure("fires at the end", fires(end, group), 0.9),
        figure("effect with the words / without", effect / max(change(runs[None], group), 1e-9), 5),
        figure("effect with the words / with others", effect / max(loudest, 1e-9), 5),
        figure("fires without the words", strays, 0.05, Rule.AT_MOST),
        *(figure(f"fires {rival.words}", fires(start, rival), 0.05, Rule.AT_MOST) for rival in rivals),
    ]


def change(run: Run, group: Group) -> float:
    """Mean absolute change of the region's luminance against the base, over prompts."""
    base, pictures = (region_luminance(batch, group.effect) for batch in run)
    return (pictures - base).abs().mean().item()


def fires(run: Run, group: Group) -> float:
    """Share of pictures whose region moved more than half the way from the base to the effect's grey."""
    base, pictures = (region_luminance(batch, group.effect) for batch in run)
    return _share((pictures - base) / (group.effect.grey - base) > 0.5)


def embedding_figures(
    pipeline: Any,  # noqa: ANN401
    path: Path,
    recipe: EmbeddingRecipe,
    *,
    seeds: int = 32,
) -> list[Figure]:
    """Shares of seeds for which the word alone, and the word on a named ground, draws its colour and shape."""
    colour, shape = COLOURS.index(recipe.colour), SHAPES.index(recipe.shape)
    asked = range(100, 100 + seeds)
    grounds = [COLOURS[(colour + 2 + seed % (len(COLOURS) - 3)) % len(COLOURS)] for seed in asked]
    texts = {
        "alone": [f"a {recipe.word}"] * seeds,
        "on a ground": [f"a {recipe.word} on a {ground} background" for ground in grounds],
    }
    figures = []
    with embedding(pipeline, path, recipe.word) as loaded:
        for name, lines in texts.items():
            seen = read(render(loaded, lines, asked))
            right = (seen.foreground == colour) & (seen.shape == shape)
            figures.append(Figure(subject=path.stem, name=f"right {name}", value=_share(right), bar=0.9))
    return figures


def _render(
    pipeline: Any,  # noqa: ANN401
    asked: list[Prompt],
    *,
    texts: list[str] | None = None,
    steps: int = STEPS,
) -> Tensor:
    return render(pipeline, texts or [prompt.text for prompt in asked], [prompt.seed for prompt in asked], steps)


def _beside(text: str, word: str | None) -> str:
    return f"{word}, {text}" if word else text


def _share(hits: Tensor) -> float:
    return hits.float().mean().item()
