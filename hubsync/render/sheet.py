"""The contact sheet: one labelled picture that shows at a glance what a LoRA, its weight and its words do.

A test at one weight each has LoRAs down, and base, LoRA, LoRA with words across. A sweep has a section for each LoRA,
its weights across, the base once at the left of each seed, and pictures without and with words down.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from hubsync.domain import Render, RenderKind
from hubsync.domain.renders import Finding, Verdict
from hubsync.prompts.syntax import extra_networks
from hubsync.render.lettering import GREEN, GREY, RED, Label
from hubsync.render.paper import Cell, Section, SheetRow, draw_sheet
from hubsync.render.plan import RenderPlan
from hubsync.render.rows import PlannedRow, shared_weight
from hubsync.render.verdict import verdicts

if TYPE_CHECKING:
    from PIL import Image

Pair: TypeAlias = tuple[PlannedRow, Render]
Verdicts: TypeAlias = Mapping[tuple[str | None, float | None], Verdict]

_TITLES = {RenderKind.BASE: "base", RenderKind.LORA: "LoRA", RenderKind.TRIGGERED: "LoRA + words"}


def contact_sheet(plan: RenderPlan, renders: Sequence[Render]) -> Image.Image:
    """The sheet of a plan and its renders, in the same order."""
    pairs = list(zip(plan.rows, renders, strict=True))
    judged: Verdicts = {(verdict.lora, verdict.weight): verdict for verdict in verdicts(plan.rows, renders)}
    weights = {name: {row.weight for row in plan.rows if row.lora == name} for name in plan.subjects}
    swept = any(len(found) > 1 for found in weights.values())
    sections = list(_sweeps(plan.subjects, pairs, judged)) if swept else [_single(plan.subjects, pairs, judged)]
    model = Path(plan.checkpoint).stem if Path(plan.checkpoint).exists() else plan.checkpoint
    return draw_sheet(
        sections,
        title=extra_networks(renders[0].prompt)[0].strip(),
        subtitle=f"{model}, {plan.steps} steps, guidance {plan.cfg:g}, {renders[0].sampler}",
    )


def _single(subjects: Sequence[str], pairs: Sequence[Pair], judged: Verdicts) -> Section:
    """One weight for each LoRA: LoRAs and seeds down, a column for each kind of picture."""
    bases = {row.drawn.seed: render for row, render in pairs if row.lora is None}
    kinds = [kind for kind in RenderKind if any(row.kind is kind for row, _ in pairs)]
    rows: list[SheetRow] = []
    for name in subjects or (None,):
        ours = [pair for pair in pairs if pair[0].lora == name]
        for number, seed in enumerate(dict.fromkeys(row.drawn.seed for row, _ in ours)):
            drawn = [pair for pair in ours if pair[0].drawn.seed == seed]
            rows += _test(drawn, bases[seed], kinds, judged if number == 0 else {})
    return Section(columns=tuple((Label(_TITLES[kind]),) for kind in kinds), rows=tuple(rows))


def _test(drawn: Sequence[Pair], base: Render, kinds: Sequence[RenderKind], judged: Verdicts) -> Iterator[SheetRow]:
    """The pictures of one LoRA and seed: base, LoRA and its first words in one row, words of other groups below."""
    first = drawn[0][0]
    cells = {kinds.index(RenderKind.BASE): _cell(base)}
    labels = [Label(first.lora, lines=2), Label(f"{_weight(first)}seed {first.drawn.seed}", GREY)] if first.lora else []
    labels += _found(judged.get((first.lora, first.weight)))
    for row, render in drawn:
        if row.kind is RenderKind.TRIGGERED:
            if kinds.index(row.kind) in cells:
                yield SheetRow(tuple(labels), cells)
                labels, cells = [], {}
            labels.append(Label(f"words: {', '.join(row.trigger_words)}", GREY))
        cells[kinds.index(row.kind)] = _cell(render)
    yield SheetRow(tuple(labels) or (Label(f"seed {first.drawn.seed}", GREY),), cells)


def _weight(row: PlannedRow) -> str:
    """The weight, where the name does not hold it."""
    weight = shared_weight(row.tested)
    return "" if weight is None else f"weight {weight:g}, "


def _sweeps(subjects: Sequence[str], pairs: Sequence[Pair], judged: Verdicts) -> Iterator[Section]:
    """Several weights: a section for each LoRA, weights across in the order they were asked for."""
    bases = {row.drawn.seed: render for row, render in pairs if row.lora is None}
    for name in subjects:
        ours = [pair for pair in pairs if pair[0].lora == name]
        weights = list(dict.fromkeys(row.weight for row, _ in ours if row.weight is not None))
        heads = [(Label(f"weight {weight:g}"), *_found(judged.get((name, weight)))) for weight in weights]
        lines: dict[tuple[int, RenderKind, int | None], dict[int, Cell]] = {}
        words: dict[int | None, tuple[str, ...]] = {}
        for row, render in ours:
            cells = lines.setdefault((row.drawn.seed, row.kind, row.group), {})
            cells[1 + weights.index(row.weight or 0.0)] = _cell(render)
            if row.kind is RenderKind.TRIGGERED:
                words[row.group] = row.trigger_words
        rows, seen = [], set[int]()
        for (seed, kind, group), cells in lines.items():
            if seed not in seen:
                cells[0] = _cell(bases[seed])
            seen.add(seed)
            said = [Label(", ".join(words[group]), GREY)] if kind is RenderKind.TRIGGERED else []
            rows.append(SheetRow((Label(_TITLES[kind]), *said, Label(f"seed {seed}", GREY)), cells))
        yield Section(heading=name, columns=((Label("base"),), *heads), rows=tuple(rows))


def _found(verdict: Verdict | None) -> tuple[Label, ...]:
    if verdict is None:
        return ()
    return (Label(verdict.finding, RED if verdict.finding is Finding.NOTHING else GREEN),)


def _cell(render: Render) -> Cell:
    """A picture with its numbers; where there is little room, without saying which is which, or the first alone."""
    named = {"effect": render.effect, "of words": render.trigger_effect}
    known = {name: f"{value:.3f}" for name, value in named.items() if value is not None}
    told = ("   ".join(f"{name} {value}" for name, value in known.items()), ", ".join(known.values()))
    return Cell(render.path, render.size, (*told, *list(known.values())[:1]))
