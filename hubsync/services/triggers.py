"""Trigger words in use: which words a LoRA brings, and prompts with exactly those put in or taken out."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hubsync.config import Prompt
from hubsync.domain import Installed, LoraType, TriggerGroup
from hubsync.errors import UsageError
from hubsync.prompts import compose as composing
from hubsync.prompts.compose import Choice, Composed, Format, Note, Placement, to_load
from hubsync.prompts.formats import with_embeddings
from hubsync.prompts.resolution import Names
from hubsync.prompts.syntax import lora_tags, strip_comments
from hubsync.services.library import LibraryService
from hubsync.services.naming import Naming
from hubsync.store.prompts import DRAFT, PromptRecords, Saved


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A LoRA wanted in a prompt. No weight: the suggested one. No groups: the enabled ones; `every`: all it has.

    `words` says more exactly than groups can: these alone, each with the number of its group; () is none at all.
    """

    name: str
    weight: float | None = None
    groups: tuple[int, ...] = ()
    every: bool = False
    words: tuple[tuple[int, str], ...] | None = None

    @classmethod
    def parse(cls, text: str) -> Wish:
        """Read `NAME[:WEIGHT[:GROUP]]`; GROUP may be several numbers joined by `+`, or `all`.

        Raises:
            UsageError: a weight or group that is no number.
        """
        name, *rest = text.split(":")
        every = rest[1:] == ["all"]
        try:
            weight = float(rest[0]) if rest and rest[0] else None
            groups = tuple(int(number) for number in rest[1].split("+")) if len(rest) > 1 and not every else ()
        except ValueError as error:
            raise UsageError(f"'{text}' is not NAME[:WEIGHT[:GROUP]]", hint="for example add_detail:0.8:1") from error
        if len(rest) > 2 or not name or not math.isfinite(weight or 0):
            raise UsageError(f"'{text}' is not NAME[:WEIGHT[:GROUP]]", hint="for example add_detail:0.8:1")
        return cls(name=name, weight=weight, groups=groups, every=every)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPrompt:
    """A prompt kept under a name: the user's own texts and the LoRAs in it. Those named in `off` are switched off."""

    name: str
    text: str
    negative: str
    wishes: tuple[Wish, ...]
    off: frozenset[str]
    saved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerService:
    """Composes prompts from the library's LoRAs, and keeps them in `prompts`."""

    library: LibraryService
    defaults: Prompt
    prompts: PromptRecords
    now: Callable[[], datetime]

    def compose(
        self,
        text: str,
        wishes: Iterable[Wish],
        *,
        negative: str = "",
        format: Format = Format.A1111,  # noqa: A002
        with_words: bool = True,
        naming: Naming | None = None,
    ) -> Composed:
        """The prompt with a tag and the trigger words of each LoRA; a tag already there is known too.

        `naming` saves whoever composes again and again the reading of all names: 0.6 s for 50,000 LoRAs.

        Raises:
            NotFound, Ambiguous: a wish names no installed LoRA. UsageError: a group that is not there.
        """
        naming = naming or Naming.of(self.library)
        choices = [_called(self.choice(wish), naming.names) for wish in wishes]
        choices += self._present(text, naming, besides=choices)
        composed = composing.compose(
            text,
            choices,
            negative=negative,
            placement=Placement(self.defaults.placement),
            format=format,
            with_words=with_words,
            names=naming.names,
        )
        remarks = tuple(
            f"nobody suggests a weight for {choice.name}: {choice.weight:g} is what most prompts use"
            for choice in choices
            if choice.usual
        )
        embeddings = self.library.records.embeddings() if format is Format.COMFYUI else []
        return replace(
            composed,
            prompt=with_embeddings(composed.prompt, embeddings, format),
            negative_prompt=with_embeddings(composed.negative_prompt, embeddings, format),
            warnings=(*composed.warnings, *self._doubts(choices, naming)),
            remarks=(*to_load(composed.loras, format), *remarks),
        )

    def remove(self, text: str, name: str, *, negative: str = "") -> Composed:
        """The prompt without that LoRA's tag and exactly its words; words another LoRA in it needs stay.

        Raises:
            NotFound, Ambiguous: no installed LoRA of that name.
        """
        lora = self.library.find(name)
        naming = Naming.of(self.library)
        words = tuple(tuple(word.text for word in group.words) for group in lora.groups)
        gone = _called(Choice(name=lora.name, groups=words, negative=lora.negative), naming.names)
        return composing.remove(text, gone, keep=self._present(text, naming, besides=[gone]), negative=negative)

    def choice(self, wish: Wish) -> Choice:
        """What a wish puts into a prompt."""
        lora = with_groups(self.library.find(wish.name), wish)
        weight = wish.weight if wish.weight is not None else lora.weight
        return Choice(
            name=lora.name,
            weight=self.defaults.default_weight if weight is None else weight,
            groups=lora.inserted_words,
            negative=lora.negative,
            tag=lora.type is not LoraType.EMBEDDING,
            usual=weight is None and lora.type is not LoraType.EMBEDDING,
        )

    def saved_prompts(self) -> list[SavedPrompt]:
        """The prompts kept under a name, newest first."""
        return [_read(one) for one in self.prompts.all()]

    def save_prompt(
        self, name: str, text: str, wishes: Iterable[Wish], *, negative: str = "", off: Collection[str] = ()
    ) -> None:
        """Keep a prompt under a name, in place of one that has it. LoRAs named in `off` are kept, switched off.

        Raises:
            UsageError: an empty name.
        """
        if not name.strip():
            raise UsageError("a prompt is kept under a name", hint="for example its first words")
        self._save(name.strip(), text, wishes, negative, off)

    def forget_prompt(self, name: str) -> None:
        """Remove the prompt kept under that name."""
        self.prompts.forget(name)

    def draft(self) -> SavedPrompt | None:
        """The prompt that was being written last, by whichever program wrote it."""
        kept = self.prompts.draft()
        return None if kept is None else _read(kept)

    def keep_draft(self, text: str, wishes: Iterable[Wish], *, negative: str, off: Collection[str]) -> None:
        """Keep the prompt that is being written, for the next run."""
        self._save(DRAFT, text, wishes, negative, off)

    def _save(self, name: str, text: str, wishes: Iterable[Wish], negative: str, off: Collection[str]) -> None:
        loras = tuple(_kept(wish, on=wish.name not in off) for wish in wishes)
        self.prompts.save(Saved(name=name, text=text, negative=negative, loras=loras, saved_at=self.now()))

    def _present(self, text: str, naming: Naming, *, besides: Sequence[Choice]) -> list[Choice]:
        """The LoRAs that the user's own text names, besides those; their weights there stay."""
        known = {name.casefold() for choice in besides for name in choice.names}
        tags = dict.fromkeys(tag.name for tag in lora_tags(strip_comments(text)) if tag.name)
        return [_named(name, naming) for name in tags if name.casefold() not in known]

    def _doubts(self, choices: Sequence[Choice], naming: Naming) -> list[Note]:
        """Names that lead to no file, to one that is gone, or to one of several."""
        # Forge drops every LoRA of a prompt that names a missing one; AUTOMATIC1111 skips it without a word.
        notes = [
            Note(code="unknown_lora", message=naming.unknown(choice.name)) for choice in choices if not choice.found
        ]
        for choice in choices:
            same = naming.of_stem(choice.name) if choice.found and choice.tag else ()
            if len(same) > 1:
                message = f"{len(same)} files are called '{choice.name}': the tag loads {same[-1].path} alone"
                notes.append(Note(code="same_stem", message=message))
            if same and same[-1].missing:
                notes.append(Note(code="missing_file", message=f"the file of '{choice.name}' is gone: {same[-1].path}"))
        return notes


def _named(name: str, naming: Naming) -> Choice:
    """The LoRA that a tag of the user's own names."""
    lora = naming.loaded(name)
    if lora is None:
        return Choice(name=name, found=False)
    called = None if lora.name.casefold() == name.casefold() else name
    return Choice(name=lora.name, called=called, groups=lora.inserted_words, negative=lora.negative)


def _called(choice: Choice, names: Names) -> Choice:
    """The choice with the second name by which tags load its file, if they do."""
    file = names.by_stem.get(choice.name)
    if file is None or file.called == choice.name or not choice.tag or names.loaded(file.called) != file:
        return choice
    return replace(choice, called=file.called)


def with_groups(lora: Installed, wish: Wish) -> Installed:
    """The LoRA with exactly the groups or words asked for switched on; as it is if none is asked for.

    Raises:
        UsageError: a group the LoRA does not have.
    """
    if wish.words is not None:
        return replace(lora, groups=tuple(_with_words(group, wish.words) for group in lora.groups))
    known = {group.index for group in lora.groups}
    if unknown := set(wish.groups) - known:
        has = ", ".join(map(str, sorted(known))) or "none"
        raise UsageError(f"{lora.name} has no trigger group {min(unknown)}", hint=f"its groups: {has}")
    wanted = known if wish.every else set(wish.groups)
    if not wanted:
        return lora
    return replace(lora, groups=tuple(replace(group, enabled=group.index in wanted) for group in lora.groups))


def _with_words(group: TriggerGroup, chosen: Collection[tuple[int, str]]) -> TriggerGroup:
    words = tuple(replace(word, enabled=(group.index, word.text) in chosen) for word in group.words)
    return replace(group, words=words, enabled=any(word.enabled for word in words))


def _read(saved: Saved) -> SavedPrompt:
    return SavedPrompt(
        name=saved.name,
        text=saved.text,
        negative=saved.negative,
        wishes=tuple(_recalled(lora) for lora in saved.loras),
        off=frozenset(lora["name"] for lora in saved.loras if not lora["on"]),
        saved_at=saved.saved_at,
    )


def _kept(wish: Wish, *, on: bool) -> Mapping[str, Any]:
    """What is kept of a wish: only what JSON and a later hubsync can read."""
    words = None if wish.words is None else [list(word) for word in wish.words]
    kept = {"name": wish.name, "weight": wish.weight, "groups": list(wish.groups), "every": wish.every}
    return {**kept, "words": words, "on": on}


def _recalled(kept: Mapping[str, Any]) -> Wish:
    words = kept["words"]
    return Wish(
        name=kept["name"],
        weight=kept["weight"],
        groups=tuple(kept["groups"]),
        every=kept["every"],
        words=None if words is None else tuple((index, text) for index, text in words),
    )
