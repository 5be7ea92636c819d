"""The pictures of one test in order, as on its contact sheet: weights across; LoRAs, seeds and words down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hubsync.domain import RenderKind
from hubsync.services.history import Drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: a LoRA with one seed and one group of its words, empty where it has none."""

    lora: str
    seed: int
    words: tuple[str, ...] = ()


class Grid:
    """Where one is among the pictures of a test; steps over an edge stay inside."""

    def __init__(self, pictures: Sequence[Drawn], *, weight: float) -> None:
        self.pictures = pictures
        self.lines = _lines(pictures)
        self._line = 0
        self._weight = weight

    def renew(self, pictures: Sequence[Drawn]) -> None:
        """The test has these pictures; the place stays where it can."""
        line = self.line
        self.pictures, self.lines = pictures, _lines(pictures)
        self._line = self.lines.index(line) if line in self.lines else min(self._line, max(0, len(self.lines) - 1))

    @property
    def line(self) -> Line | None:
        """The line one is on; none in a test of bases alone."""
        return self.lines[self._line] if self.lines else None

    @property
    def row(self) -> int:
        """The number of that line, from 0."""
        return self._line

    @property
    def weights(self) -> Sequence[float]:
        """The weights of the line's LoRA, in the order they were asked for."""
        lora = self.line.lora if self.line else None
        found = (one.subject for one in self.pictures if one.subject and one.subject.name == lora)
        return list(dict.fromkeys(subject.weight for subject in found))

    @property
    def weight(self) -> float | None:
        """The weight that is shown: the one asked for, or the nearest this LoRA has."""
        return min(self.weights, key=lambda one: abs(one - self._weight), default=None)

    def shown(self) -> Sequence[Drawn]:
        """The pictures to compare: base, LoRA, LoRA with the line's words, as far as they are there."""
        line = self.line
        if line is None:
            return self.pictures[:1]
        found = {one.render.kind: one for one in reversed(self.pictures) if _shows(one, line, self.weight)}
        return [found[kind] for kind in RenderKind if kind in found]

    def go_to(self, picture: Drawn) -> None:
        """Stand where a picture is seen."""
        if picture.subject is not None:
            self._weight = picture.subject.weight
        for index, line in enumerate(self.lines):
            weight = picture.subject.weight if picture.subject else None
            if _shows(picture, line, weight):
                self._line = index
                return

    def step_weight(self, by: int) -> None:
        """To a weight beside this one."""
        if self.weight is not None:
            index = self.weights.index(self.weight) + by
            self._weight = self.weights[min(max(0, index), len(self.weights) - 1)]

    def step_line(self, by: int) -> None:
        """To a line above or below."""
        self._line = min(max(0, self._line + by), max(0, len(self.lines) - 1))

    def step_lora(self, by: int) -> None:
        """To the first line of another LoRA."""
        loras = list(dict.fromkeys(line.lora for line in self.lines))
        if self.line is not None:
            wanted = loras[min(max(0, loras.index(self.line.lora) + by), len(loras) - 1)]
            self._line = next(index for index, line in enumerate(self.lines) if line.lora == wanted)


def _lines(pictures: Sequence[Drawn]) -> Sequence[Line]:
    """A line for each LoRA, seed and group of words, LoRAs first; without words only where there are no others."""
    groups: dict[tuple[str, int], dict[tuple[str, ...], None]] = {}
    for one in pictures:
        if one.subject:
            words = groups.setdefault((one.subject.name, one.render.seed), {})
            if one.render.kind is RenderKind.TRIGGERED:
                words[one.render.trigger_words] = None
    loras = dict.fromkeys(lora for lora, _ in groups)
    return [
        Line(lora=lora, seed=seed, words=words)
        for lora in loras
        for (name, seed), found in groups.items()
        if name == lora
        for words in found or [()]
    ]


def _shows(one: Drawn, line: Line, weight: float | None) -> bool:
    """Whether a picture belongs to a line at a weight; a base belongs to all of its seed."""
    if one.render.seed != line.seed:
        return False
    if one.subject is None:
        return True
    same = (one.subject.name, one.subject.weight) == (line.lora, weight)
    return same and (one.render.kind is not RenderKind.TRIGGERED or one.render.trigger_words == line.words)
