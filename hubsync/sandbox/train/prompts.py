"""Prompts for measuring: combinations that training left out, and the words they are tried with."""

from __future__ import annotations

import dataclasses
import itertools

from hubsync.sandbox.train.captions import FRESH_TEMPLATES
from hubsync.sandbox.train.pictures import COLOURS, SHAPES, SIZES, held_out


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt and what its picture must show, as indices into COLOURS and SHAPES."""

    text: str
    foreground: int
    background: int
    shape: int
    seed: int


def held_out_prompts(count: int) -> list[Prompt]:
    """`count` prompts over the held-out combinations of clearly different colours; no caption ever said them."""
    colours, shapes = range(len(COLOURS)), range(len(SHAPES))
    combinations = [
        (front, back, shape)
        for front, back, shape in itertools.product(colours, colours, shapes)
        if held_out(front, back, shape) and 2 <= (back - front) % len(COLOURS) <= len(COLOURS) - 2
    ]
    # Steps of 7 through the list spread a short selection over colours and shapes.
    many = len(combinations)
    return [_prompt(index, index + index // many, *combinations[index * 7 % many]) for index in range(count)]


def _prompt(index: int, wording: int, front: int, back: int, shape: int) -> Prompt:
    template = FRESH_TEMPLATES[wording % len(FRESH_TEMPLATES)]
    size = tuple(SIZES)[wording // len(FRESH_TEMPLATES) % len(SIZES)]
    text = template.format(size=size, front=COLOURS[front], shape=SHAPES[shape], back=COLOURS[back])
    text = text.replace("a orange", "an orange")
    return Prompt(text=text, foreground=front, background=back, shape=shape, seed=100 + index)
