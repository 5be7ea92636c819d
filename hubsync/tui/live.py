"""A test while it is drawn: which of its pictures are there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hubsync.domain import Render
from hubsync.services.history import Drawn, seen

if TYPE_CHECKING:
    from hubsync.render.plan import RenderPlan

DRAWN = "● drawn"
"""The state of a picture that is there, in a test of which others are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A test's pictures in their order. Of those in `waiting` there is none yet, and a name stands for the path.

    Those in `drawing` are drawn now.
    """

    pictures: tuple[Drawn, ...]
    waiting: frozenset[Path] = frozenset()
    drawing: frozenset[Path] = frozenset()

    @classmethod
    def of(cls, plan: RenderPlan, moment: datetime) -> Live:
        """A test of which nothing is drawn."""
        places = {row: _place(index) for index, row in enumerate(plan.drawn)}
        pictures = tuple(
            Drawn(render=plan.picture(row, places[row.drawn], created_at=moment), tested=row.tested)
            for row in plan.rows
        )
        return cls(pictures=pictures, waiting=frozenset(places.values()))

    @classmethod
    def over(cls, renders: Sequence[Render]) -> Live:
        """The same once it is drawn."""
        return cls(pictures=seen(renders))

    def draws(self, rows: Collection[int]) -> Live:
        """The same while these rows of the plan's `drawn` are drawn."""
        return replace(self, drawing=frozenset(map(_place, rows)))

    def with_picture(self, row: int, path: Path) -> Live:
        """The same with the picture of row `row` of the plan's `drawn`, of which several may show the same."""
        place = _place(row)
        pictures = (
            replace(one, render=replace(one.render, path=path)) if one.render.path == place else one
            for one in self.pictures
        )
        return replace(self, pictures=tuple(pictures), waiting=self.waiting - {place})

    def state(self, render: Render) -> str:
        """What is to be said of a picture that is not there; empty for one that is."""
        if render.path not in self.waiting:
            return ""
        return "◐ drawing" if render.path in self.drawing else "◌ waiting"


def _place(row: int) -> Path:
    return Path(f"{row}")
