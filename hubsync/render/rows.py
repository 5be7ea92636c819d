"""The pictures of a test, one row each: the user's prompt alone, with the LoRA, with the LoRA and its trigger words.

`<lora:…>` tags in the user's own prompt belong to every picture, base included, save those of LoRAs under test.
Words of the negative prompt are the user's alone, so that rows differ in nothing but what they are to show.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from hubsync.domain import Installed, LoraType, LoraUse, RenderKind, TriggerWords
from hubsync.errors import UnsafeName, UsageError
from hubsync.prompts.compose import Choice, Placement, compose
from hubsync.prompts.syntax import LORA_NETWORKS, TAG, LoraTag, extra_networks, lora_tag, lora_tags, network, number
from hubsync.render import wire


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRow:
    """One picture: what it shows (`lora` at `weight`, None for base) and what the renderer is asked for."""

    kind: RenderKind
    lora: str | None = None
    weight: float | None = None
    uses: tuple[LoraUse, ...] = ()
    trigger_words: tuple[str, ...] = ()
    prompt: str
    drawn: wire.Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A LoRA or embedding under test, at one weight."""

    lora: Installed
    weight: float

    @property
    def words(self) -> TriggerWords:
        """Its enabled groups; an embedding is called by its stem, in brackets that carry the weight."""
        if self.lora.type is not LoraType.EMBEDDING:
            return self.lora.inserted_words
        name = self.lora.name
        return ((name if self.weight == 1 else f"({name}:{number(self.weight)})",),)


def write_rows(
    writer: RowWriter,
    loras: Sequence[tuple[Installed, float | None]],
    *,
    weights: tuple[float, ...],
    seeds: Iterable[int],
    default_weight: float,
) -> tuple[PlannedRow, ...]:
    """For every seed a base row and the rows of each LoRA at each of its weights, nothing twice.

    A LoRA's weights are the one given with it or in the prompt's tag, else `weights`, else its suggested one, else
    `default_weight`; an embedding's own is 1.

    Raises:
        UsageError, UnsafeName: a tag of the prompt that cannot be read, a LoRA that no tag can hold.
    """
    tags = {lora.name: tag.unet for lora, tag in writer.tagged()}
    subjects: dict[Subject, None] = {}
    for lora, given in loras:
        default = 1.0 if lora.type is LoraType.EMBEDDING else default_weight
        said = tags.get(lora.name) if given is None else given
        for weight in (said,) if said is not None else weights or (lora.weight or default,):
            subjects[Subject(lora=lora, weight=weight)] = None
    writer = writer.without(lora.name for lora, _ in loras)
    rows: list[PlannedRow] = []
    for seed in dict.fromkeys(seeds):
        rows.append(writer.base(seed))
        rows += (row for subject in subjects for row in writer.tested(subject, seed))
    return tuple(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowWriter:
    """Writes rows for one prompt. `library` finds the LoRA a tag names, or raises."""

    text: str
    negative: str
    placement: Literal["start", "end"]
    library: Callable[[str], Installed]

    def tagged(self) -> list[tuple[Installed, LoraTag]]:
        """The LoRAs the user's own tags ask for.

        Raises:
            UsageError: a tag with a weight that is no number: AUTOMATIC1111 would apply no LoRA at all.
        """
        tags = lora_tags(self.text)
        if bad := next((tag for tag in tags if tag.fault), None):
            raise UsageError(
                f"the prompt's tag of '{bad.name}' is not <lora:NAME:WEIGHT>", hint="for example <lora:x:0.8>"
            )
        return [(self.library(tag.name), tag) for tag in tags]

    def without(self, names: Iterable[str]) -> RowWriter:
        """The same for a prompt without the tags of these LoRAs."""
        unwanted = set(names)

        def kept(match: re.Match[str]) -> str:
            tag = network(match)
            ours = tag.type in LORA_NETWORKS and self.library(lora_tag(tag).name).name in unwanted
            return "" if ours else match.group()

        return replace(self, text=TAG.sub(kept, self.text))

    def base(self, seed: int) -> PlannedRow:
        """The picture every other of that seed is measured against."""
        return self._row(RenderKind.BASE, self.text, seed)

    def tested(self, subject: Subject, seed: int) -> tuple[PlannedRow, ...]:
        """With the LoRA; with its words too if it has any. Where the prompt already holds them, that one alone."""
        plain = self._composed(subject, with_words=False)
        words = tuple(word for group in subject.words for word in group)
        triggered = self._composed(subject, with_words=True)
        bare = self._row(RenderKind.LORA, plain, seed, subject)
        if not words:
            return (bare,)
        full = replace(self._row(RenderKind.TRIGGERED, triggered, seed, subject), trigger_words=words)
        # An embedding without its word is the base picture.
        return (full,) if triggered == plain or subject.lora.type is LoraType.EMBEDDING else (bare, full)

    def _composed(self, subject: Subject, *, with_words: bool) -> str:
        choice = Choice(
            name=subject.lora.name,
            weight=subject.weight,
            groups=subject.words,
            tag=subject.lora.type is not LoraType.EMBEDDING,
        )
        return compose(self.text, [choice], placement=Placement(self.placement), with_words=with_words).prompt

    def _row(self, kind: RenderKind, prompt: str, seed: int, subject: Subject | None = None) -> PlannedRow:
        tags = [(self.library(tag.name).name, tag) for tag in lora_tags(prompt)]
        uses = [LoraUse(name=name, weight=tag.unet) for name, tag in tags]
        if subject and subject.lora.type is not LoraType.EMBEDDING and subject.lora.name not in dict(tags):
            hint = "`hubsync move` gives it another name"
            raise UnsafeName(f"'{subject.lora.name}' is a name that no <lora:…> tag can hold", hint=hint)
        applied = tuple(wire.Applied(lora=name, te=tag.te, unet=tag.unet) for name, tag in tags if tag.te or tag.unet)
        if subject and subject.lora.type is LoraType.EMBEDDING:
            uses.insert(0, LoraUse(name=subject.lora.name, weight=subject.weight))
        return PlannedRow(
            kind=kind,
            lora=subject.lora.name if subject else None,
            weight=subject.weight if subject else None,
            uses=tuple(uses),
            prompt=prompt,
            drawn=wire.Row(prompt=extra_networks(prompt)[0].strip(), negative=self.negative, seed=seed, loras=applied),
        )
