"""The pictures of a test, one row each: the user's prompt alone, with the LoRA, with the LoRA and its trigger words.

Trigger groups are alternatives, such as outfits: a LoRA with several of them switched on has a row for each.
`<lora:…>` tags in the user's own prompt belong to every picture, base included, save those of LoRAs under test.
Words of the negative prompt are the user's alone, so that rows differ in nothing but what they are to show.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from hubsync.domain import Installed, LoraType, LoraUse, RenderKind
from hubsync.errors import UnsafeName, UsageError
from hubsync.prompts.compose import Choice, Placement, compose
from hubsync.prompts.syntax import (
    LORA_NETWORKS,
    LoraTag,
    extra_networks,
    lora_tag,
    lora_tags,
    network,
    number,
    replace_tags,
)
from hubsync.render import wire


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRow:
    """One picture: what it shows (`lora` at `weight`, None for base) and what the renderer is asked for.

    group: which of the LoRA's trigger groups it shows, by number; None where that is the only one.
    uses: the LoRAs in it, the one under test first if it is an embedding; `called` are the names their tags hold.
    """

    kind: RenderKind
    lora: str | None = None
    weight: float | None = None
    group: int | None = None
    uses: tuple[LoraUse, ...] = ()
    called: Mapping[str, str] = field(default_factory=dict)
    trigger_words: tuple[str, ...] = ()
    prompt: str
    drawn: wire.Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A LoRA or embedding under test, at one weight."""

    lora: Installed
    weight: float

    @property
    def embedding(self) -> bool:
        """Whether its name in the prompt calls it, not a tag."""
        return self.lora.type is LoraType.EMBEDDING

    @property
    def words(self) -> Mapping[int, tuple[str, ...]]:
        """Its enabled groups by number; an embedding is called by its stem, in brackets that carry the weight."""
        if not self.embedding:
            return {group.index: group.texts for group in self.lora.groups if group.enabled and group.texts}
        name = self.lora.name
        return {1: (name if self.weight == 1 else f"({name}:{number(self.weight)})",)}


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

        return replace(self, text=replace_tags(self.text, kept))

    def base(self, seed: int) -> PlannedRow:
        """The picture every other of that seed is measured against."""
        return self._row(RenderKind.BASE, self.text, seed)

    def tested(self, subject: Subject, seed: int) -> tuple[PlannedRow, ...]:
        """With the LoRA, and with the words of each of its groups. Where the prompt already holds them, those alone."""
        groups = subject.words
        plain = self._composed(subject, ())
        full = tuple(
            replace(
                self._row(RenderKind.TRIGGERED, self._composed(subject, words), seed, subject),
                trigger_words=words,
                group=group if len(groups) > 1 else None,
            )
            for group, words in groups.items()
        )
        # An embedding without its word is the base picture.
        if subject.embedding or any(row.prompt == plain for row in full):
            return full
        return (self._row(RenderKind.LORA, plain, seed, subject), *full)

    def _composed(self, subject: Subject, words: tuple[str, ...]) -> str:
        choice = Choice(name=subject.lora.name, weight=subject.weight, groups=(words,), tag=not subject.embedding)
        return compose(self.text, [choice], placement=Placement(self.placement)).prompt

    def _row(self, kind: RenderKind, prompt: str, seed: int, subject: Subject | None = None) -> PlannedRow:
        tags = [(self.library(tag.name).name, tag) for tag in lora_tags(prompt)]
        uses = [LoraUse(name=name, weight=tag.unet) for name, tag in tags]
        if subject and not subject.embedding and subject.lora.name not in dict(tags):
            hint = "`hubsync move` gives it another name"
            raise UnsafeName(f"'{subject.lora.name}' is a name that no <lora:…> tag can hold", hint=hint)
        applied = tuple(wire.Applied(lora=name, te=tag.te, unet=tag.unet) for name, tag in tags if tag.te or tag.unet)
        if subject and subject.embedding:
            uses.insert(0, LoraUse(name=subject.lora.name, weight=subject.weight))
        return PlannedRow(
            kind=kind,
            lora=subject.lora.name if subject else None,
            weight=subject.weight if subject else None,
            uses=tuple(uses),
            called={name: tag.name for name, tag in tags},
            prompt=prompt,
            drawn=wire.Row(prompt=extra_networks(prompt)[0].strip(), negative=self.negative, seed=seed, loras=applied),
        )
