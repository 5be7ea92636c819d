"""What would surprise the writer of a prompt: tags that do nothing, or more than they seem to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from hubsync.prompts.brackets import pairs
from hubsync.prompts.places import TagPlace, lora_places, unclosed
from hubsync.prompts.syntax import LORA_NETWORKS, TAG

_FAULTS = {"no_name": "a tag has no name", "bad_weight": "the tag of '{name}' has a weight that is not a number"}
_UNSAFE_IN_NAME = re.compile(r"[<>:=#\n]")
_KEYWORD = re.compile(r"\b(?:BREAK|AND)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A warning. `code` is stable, `message` names the culprit."""

    code: str
    message: str


def unsafe_name(name: str) -> bool:
    """Whether a tag cannot hold the name: it would call another LoRA, or none, or hide what follows."""
    return not name or _UNSAFE_IN_NAME.search(name) is not None


def name_notes(name: str) -> Iterator[Note]:
    """Why a LoRA is left out of a prompt."""
    if unsafe_name(name):
        yield Note(code="unsafe_name", message=f"'{name}' is left out: a tag holds none of < > : = # in a name")


def unsafe_word(word: str) -> bool:
    """Whether a trigger word would hide or swallow what stands behind it."""
    return "#" in word or unclosed(word) is not None


def word_notes(word: str) -> Iterator[Note]:
    """What a trigger word does to a prompt besides being in it."""
    if unsafe_word(word):
        yield Note(code="unsafe_word", message=f"'{word}' is left out: # begins a comment, < a tag that is not closed")
    elif match := _KEYWORD.search(word):
        yield Note(code="keyword_in_word", message=f"'{word}' holds {match.group()}, which parts the prompt there")


def prompt_notes(prompt: str, negative: str = "") -> tuple[Note, ...]:
    """Everything worth saying about a finished prompt."""
    places = lora_places(prompt)
    return (
        *_faults(places),
        *_doubles(places),
        *_scheduled(prompt, places),
        *_ignored(prompt, places),
        *_in_negative(negative),
    )


def _faults(places: list[TagPlace]) -> Iterator[Note]:
    for place in places:
        if place.tag.fault:
            cause = _FAULTS[place.tag.fault].format(name=place.tag.name)
            yield Note(code=place.tag.fault, message=f"AUTOMATIC1111 applies no LoRA of this prompt: {cause}")


def _doubles(places: list[TagPlace]) -> Iterator[Note]:
    for name, count in Counter(place.tag.name for place in places).items():
        if count > 1:
            yield Note(code="duplicate_tag", message=f"the prompt holds {count} tags of '{name}', which add up")


def _scheduled(prompt: str, places: list[TagPlace]) -> Iterator[Note]:
    groups = [(lo, hi) for lo, hi in pairs(prompt).items() if prompt[lo] == "["]
    for place in places:
        if any(lo < place.start and place.end <= hi for lo, hi in groups):
            message = f"'{place.tag.name}' is on in every step: brackets around a tag do not switch it"
            yield Note(code="tag_in_schedule", message=message)


def _ignored(prompt: str, places: list[TagPlace]) -> Iterator[Note]:
    seen = {place.start for place in places}
    for match in TAG.finditer(prompt):
        kind = match.group(1)
        if kind.lower() in LORA_NETWORKS and kind not in LORA_NETWORKS:
            yield Note(code="unknown_tag", message=f"{match.group()} does nothing: write {kind.lower()}")
        elif kind in LORA_NETWORKS and match.start() not in seen:
            yield Note(code="comment", message=f"{match.group()} does nothing: # hides it as a comment")
    if rest := unclosed(prompt):
        yield Note(code="unclosed_tag", message=f"{rest.rstrip(',')} is not closed by >")


def _in_negative(negative: str) -> Iterator[Note]:
    for place in lora_places(negative):
        message = f"the tag of '{place.tag.name}' does nothing in a negative prompt"
        yield Note(code="tag_in_negative", message=message)
