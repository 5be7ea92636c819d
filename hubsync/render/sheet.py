"""The contact sheet: one labelled picture that shows at a glance what a LoRA, its weight and its words do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hubsync.domain import Render, RenderKind
from hubsync.render.plan import RenderPlan

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

_SIDE = 256
"""Pixels of a cell's longer side at least: a 64 px picture becomes four times as large."""
_MOST = 384
_LABELS = 176
_LINE = 20
_GAP = 12
_PAPER = (250, 250, 250)
_INK = (25, 25, 25)
_FAINT = (110, 110, 110)
_TITLES = {RenderKind.BASE: "base", RenderKind.LORA: "LoRA", RenderKind.TRIGGERED: "LoRA + words"}


@dataclass(frozen=True, slots=True)
class SheetRow:
    """What the left margin says, and the renders of the row by kind."""

    labels: tuple[str, ...]
    renders: Mapping[RenderKind, Render]


def contact_sheet(plan: RenderPlan, renders: Sequence[Render]) -> Image.Image:
    """The sheet of a plan and its renders: LoRA by LoRA a row for each weight and seed, with the base of its seed."""
    pairs = list(zip(plan.rows, renders, strict=True))
    bases = {row.drawn.seed: render for row, render in pairs if row.kind is RenderKind.BASE}
    groups: dict[tuple[str | None, float | None, int], dict[RenderKind, Render]] = {}
    for row, render in pairs:
        if row.lora is not None or not plan.subjects:
            group = groups.setdefault((row.lora, row.weight, row.drawn.seed), {})
            group.update({RenderKind.BASE: bases[row.drawn.seed], row.kind: render})
    order = {name: index for index, name in enumerate(plan.subjects)}
    first = renders[0]
    return draw_sheet(
        [
            SheetRow(_labels(*key, groups[key].get(RenderKind.TRIGGERED)), groups[key])
            for key in sorted(groups, key=lambda key: order.get(key[0] or "", 0))
        ],
        title=first.prompt,
        subtitle=f"{Path(plan.checkpoint).stem}, {plan.steps} steps, guidance {plan.cfg:g}, {first.sampler}",
    )


def _labels(lora: str | None, weight: float | None, seed: int, triggered: Render | None) -> tuple[str, ...]:
    named = () if lora is None else (lora, f"weight {weight:g}")
    words = (f"words: {', '.join(triggered.trigger_words)}",) if triggered else ()
    return (*named, f"seed {seed}", *words)


def draw_sheet(rows: Sequence[SheetRow], *, title: str, subtitle: str) -> Image.Image:
    """The sheet: a row per LoRA, weight and seed, a column per kind of picture; small pictures enlarged unblurred."""
    from PIL import Image, ImageDraw

    kinds = [kind for kind in RenderKind if any(kind in row.renders for row in rows)]
    width, height = _cell(next(iter(rows[0].renders.values())).size)
    across = _LABELS + len(kinds) * (width + _GAP) + _GAP
    down = 3 * _LINE + 2 * _GAP + len(rows) * (height + _LINE + _GAP)
    sheet = Image.new("RGB", (across, down), _PAPER)
    pen = _Pen(ImageDraw.Draw(sheet))
    pen.line((_GAP, _GAP), title, across - 2 * _GAP)
    pen.line((_GAP, _GAP + _LINE), subtitle, across - 2 * _GAP, _FAINT)
    for column, kind in enumerate(kinds):
        left = _LABELS + column * (width + _GAP)
        pen.line((left, _GAP + 2 * _LINE), _TITLES[kind], width)
        for index, row in enumerate(rows):
            top = 3 * _LINE + 2 * _GAP + index * (height + _LINE + _GAP)
            if kind in row.renders:
                sheet.paste(_fitted(row.renders[kind], (width, height)), (left, top))
                pen.line((left, top + height), _caption(row.renders[kind]), width, _FAINT)
    for index, row in enumerate(rows):
        top = 3 * _LINE + 2 * _GAP + index * (height + _LINE + _GAP)
        pen.block((_GAP, top), row.labels, (_LABELS - 2 * _GAP, height))
    return sheet


class _Pen:
    """Writes text that never runs out of its space."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        from PIL import ImageFont

        self._draw = draw
        self._font: ImageFont.FreeTypeFont | ImageFont.ImageFont = ImageFont.load_default(15)

    def line(self, at: tuple[int, int], text: str, room: int, ink: tuple[int, int, int] = _INK) -> None:
        """One line, cut with an ellipsis."""
        shown = text
        while shown and self._font.getlength(shown + ("…" if shown != text else "")) > room:
            shown = shown[:-1]
        self._draw.text(at, shown + ("…" if shown != text else ""), fill=ink, font=self._font)

    def block(self, at: tuple[int, int], labels: Sequence[str], room: tuple[int, int]) -> None:
        """Labels below each other, a long one broken over lines; what does not fit into `room` is left out."""
        left, top = at
        for index, label in enumerate(labels):
            rest = label
            while rest and top + _LINE <= at[1] + room[1]:
                length = next(n for n in range(len(rest), 0, -1) if n == 1 or self._font.getlength(rest[:n]) <= room[0])
                self._draw.text((left, top), rest[:length], fill=_FAINT if index else _INK, font=self._font)
                rest = rest[length:]
                top += _LINE


def _cell(size: tuple[int, int]) -> tuple[int, int]:
    """Pixels of a picture on the sheet: enlarged by a whole number, or shrunk."""
    side = max(size)
    factor = max(1, _SIDE // side) if side <= _MOST else _MOST / side
    return round(size[0] * factor), round(size[1] * factor)


def _fitted(render: Render, size: tuple[int, int]) -> Image.Image:
    from PIL import Image

    with Image.open(render.path) as picture:
        enlarged = size[0] > picture.width
        return picture.convert("RGB").resize(size, Image.Resampling.NEAREST if enlarged else Image.Resampling.LANCZOS)


def _caption(render: Render) -> str:
    numbers = {"effect": render.effect, "words": render.trigger_effect}
    return "   ".join(f"{name} {value:.3f}" for name, value in numbers.items() if value is not None)
