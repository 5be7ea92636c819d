"""Prompts with LoRAs: tags and trigger words put into a user's text, and exactly those taken out again.

`remove` undoes `compose` to the last space, given the words that were put in and a text that held no tag of the LoRA.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hubsync.domain import DEFAULT_WEIGHT, TriggerWords
from hubsync.prompts import joints
from hubsync.prompts.checks import Note, prompt_notes, unsafe_name, unsafe_word, word_notes
from hubsync.prompts.formats import Format, word_for, written
from hubsync.prompts.places import body_end, find_word, lora_places, unclosed
from hubsync.prompts.syntax import LoraTag, tag
from hubsync.prompts.words import key, split

__all__ = ["Change", "Choice", "Composed", "Format", "Note", "Placed", "Placement", "compose", "remove"]


class Placement(StrEnum):
    """Where words go: before or behind the user's text. Tags always come last."""

    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A LoRA wanted in a prompt, with the words to use. No `weight` asked: a tag already there keeps its own.

    `weight` is the UNet's and, unless `te_weight` says otherwise, the text encoder's. An embedding has no tag.
    `found` says whether the library holds it.
    """

    name: str
    weight: float | None = None
    te_weight: float | None = None
    groups: TriggerWords = ()
    negative: str | None = None
    found: bool = True
    tag: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A LoRA the finished prompt loads; `weight` is the UNet's."""

    name: str
    weight: float
    te_weight: float
    unet_weight: float
    found: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A trigger word put in or taken out, spelled as it stands in the prompt, and whose it is."""

    lora: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A finished prompt, what it loads and what changed. Words only are listed as changes, not tags."""

    prompt: str
    negative_prompt: str = ""
    loras: tuple[Placed, ...] = ()
    inserted: tuple[Change, ...] = ()
    removed: tuple[Change, ...] = ()
    warnings: tuple[Note, ...] = ()


def compose(
    text: str,
    choices: Sequence[Choice],
    *,
    negative: str = "",
    placement: Placement = Placement.END,
    format: Format = Format.A1111,  # noqa: A002
    with_words: bool = True,
) -> Composed:
    """The text with each LoRA's tag and the words it lacks; negative texts go into the negative prompt.

    A word already there as a whole, in any spelling, is not repeated; a tag already there gets the weight asked for.
    """
    notes = [note for choice in choices if choice.tag and (note := unsafe_name(choice.name))]
    choices = [choice for choice in choices if not (choice.tag and unsafe_name(choice.name))]
    changes = _missing(text, choices, format, notes) if with_words else []
    for choice in choices if with_words else ():
        for word in split(choice.negative or ""):
            if not find_word(negative, word):
                negative = joints.add_word(negative, word_for(word, format))
    text = _with_tags(_with_words(text, [change.text for change in changes], placement), choices)
    return Composed(
        prompt=written(text, format),
        negative_prompt=negative,
        loras=_placed(text, {choice.name.casefold(): choice.found for choice in choices}),
        inserted=tuple(replace(change, text=written(change.text, format)) for change in changes),
        warnings=(*notes, *prompt_notes(text, negative)),
    )


def remove(
    text: str,
    name: str,
    words: TriggerWords,
    *,
    keep: Sequence[TriggerWords] = (),
    negative: str = "",
    negative_words: str | None = None,
    keep_negative: Sequence[str] = (),
) -> Composed:
    """The text without a LoRA's tags, whatever their weights, and without its words that stand there as a whole.

    `keep` and `keep_negative` are the words and negative texts of the other LoRAs in the prompt: those stay.
    """
    places = [place for place in lora_places(text) if place.tag.name.casefold() == name.casefold()]
    for place in reversed(places):
        text = joints.cut_tag(text, place.start, place.end)
    text, removed = _cut_words(text, _words(words), kept=[word for groups in keep for word in _words(groups)])
    kept = [word for other in keep_negative for word in split(other)]
    negative, unwanted = _cut_words(negative, split(negative_words or ""), kept=kept)
    absent = Note(code="not_in_prompt", message=f"the prompt holds nothing of '{name}'")
    return Composed(
        prompt=text,
        negative_prompt=negative,
        loras=_placed(text, {}),
        removed=tuple(Change(lora=name, text=word) for word in removed),
        warnings=() if places or removed or unwanted else (absent,),
    )


def _words(groups: TriggerWords) -> list[str]:
    return [piece for group in groups for word in group for piece in pieces(word)]


def _missing(text: str, choices: Sequence[Choice], form: Format, notes: list[Note]) -> list[Change]:
    """The words the text lacks, as they have to be spelled; `notes` gets what is to be said about them."""
    changes: list[Change] = []
    for choice in choices:
        for word in _words(choice.groups):
            spelled = word_for(word, form, embedding=not choice.tag)
            there = (text, ", ".join(change.text for change in changes))
            if any(find_word(place, spelling) for place in there for spelling in (word, spelled)):
                continue
            notes += word_notes(word)
            if not unsafe_word(word):
                changes.append(Change(lora=choice.name, text=spelled))
    return changes


def _with_words(text: str, words: Sequence[str], placement: Placement) -> str:
    """The text and its words; words that go last stand before the tags at the text's end."""
    end = body_end(text)
    first = placement is Placement.START or unclosed(text) or (end < len(text) and not text[:end].strip())
    if first:
        for word in reversed(words):
            text = joints.add_word_first(text, word)
        return text
    body, tags = text[:end], text[end:]
    for word in words:
        body = joints.add_word(body, word)
    return body + tags


def _with_tags(text: str, choices: Iterable[Choice]) -> str:
    """The text with a tag of each LoRA. Nothing can stand behind a tag left open: there tags go first."""
    new: list[str] = []
    for choice in choices:
        found = [place for place in lora_places(text) if place.tag.name.casefold() == choice.name.casefold()]
        if found:
            text = text[: found[0].start] + _retagged(text[found[0].start : found[0].end], found[0].tag, choice) + text[found[0].end :]
        elif choice.tag:
            new.append(tag(choice.name, _default(choice.weight), te=choice.te_weight))
    ...


