"""The table of figures: measures a data folder and prints what it finds against the bars."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from hubsync.sandbox.train.figures import (
    Figure,
    base_figures,
    embedding_figures,
    slider_figures,
    trigger_figures,
)
from hubsync.sandbox.train.file_figures import file_figures
from hubsync.sandbox.train.models import load_pipeline
from hubsync.sandbox.train.package import Package
from hubsync.sandbox.train.recipes import BLUE_RING, SLIDERS, TRIGGERED

MORE_STEPS = 20


def measure(package: Package) -> list[Figure]:
    """Every figure of the shipped data; about three minutes on one core."""
    pipeline = load_pipeline(package.checkpoint)
    figures = [*file_figures(package), *base_figures(pipeline), *base_figures(pipeline, steps=MORE_STEPS)]
    for recipe in SLIDERS:
        if recipe.property:
            figures += slider_figures(pipeline, package.lora(recipe), recipe.property)
    for recipe in TRIGGERED:
        figures += trigger_figures(pipeline, package.lora(recipe), recipe.groups)
    return figures + embedding_figures(pipeline, package.embedding, BLUE_RING)


def table(figures: list[Figure]) -> str:
    """The figures as lines of text: subject, name, value, bar, verdict."""
    widths = [max(len(getattr(figure, column)) for figure in figures) for column in ("subject", "name")]
    lines = [
        f"{figure.subject:{widths[0]}}  {figure.name:{widths[1]}}  {figure.value:10.3f}  {figure.rule} {figure.bar:<7g}"
        f"{'' if figure.reached else '  MISSED'}"
        for figure in figures
    ]
    missed = sum(not figure.reached for figure in figures)
    return "\n".join([*lines, f"{len(figures)} figures, {missed} missed"])


def save(figures: list[Figure], path: Path) -> None:
    """Write the figures as JSON, for the documentation."""
    rows = [dataclasses.asdict(figure) | {"reached": figure.reached} for figure in figures]
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
