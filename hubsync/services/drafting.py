"""A prompt while it is written: composed at every keystroke, whatever became of the LoRAs in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from hubsync.domain import Installed, LoraType
from hubsync.errors import Ambiguous, NotFound
from hubsync.prompts import compose as composing
from hubsync.prompts.chunks import chunks
from hubsync.prompts.compose import Choice, Composed, Format, Note
from hubsync.prompts.syntax import LoraTag, lora_tags, strip_comments
from hubsync.services.naming import Naming
from hubsync.services.triggers import TriggerService, Wish, with_groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A LoRA in a prompt: one of the list beside the text, or one whose tag stands in the text alone.

    `lora` is None where it is not installed. `usual` is the weight it gets where the wish has none. `on` is false where
    it is switched off. `tag` is its tag in the user's own text.
    """

    wish: Wish
    lora: Installed | None
    usual: float
    on: bool = True
    listed: bool = True
    tag: LoraTag | None = None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.wish.name if self.lora is None else self.lora.name

    @property
    def weight(self) -> float:
        """The weight in effect."""
        return self.usual if self.wish.weight is None else self.wish.weight

    @property
    def tagged(self) -> bool:
        """Whether a tag loads it; an embedding is called by its name alone."""
        return self.lora is None or self.lora.type is not LoraType.EMBEDDING

    @property
    def chosen(self) -> Installed | None:
        """The LoRA with the groups and words that are wanted here."""
        return self.lora and with_groups(self.lora, self.wish)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """What a draft comes to; `chunks` are tokens, about, as `prompts.chunks` counts them."""

    composed: Composed
    parts: tuple[Part, ...]
    chunks: tuple[int, ...]
    negative_chunks: tuple[int, ...]


class Drafter:
    """Composes one draft again and again. The library's names are read once, until `renew`: of 50,000 that takes 0.6 s.

    `triggers` gives the service as the settings of the moment have it.
    """

    def __init__(self, triggers: Callable[[], TriggerService]) -> None:
        self._triggers = triggers
        self._naming: Naming | None = None

    def renew(self) -> None:
        """The library may have changed."""
        self._naming = None

    def draft(
        self,
        text: str,
        wishes: Sequence[Wish],
        *,
        negative: str = "",
        off: Collection[str] = (),
        form: Format = Format.A1111,
    ) -> Drafted:
        """The prompt with every LoRA that is switched on. One that is not installed is a warning, and left out."""
        triggers, naming = self._triggers(), self._names()
        parts = self._with_tags(text, [self._part(wish, on=wish.name not in off) for wish in wishes])
        active = [part for part in parts if part.listed and part.on]
        composed = triggers.compose(
            text,
            [_meant(part, part.lora) for part in active if part.lora],
            negative=negative,
            format=form,
            naming=naming,
        )
        gone = [Note(code="unknown_lora", message=naming.unknown(one.name)) for one in active if not one.lora]
        return Drafted(
            composed=replace(composed, warnings=(*gone, *composed.warnings)),
            parts=tuple(parts),
            chunks=chunks(composed.prompt),
            negative_chunks=chunks(composed.negative_prompt),
        )

    def without(self, text: str, part: Part, *, negative: str = "") -> tuple[str, str]:
        """The user's text and negative text without a LoRA's tag and exactly its words."""
        if part.lora is None:
            gone = composing.remove(text, Choice(name=part.name), negative=negative)
        else:
            gone = self._triggers().remove(text, str(part.lora.path), negative=negative)
        return gone.prompt, gone.negative_prompt

    def _names(self) -> Naming:
        if self._naming is None:
            self._naming = Naming.of(self._triggers().library)
        return self._naming

    def _part(self, wish: Wish, *, on: bool) -> Part:
        triggers = self._triggers()
        lora: Installed | None
        try:
            lora = triggers.library.find(wish.name)
        except Ambiguous:
            # Of several files of one name a tag loads one, whichever is meant; the note on that comes from `compose`.
            lora = self._names().loaded(wish.name)
        except NotFound:
            lora = None
        known = {group.index for group in lora.groups} if lora else set(wish.groups)
        wish = replace(wish, groups=tuple(index for index in wish.groups if index in known))
        weight = lora.weight if lora else None
        return Part(wish=wish, lora=lora, usual=triggers.defaults.default_weight if weight is None else weight, on=on)

    def _with_tags(self, text: str, listed: Sequence[Part]) -> list[Part]:
        """Those of the list, then those that the text alone names; each with its tag there."""
        parts = [*listed]
        for tag in lora_tags(strip_comments(text)):
            lora = self._names().loaded(tag.name)
            name = (lora.name if lora else tag.name).casefold()
            at = next((at for at, part in enumerate(parts) if part.name.casefold() == name), None)
            if at is None and tag.name:
                wish = Wish(name=tag.name, weight=tag.unet)
                parts.append(Part(wish=wish, lora=lora, usual=tag.unet, listed=False, tag=tag))
            elif at is not None and parts[at].tag is None:
                parts[at] = replace(parts[at], tag=tag, usual=tag.unet)
        return parts


def _meant(part: Part, lora: Installed) -> Wish:
    """The wish for exactly that file; a tag in the text keeps its weight where the wish has none."""
    return replace(part.wish, name=str(lora.path), weight=part.weight if part.tag else part.wish.weight)


def weighed(text: str, part: Part, weight: float) -> str:
    """The user's text with another weight in the LoRA's tag; a text encoder's weight of its own stays."""
    if part.tag is None:
        return text
    te = None if part.tag.te == part.tag.unet else part.tag.te
    choice = Choice(name=part.tag.name, weight=weight, te_weight=te)
    return composing.compose(text, [choice], with_words=False).prompt
