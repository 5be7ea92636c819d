"""A prompt in AUTOMATIC1111's grammar, as other tools write it."""

from __future__ import annotations

import re
from enum import StrEnum

from hubsync.prompts.joints import cut_tag
from hubsync.prompts.places import lora_places
from hubsync.prompts.syntax import LoraTag, number
from hubsync.prompts.words import escaped

_ESCAPE = re.compile(r"\\([()\[\]])")
_SQUARE_ESCAPE = re.compile(r"\\([\[\]])")


class Format(StrEnum):
    """Who reads the prompt. ComfyUI and plain prompts hold no tags: there a LoRA is loaded by other means."""

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
    called = f"embedding:{word}" if form is Format.COMFYUI and embedding else word
    return escaped(called, kinds="(" if form is Format.COMFYUI else "([")


def _swarm_tag(tag: LoraTag) -> str:
    """SwarmUI counts the model first, then the text encoder."""
    if tag.fault:
        return f"<lora:{tag.name}>"
    weights = [tag.unet] if tag.te == tag.unet else [tag.unet, tag.te]
    return f"<lora:{':'.join([tag.name, *map(number, weights)])}>"
