"""The pictures of a test, one row each: the user's prompt alone, with the LoRA, with the LoRA and its trigger words.

Trigger groups are alternatives, such as outfits: a LoRA with several of them switched on has a row for each.
`<lora:…>` tags in the user's own prompt belong to every picture, base included, save those of LoRAs under test.
Words of the negative prompt are the user's alone, so that rows differ in nothing but what they are to show.

Tested together, LoRAs are one subject: all their tags and words in one prompt, beside that prompt without any of them.
Their negative words are in each of its pictures then, the base included.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
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
    """One picture: what it shows and what the renderer is asked for.

    tested: the LoRAs under test in it, none for base; `lora` at `weight` is what `subject_of` makes of them.
    group: which of the LoRA's trigger groups it shows, by number; None where that is the only one.
    uses: the LoRAs in it, the one under test first if it is an embedding; `called` are the names their tags hold.
    """

    kind: RenderKind
    tested: tuple[LoraUse, ...] = ()
    group: int | None = None
    uses: tuple[LoraUse, ...] = ()
    called: Mapping[str, str] = field(default_factory=dict)
    trigger_words: tuple[str, ...] = ()
    prompt: str
    drawn: wire.Row

    @property
    def lora(self) -> str | None:
        """What is under test, by name; None for base."""
        subject = subject_of(self.tested)
        return None if subject is None else subject.name

    @property
    def weight(self) -> float | None:
        """Its weight."""
        subject = subject_of(self.tested)
        return None if subject is None else subject.weight


def subject_of(tested: Sequence[LoraUse]) -> LoraUse | None:
    """What pictures with these LoRAs under test show: one LoRA, or several as one; None for a base.

    Several have all their names and the weight they share. Where weights differ the name holds them, at weight 1: as
    they are.
    """
    if len(tested) < 2:
        return next(iter(tested), None)
    shared = shared_weight(tested)
    if shared is not None:
        return LoraUse(name=" + ".join(use.name for use in tested), weight=shared)
    return LoraUse(name=" + ".join(f"{use.name} {number(use.weight)}" for use in tested), weight=1.0)


def shared_weight(tested: Sequence[LoraUse]) -> float | None:
    """The weight of LoRAs that all have the same; None where they differ, or there is none."""
    weights = {use.weight for use in tested}
    return weights.pop() if len(weights) == 1 else None


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
    def call(self) -> tuple[str, ...]:
        """What calls an embedding: its stem, in brackets that carry the weight."""
        name = self.lora.name
        return (name if self.weight == 1 else f"({name}:{number(self.weight)})",) if self.embedding else ()

    @property
    def words(self) -> Mapping[int, tuple[str, ...]]:
        """Its enabled groups by number; an embedding's only word is what calls it."""
        if self.embedding:
            return {1: self.call}
        return {group.index: group.texts for group in self.lora.groups if group.enabled and group.texts}


def write_rows(
    writer: RowWriter,
    loras: Sequence[tuple[Installed, float | None]],
    *,
    weights: tuple[float, ...],
    seeds: Iterable[int],
    default_weight: float,
    together: bool = False,
) -> tuple[PlannedRow, ...]:
    """For every seed a base row and the rows of each LoRA at each of its weights, nothing twice.

    A LoRA's weights are the one given with it or in the prompt's tag, else `weights`, else its suggested one, else
    `default_weight`; an embedding's own is 1. `together` draws all of them in one picture: each at its first weight,
    then at the second.

    Raises:
        UsageError, UnsafeName: a tag of the prompt that cannot be read, a LoRA that no tag can hold.
    """
    tags = {lora.name: tag.unet for lora, tag in writer.tagged()}
    swept: list[list[Subject]] = []
    for lora, given in loras:
        default = 1.0 if lora.type is LoraType.EMBEDDING else default_weight
        said = tags.get(lora.name) if given is None else given
        own = (said,) if said is not None else weights or (lora.weight or default,)
        swept.append([Subject(lora=lora, weight=weight) for weight in own])
    if together:
        writer = writer.avoiding(lora for lora, _ in loras)
    bare = writer.without(lora.name for lora, _ in loras)
    subjects = _mixtures(swept) if together else [(one,) for one in dict.fromkeys(chain(*swept))]
    full = writer if together else bare
    rows: list[PlannedRow] = []
    for seed in dict.fromkeys(seeds):
        rows.append(bare.base(seed))
        rows += (row for subject in subjects for row in full.tested(subject, seed, together=together))
    return tuple(rows)


def _mixtures(swept: Sequence[Sequence[Subject]]) -> Sequence[tuple[Subject, ...]]:
    """All LoRAs at once, each at its first weight, then at the second; one that has a single weight stays at that."""
    by_name = {own[0].lora.name: own for own in swept}
    most = max(map(len, by_name.values()))
    return [*dict.fromkeys(tuple(own[at % len(own)] for own in by_name.values()) for at in range(most))]


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

    def avoiding(self, loras: Iterable[Installed]) -> RowWriter:
        """The same with the negative words of these LoRAs."""
        choices = [Choice(name=lora.name, negative=lora.negative, tag=False) for lora in loras]
        return replace(self, negative=compose(self.text, choices, negative=self.negative).negative_prompt)

    def base(self, seed: int) -> PlannedRow:
        """The picture every other of that seed is measured against."""
        return self._row(RenderKind.BASE, self.text, seed)

    def tested(self, subjects: Sequence[Subject], seed: int, *, together: bool) -> tuple[PlannedRow, ...]:
        """With the LoRA, and with the words of each of its groups. Where the prompt already holds them, those alone.

        `together` all words are in one picture.
        """
        words = tuple(word for subject in subjects for group in subject.words.values() for word in group)
        all_words = {1: words} if words else {}
        groups = all_words if together else subjects[0].words
        plain = self._composed(subjects, ())
        full = tuple(
            replace(
                self._row(RenderKind.TRIGGERED, self._composed(subjects, words), seed, subjects),
                trigger_words=words,
                group=group if len(groups) > 1 else None,
            )
            for group, words in groups.items()
        )
        # As it always is of an embedding: without its word it would be the base picture.
        if any(row.prompt == plain for row in full):
            return full
        return (self._row(RenderKind.LORA, plain, seed, subjects), *full)

    def _composed(self, subjects: Sequence[Subject], words: tuple[str, ...]) -> str:
        """The prompt with these LoRAs, with these words and whatever calls an embedding."""
        there = {lora.name: tag.unet for lora, tag in self.tagged()}
        choices = [
            Choice(
                name=one.lora.name,
                # A tag of that weight may hold another one for the text encoder, which stays.
                weight=None if there.get(one.lora.name) == one.weight else one.weight,
                groups=(one.call if at or not words else words,),
                tag=not one.embedding,
            )
            for at, one in enumerate(subjects)
        ]
        return compose(self.text, choices, placement=Placement(self.placement)).prompt

    def _row(self, kind: RenderKind, prompt: str, seed: int, subjects: Sequence[Subject] = ()) -> PlannedRow:
        tags = [(self.library(tag.name).name, tag) for tag in lora_tags(prompt)]
        for one in subjects:
            if not one.embedding and one.lora.name not in dict(tags):
                hint = "`hubsync move` gives it another name"
                raise UnsafeName(f"'{one.lora.name}' is a name that no <lora:…> tag can hold", hint=hint)
        applied = tuple(wire.Applied(lora=name, te=tag.te, unet=tag.unet) for name, tag in tags if tag.te or tag.unet)
        called = [LoraUse(name=one.lora.name, weight=one.weight) for one in subjects if one.embedding]
        uses = (*called, *(LoraUse(name=name, weight=tag.unet) for name, tag in tags))
        names = {one.lora.name for one in subjects}
        return PlannedRow(
            kind=kind,
            tested=tuple(use for use in uses if use.name in names),
            uses=uses,
            called={name: tag.name for name, tag in tags},
            prompt=prompt,
            drawn=wire.Row(prompt=extra_networks(prompt)[0].strip(), negative=self.negative, seed=seed, loras=applied),
        )
