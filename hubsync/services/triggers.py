"""Trigger words in use: which words a LoRA brings, and prompts with exactly those put in or taken out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hubsync.config import Prompt
from hubsync.domain import Installed, LoraType
from hubsync.errors import NotFound, UsageError
from hubsync.prompts import compose as composing
from hubsync.prompts.compose import Choice, Composed, Format, Note, Placement
from hubsync.prompts.syntax import lora_tags, strip_comments
from hubsync.services.library import LibraryService


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A LoRA wanted in a prompt. No weight: the suggested one. No groups: the enabled ones."""

    name: str
    weight: float | None = None
    groups: tuple[int, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Wish:
        """Read `NAME[:WEIGHT[:GROUP]]`; GROUP may be several numbers joined by `+`.

        Raises:
            UsageError: a weight or group that is no number.
        """
        name, *rest = text.split(":")
        try:
            weight = float(rest[0]) if rest and rest[0] else None
            groups = tuple(int(number) for number in rest[1].split("+")) if len(rest) > 1 else ()
        except ValueError as error:
            raise UsageError(f"'{text}' is not NAME[:WEIGHT[:GROUP]]", hint="for example add_detail:0.8:1") from error
        if len(rest) > 2 or not name:
            raise UsageError(f"'{text}' is not NAME[:WEIGHT[:GROUP]]", hint="for example add_detail:0.8:1")
        return cls(name=name, weight=weight, groups=groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerService:
    """Composes prompts from the library's LoRAs."""

    library: LibraryService
    defaults: Prompt

    def compose(
        self,
        text: str,
        wishes: Iterable[Wish],
        *,
        negative: str = "",
        format: Format = Format.A1111,  # noqa: A002
        with_words: bool = True,
    ) -> Composed:
        """The prompt with a tag and the trigger words of each LoRA; a tag already there is known too.

        Raises:
            NotFound, Ambiguous: a wish names no installed LoRA. UsageError: a group that is not there.
        """
        choices = [self.choice(wish) for wish in wishes]
        named = {choice.name.casefold() for choice in choices}
        present = [tag for tag in lora_tags(strip_comments(text)) if tag.name.casefold() not in named]
        choices += [self._present(tag.name) for tag in present]
        composed = composing.compose(
            text,
            choices,
            negative=negative,
            placement=Placement(self.defaults.placement),
            format=format,
            with_words=with_words,
        )
        unknown = [self._unknown(choice.name) for choice in choices if not choice.found]
        remarks = tuple(
            f"nobody suggests a weight for {choice.name}: {choice.weight:g} is what most prompts use"
            for choice in choices
            if choice.usual
        )
        return replace(composed, warnings=(*composed.warnings, *unknown), remarks=remarks)

    def remove(self, text: str, name: str, *, negative: str = "") -> Composed:
        """The prompt without that LoRA's tag and exactly its words; words another LoRA in it needs stay.

        Raises:
            NotFound, Ambiguous: no installed LoRA of that name.
        """
        lora = self.library.find(name)
        others = [tag.name for tag in lora_tags(strip_comments(text)) if tag.name.casefold() != lora.name.casefold()]
        keep = [self._present(other) for other in others]
        return composing.remove(
            text,
            lora.name,
            tuple(tuple(word.text for word in group.words) for group in lora.groups),
            keep=[other.groups for other in keep],
            negative=negative,
            negative_words=lora.negative,
            keep_negative=[other.negative for other in keep if other.negative],
        )

    def choice(self, wish: Wish) -> Choice:
        """What a wish puts into a prompt."""
        lora = with_groups(self.library.find(wish.name), wish.groups)
        weight = wish.weight if wish.weight is not None else lora.weight
        return Choice(
            name=lora.name,
            weight=self.defaults.default_weight if weight is None else weight,
            groups=lora.inserted_words,
            negative=lora.negative,
            tag=lora.type is not LoraType.EMBEDDING,
            usual=weight is None and lora.type is not LoraType.EMBEDDING,
        )

    def _unknown(self, name: str) -> Note:
        # Forge drops every LoRA of a prompt that names a missing one; AUTOMATIC1111 skips it without a word.
        near = self.library.similar(name)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        return Note(code="unknown_lora", message=f"the prompt names '{name}', which is not installed{hint}")

    def _present(self, name: str) -> Choice:
        """A LoRA the user's own text already names; its weight there stays."""
        try:
            lora = self.library.find(name)
        except NotFound:
            return Choice(name=name, weight=None, found=False)
        return Choice(name=lora.name, weight=None, groups=lora.inserted_words, negative=lora.negative)


def with_groups(lora: Installed, groups: Sequence[int]) -> Installed:
    """The LoRA with exactly the groups asked for switched on; as it is if none is asked for.

    Raises:
        UsageError: a group the LoRA does not have.
    """
    known = {group.index for group in lora.groups}
    if unknown := set(groups) - known:
        has = ", ".join(map(str, sorted(known))) or "none"
        raise UsageError(f"{lora.name} has no trigger group {min(unknown)}", hint=f"its groups: {has}")
    if not groups:
        return lora
    return replace(lora, groups=tuple(replace(group, enabled=group.index in groups) for group in lora.groups))
