"""A prompt in AUTOMATIC1111's grammar, as other tools write it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

from hubsync.prompts.brackets import pairs
from hubsync.prompts.checks import Note
from hubsync.prompts.joints import cut_tag
from hubsync.prompts.places import EMBEDDING, lora_places, visible
from hubsync.prompts.syntax import LoraTag, number
from hubsync.prompts.words import escaped

_ESCAPE = re.compile(r"\\([()\[\]])")
_SQUARE_ESCAPE = re.compile(r"\\([\[\]])")
_KEYWORD = re.compile(r"\b(BREAK|AND)\b")


class Format(StrEnum):
    """Who reads the prompt. ComfyUI and plain prompts hold no tags: there a LoRA is loaded by other means.

    ComfyUI weighs differently: an inner number replaces the outer ones (`((a:1.2))` is 1.2, not 1.32), and `[a]`,
    `[a:b:0.5]`, BREAK and AND are text to it. SwarmUI counts the model's weight first, AUTOMATIC1111 the text
    encoder's.
    """

    A1111 = "a1111"
    COMFYUI = "comfyui"
    SWARMUI = "swarmui"
    PLAIN = "plain"


def written(text: str, form: Format) -> str:
    """The prompt for that reader."""
    if form is Format.A1111:
        return text
    for place in reversed(lora_places(text)):
        if form is Format.SWARMUI:
            text = text[: place.start] + _swarm_tag(place.tag) + text[place.end :]
        else:
            text = cut_tag(text, place.start, place.end)
    if form is Format.COMFYUI:
        # ComfyUI weighs by round brackets only: a backslash before a square one would be read as text.
        return _SQUARE_ESCAPE.sub(r"\1", text)
    return _ESCAPE.sub(r"\1", text) if form is Format.PLAIN else text


def word_for(word: str, form: Format, *, embedding: bool = False) -> str:
    """A trigger word as that reader has to find it; an embedding's word is its file stem."""
    called = f"{EMBEDDING}{word}" if form is Format.COMFYUI and embedding else word
    return escaped(called, kinds="(" if form is Format.COMFYUI else "([")


def with_embeddings(text: str, stems: Iterable[str], form: Format) -> str:
    """The prompt with the embeddings it calls by their stems called as ComfyUI wants it; others take them as words."""
    if form is not Format.COMFYUI:
        return text
    for stem in sorted(stems, key=len, reverse=True):
        if stem.casefold() in text.casefold():
            text = _called(text, stem)
    return text


def _called(text: str, stem: str) -> str:
    alone = re.compile(rf"(?<![\w:.-]){re.escape(stem)}(?![\w.-])", re.IGNORECASE)
    return alone.sub(lambda _: f"{EMBEDDING}{stem}", text)


def format_notes(text: str, form: Format) -> Iterator[Note]:
    """What of a prompt in AUTOMATIC1111's grammar its reader does not know."""
    if form is not Format.COMFYUI:
        return
    seen = visible(text)
    marks = dict.fromkeys(_KEYWORD.findall(seen))
    if any(seen[at] == "[" for at in pairs(seen)):
        marks["[ ]"] = None
    if marks:
        yield Note(code="comfyui_syntax", message=f"ComfyUI reads {', '.join(marks)} as plain text")


def _swarm_tag(tag: LoraTag) -> str:
    """SwarmUI counts the model first, then the text encoder."""
    if tag.fault:
        return f"<lora:{tag.name}>"
    weights = [tag.unet] if tag.te == tag.unet else [tag.unet, tag.te]
    return f"<lora:{':'.join([tag.name, *map(number, weights)])}>"
