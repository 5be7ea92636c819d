"""Tests drawn earlier, read from their pictures: what each shows, what it found, and how to draw it again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path

from hubsync.domain import Installed, LoraUse, Render, RenderKind
from hubsync.domain.renders import Verdict
from hubsync.errors import UsageError
from hubsync.render.plan import RenderOptions
from hubsync.render.rows import shared_weight, subject_of
from hubsync.render.samplers import find_sampler
from hubsync.render.verdict import judge_all
from hubsync.services.triggers import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A picture of a test: the LoRAs under test in it, none in a base, and what the test says of what it shows."""

    render: Render
    tested: tuple[LoraUse, ...] = ()
    verdict: Verdict | None = None

    @property
    def subject(self) -> LoraUse | None:
        """What it shows: a LoRA, or several as one."""
        return subject_of(self.tested)

    @property
    def weight(self) -> float | None:
        """The weight of that, where its name does not hold several."""
        return shared_weight(self.tested)

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
    uses = [tuple(use for use in render.loras if use.name not in given) for render in test]
    subjects = [subject_of(tested) for tested in uses]
    shown: dict[tuple[str, float], list[Render]] = defaultdict(list)
    for render, subject in zip(test, subjects, strict=True):
        if subject:
            shown[subject.name, subject.weight].append(render)
    together = any(len(tested) > 1 for tested in uses)
    judged = {(verdict.lora, verdict.weight): verdict for verdict in judge_all(shown, together=together)}
    return tuple(
        Drawn(render=render, tested=tested, verdict=judged.get((subject.name, subject.weight)) if subject else None)
        for render, tested, subject in zip(test, uses, subjects, strict=True)
    )


def sheet_of(test: Sequence[Render]) -> Path | None:
    """The contact sheet of a test, if it is still there; of several in one folder the one written with the test."""
    moment = test[0].created_at.timestamp()
    found = test[0].path.parent.glob("sheet*.png")
    return min(found, key=lambda path: abs(path.stat().st_mtime - moment), default=None)


def again(test: Sequence[Render], find: Callable[[str], Installed]) -> tuple[list[Wish], RenderOptions]:
    """What to ask for to draw a test again; `find` gives the LoRAs by name.

    Weights that all LoRAs of a test share are those of its options, others those of the wishes. LoRAs tested together
    are that again, with the words they have.

    Raises:
        UsageError: it shows no LoRA. NotFound, Ambiguous: as `find`.
    """
    pictures = seen(test)
    shown: dict[str, list[Render]] = defaultdict(list)
    found: dict[str, dict[float, None]] = defaultdict(dict)
    for one in pictures:
        for use in one.tested:
            shown[use.name].append(one.render)
            found[use.name][use.weight] = None
    if not shown:
        raise UsageError("this test shows no LoRA", hint="n begins a new one")
    together = any(len(one.tested) > 1 for one in pictures)
    together = together or any(_joined(find(name), renders) for name, renders in shown.items())
    weights = {name: tuple(own) for name, own in found.items()}
    groups = {name: _groups(find(name), renders, together=together) for name, renders in shown.items()}
    swept = {own for own in weights.values() if not together or len(own) > 1}
    if len(swept) == 1:
        (shared,) = swept
        wishes = [
            Wish(name=name, weight=None if own == shared else own[0], groups=groups[name])
            for name, own in weights.items()
        ]
        return wishes, _options(test, weights=shared, together=together)
    uses = [(name, weight) for name, found in weights.items() for weight in found]
    return [Wish(name=name, weight=weight, groups=groups[name]) for name, weight in uses], _options(
        test, weights=(), together=together
    )


def _joined(lora: Installed, renders: Sequence[Render]) -> bool:
    """Whether several groups of a LoRA, which are alternatives otherwise, are in one picture."""
    words = {render.trigger_words for render in renders}
    groups = [group.texts for group in lora.groups if group.texts and any(set(one) >= {*group.texts} for one in words)]
    return len(groups) > 1 and tuple(chain(*groups)) in words


def _groups(lora: Installed, renders: Sequence[Render], *, together: bool) -> tuple[int, ...]:
    """The numbers of the trigger groups that the renders show; none, which means the enabled ones, if they changed."""
    if together:
        drawn = {word for render in renders for word in render.trigger_words}
        return tuple(group.index for group in lora.groups if group.texts and drawn.issuperset(group.texts))
    words = {render.trigger_words for render in renders if render.kind is RenderKind.TRIGGERED}
    found = {group.texts: group.index for group in lora.groups}
    return tuple(sorted(found[one] for one in words)) if words <= found.keys() else ()


def _options(test: Sequence[Render], *, weights: tuple[float, ...], together: bool) -> RenderOptions:
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
        together=together,
    )


def _known(sampler: str) -> str | None:
    """A sampler that can be asked for by name; None for a checkpoint's own that has none."""
    try:
        find_sampler(sampler)
    except UsageError:
        return None
    return sampler
