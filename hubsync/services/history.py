"""Tests drawn earlier, read from their pictures: what each shows, what it found, and how to draw it again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hubsync.domain import Installed, LoraUse, Render, RenderKind
from hubsync.domain.renders import Verdict
from hubsync.errors import UsageError
from hubsync.render.plan import RenderOptions
from hubsync.render.samplers import find_sampler
from hubsync.render.verdict import judge_all
from hubsync.services.triggers import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A picture of a test: the LoRA it shows, None for a base, and what the test says of that LoRA at that weight."""

    render: Render
    subject: LoraUse | None = None
    verdict: Verdict | None = None

    @property
    def test(self) -> tuple[Path, datetime]:
        """What the pictures of one test have in common: folder and moment."""
        return self.render.path.parent, self.render.created_at


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A page of the pictures so far, newest test first, and how many there are in all."""

    pictures: tuple[Drawn, ...]
    total: int


def seen(test: Sequence[Render]) -> tuple[Drawn, ...]:
    """The pictures of one whole test with what they show and say, in their order."""
    given = {use.name for render in test if render.kind is RenderKind.BASE for use in render.loras}
    # A base shows the LoRAs of the user's own prompt, which are in all of its test's pictures.
    subjects = [next((use for use in render.loras if use.name not in given), None) for render in test]
    tested: dict[tuple[str, float], list[Render]] = defaultdict(list)
    for render, subject in zip(test, subjects, strict=True):
        if subject:
            tested[subject.name, subject.weight].append(render)
    judged = {(verdict.lora, verdict.weight): verdict for verdict in judge_all(tested)}
    return tuple(
        Drawn(render=render, subject=subject, verdict=judged.get((subject.name, subject.weight)) if subject else None)
        for render, subject in zip(test, subjects, strict=True)
    )


def sheet_of(test: Sequence[Render]) -> Path | None:
    """The contact sheet of a test, if it is still there; of several in one folder the one written with the test."""
    moment = test[0].created_at.timestamp()
    found = test[0].path.parent.glob("sheet*.png")
    return min(found, key=lambda path: abs(path.stat().st_mtime - moment), default=None)


def again(test: Sequence[Render], find: Callable[[str], Installed]) -> tuple[list[Wish], RenderOptions]:
    """What to ask for to draw a test again; `find` gives the LoRAs by name.

    Weights that all LoRAs of a test share are those of its options, others those of the wishes.

    Raises:
        UsageError: it shows no LoRA. NotFound, Ambiguous: as `find`.
    """
    shown: dict[str, list[Drawn]] = defaultdict(list)
    for one in seen(test):
        if one.subject:
            shown[one.subject.name].append(one)
    if not shown:
        raise UsageError("this test shows no LoRA", hint="n begins a new one")
    weights = {
        name: tuple(dict.fromkeys(one.subject.weight for one in found if one.subject)) for name, found in shown.items()
    }
    groups = {name: _groups(find(name), [one.render for one in found]) for name, found in shown.items()}
    if len(set(weights.values())) == 1:
        wishes = [Wish(name=name, groups=groups[name]) for name in shown]
        return wishes, _options(test, weights=next(iter(weights.values())))
    uses = [(name, weight) for name, found in weights.items() for weight in found]
    return [Wish(name=name, weight=weight, groups=groups[name]) for name, weight in uses], _options(test, weights=())


def _groups(lora: Installed, renders: Sequence[Render]) -> tuple[int, ...]:
    """The numbers of the trigger groups that the renders show; none, which means the enabled ones, if they changed."""
    words = {render.trigger_words for render in renders if render.kind is RenderKind.TRIGGERED}
    found = {group.texts: group.index for group in lora.groups}
    return tuple(sorted(found[one] for one in words)) if words <= found.keys() else ()


def _options(test: Sequence[Render], *, weights: tuple[float, ...]) -> RenderOptions:
    first = next((render for render in test if render.kind is RenderKind.BASE), test[0])
    return RenderOptions(
        prompt=first.prompt,
        negative=first.negative_prompt,
        weights=weights,
        seeds=tuple(dict.fromkeys(render.seed for render in test)),
        steps=first.steps,
        cfg=first.cfg,
        size=first.size,
        sampler=_known(first.sampler),
        checkpoint=first.checkpoint,
    )


def _known(sampler: str) -> str | None:
    """A sampler that can be asked for by name; None for a checkpoint's own that has none."""
    try:
        find_sampler(sampler)
    except UsageError:
        return None
    return sampler
