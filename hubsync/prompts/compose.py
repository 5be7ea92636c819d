"""Prompts with LoRAs: tags and trigger words put into a user's text, and exactly those taken out again.

`remove` undoes `compose` to the last space, given the words that were put in and a text that held no tag of the LoRA.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from hubsync.domain import DEFAULT_WEIGHT, TriggerWords
from hubsync.prompts import edits
from hubsync.prompts.checks import Note, name_notes, prompt_notes, unsafe_name, unsafe_word, word_notes
from hubsync.prompts.edits import Placement
from hubsync.prompts.formats import Format, format_notes, word_for, written
from hubsync.prompts.mixing import library_notes
from hubsync.prompts.places import TagPlace, find_word, lora_places, places_of
from hubsync.prompts.resolution import Names
from hubsync.prompts.syntax import number, tag
from hubsync.prompts.words import pieces, split

__all__ = ["Change", "Choice", "Composed", "Format", "Note", "Placed", "Placement", "compose", "remove", "to_load"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A LoRA wanted in a prompt, with the words to use. No `weight` asked: a tag already there keeps its own.

    `weight` is the UNet's and, unless `te_weight` says otherwise, the text encoder's. An embedding has no tag.
    `called` is a second name by which tags load it. `found` is false where the library does not hold it; `usual` tells
    that the weight is the default one.
    """

    name: str
    called: str | None = None
    weight: float | None = None
    te_weight: float | None = None
    groups: TriggerWords = ()
    negative: str | None = None
    found: bool = True
    tag: bool = True
    usual: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """What a tag of it may hold."""
        return (self.name,) if self.called is None else (self.name, self.called)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A LoRA the finished prompt loads; `weight` is the UNet's."""

    name: str
    weight: float
    te_weight: float
    unet_weight: float
    found: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A trigger word put in or taken out, spelled as it stands in the prompt, and whose it is."""

    lora: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A finished prompt, what it loads and what changed. Words only are listed as changes, not tags.

    `warnings` name what may be wrong, `remarks` what the user may want to know.
    """

    prompt: str
    negative_prompt: str = ""
    loras: tuple[Placed, ...] = ()
    inserted: tuple[Change, ...] = ()
    removed: tuple[Change, ...] = ()
    warnings: tuple[Note, ...] = ()
    remarks: tuple[str, ...] = ()


def compose(
    text: str,
    choices: Sequence[Choice],
    *,
    negative: str = "",
    placement: Placement = Placement.END,
    format: Format = Format.A1111,  # noqa: A002
    with_words: bool = True,
    names: Names | None = None,
) -> Composed:
    """The text with each LoRA's tag and the words it lacks; negative texts go into the negative prompt.

    A word already there as a whole, in any spelling, is not repeated; a tag already there gets the weight asked for.
    `names` of the library tell what its tags load.
    """
    notes = [note for choice in choices if choice.tag for note in name_notes(choice.name)]
    choices = [choice for choice in choices if not (choice.tag and unsafe_name(choice.name))]
    changes: list[Change] = []
    if with_words:
        notes += [note for choice in choices for word in _words(choice.groups) for note in word_notes(word)]
        changes = _missing(text, choices, format)
        negative = _with_negatives(negative, choices, format)
    text = edits.with_words(text, [change.text for change in changes], placement)
    for choice in choices:
        text = _with_tag(text, choice) if choice.tag else text
    notes += [
        *prompt_notes(text, negative),
        *(library_notes(text, names) if names else ()),
        *format_notes(text, format),
    ]
    return Composed(
        prompt=written(text, format),
        negative_prompt=written(negative, format),
        loras=_placed(text, missing={choice.name.casefold() for choice in choices if not choice.found}),
        inserted=tuple(replace(change, text=written(change.text, format)) for change in changes),
        warnings=tuple(dict.fromkeys(notes)),
    )


def to_load(loras: Sequence[Placed], format: Format) -> tuple[str, ...]:  # noqa: A002
    """What a reader without tags has to be told: the LoRAs to load beside the prompt, and how strongly."""
    found = [lora for lora in loras if lora.found]
    if not found or format not in {Format.COMFYUI, Format.PLAIN}:
        return ()
    place = "in LoraLoader" if format is Format.COMFYUI else "beside the prompt"
    return (f"to be loaded {place}: {', '.join(map(_strength, found))}",)


def _strength(lora: Placed) -> str:
    apart = "" if lora.te_weight == lora.unet_weight else f" (clip {number(lora.te_weight)})"
    return f"{lora.name} {number(lora.unet_weight)}{apart}"


def remove(text: str, gone: Choice, *, keep: Sequence[Choice] = (), negative: str = "") -> Composed:
    """The text without a LoRA's tags, whatever their weights, and without its words as they were put in.

    Words that the user has added to or weighed anew stay, and so do those of the LoRAs in `keep`.
    """
    # Words first: beside a tag they stand alone, as an AUTOMATIC1111 card writes them.
    kept = [word for other in keep for word in _words(other.groups)]
    changed, removed = edits.without_words(text, _words(gone.groups), kept=kept)
    changed = edits.without_tags(changed, gone.names)
    changed_negative, _ = edits.without_words(
        negative,
        split(gone.negative or ""),
        kept=[word for other in keep for word in split(other.negative or "")],
    )
    nothing = (changed, changed_negative) == (text, negative)
    absent = Note(code="not_in_prompt", message=f"the prompt holds nothing of '{gone.name}'")
    return Composed(
        prompt=changed,
        negative_prompt=changed_negative,
        loras=_placed(changed),
        removed=tuple(Change(lora=gone.name, text=word) for word in removed),
        warnings=(absent,) if nothing else (),
    )


def _words(groups: TriggerWords) -> list[str]:
    return [piece for group in groups for word in group for piece in pieces(word)]


def _missing(text: str, choices: Sequence[Choice], form: Format) -> list[Change]:
    """The words the text lacks, as they have to be spelled."""
    changes: list[Change] = []
    for choice in choices:
        for word in _words(choice.groups):
            spelled = word_for(word, form, embedding=not choice.tag)
            there = (text, ", ".join(change.text for change in changes))
            if not unsafe_word(word) and not any(find_word(one, way) for one in there for way in (word, spelled)):
                changes.append(Change(lora=choice.name, text=spelled))
    return changes


def _with_negatives(negative: str, choices: Sequence[Choice], form: Format) -> str:
    for word in (word for choice in choices for word in split(choice.negative or "")):
        if not find_word(negative, word):
            negative = edits.with_words(negative, [word_for(word, form)], Placement.END)
    return negative


def _with_tag(text: str, choice: Choice) -> str:
    """The text with the LoRA's tag: a new one, or the one already there with the weights asked for."""
    there = next(iter(places_of(text, choice.names)), None)
    if there is None:
        weight = DEFAULT_WEIGHT if choice.weight is None else choice.weight
        return edits.with_tag(text, tag(choice.name, weight, te=choice.te_weight))
    return text[: there.start] + _adjusted(text, there, choice) + text[there.end :]


def _adjusted(text: str, there: TagPlace, choice: Choice) -> str:
    """A tag with its LoRA's own name and the weights asked for; as it stands where that changes nothing."""
    old = there.tag
    unet = old.unet if choice.weight is None else choice.weight
    te = old.te if choice.weight is None else choice.te_weight if choice.te_weight is not None else unet
    known = choice.name if choice.weight is not None or old.name.casefold() == choice.name.casefold() else old.name
    untouchable = old.fault and choice.weight is None
    if untouchable or (old.name, old.te, old.unet, old.fault) == (known, te, unet, None):
        return text[there.start : there.end]
    return tag(known, unet, te=te)


def _placed(text: str, *, missing: Collection[str] = ()) -> tuple[Placed, ...]:
    return tuple(
        Placed(
            name=one.name,
            weight=one.unet,
            te_weight=one.te,
            unet_weight=one.unet,
            found=one.name.casefold() not in missing,
        )
        for one in (place.tag for place in lora_places(text))
    )
