"""Where tags and whole words stand in a prompt. What a comment hides is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hubsync.prompts.brackets import pairs, raw_brackets
from hubsync.prompts.syntax import COMMAS, LORA_NETWORKS, TAG, LoraTag, lora_tag, network
from hubsync.prompts.words import core, escaped, key

_COMMENT = re.compile(r"#[^\n]*")
_UNCLOSED = re.compile(r"<\w+:[^>]*\Z")
_BETWEEN_WORDS = re.compile(rf"{TAG.pattern}|[{COMMAS}\n|]|\b(?:BREAK|AND)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class TagPlace:
    """A LoRA's tag and where it stands."""

    start: int
    end: int
    tag: LoraTag


def visible(text: str) -> str:
    """The text with comments overwritten by commas, so that places stay."""
    return _COMMENT.sub(lambda comment: "," * len(comment.group()), text)


def lora_places(text: str) -> list[TagPlace]:
    """The LoRA tags of a prompt, in order."""
    return [
        TagPlace(start=match.start(), end=match.end(), tag=lora_tag(network(match)))
        for match in TAG.finditer(visible(text))
        if match.group(1) in LORA_NETWORKS
    ]


def places_of(text: str, name: str) -> list[TagPlace]:
    """The tags of one LoRA. Names that differ in case alone are one name, as they are in the library."""
    return [place for place in lora_places(text) if place.tag.name.casefold() == name.casefold()]


def unclosed(text: str) -> str | None:
    """The beginning of a tag that would swallow whatever is put behind the text."""
    match = _UNCLOSED.search(visible(text))
    return match.group() if match else None


def body_end(text: str) -> int:
    """Where the text ends that stands before the tags at its end; its whole length without such tags."""
    end = len(text)
    for match in reversed([*TAG.finditer(visible(text))]):
        if text[match.end() : end].strip():
            break
        end = len(text[: match.start()].rstrip())
    return end


def find_word(text: str, word: str) -> tuple[int, int] | None:
    """Where a word first stands as a whole in a prompt, in any spelling `words.same` knows; None where it does not.

    The place includes brackets and weight around the word, unless they hold other words too.
    """
    keys = {key(word), key(escaped(word))}
    spans = [*_spans(text)]
    count = sum(1 for _ in _spans(word))
    letters = _letters(key(word))
    for (start, _), (_, end) in zip(spans, spans[count - 1 :], strict=False):
        # Letters first: 89 words against a prompt of 100 take 0.2 s instead of 0.9 s.
        if letters in _letters(text[start:end]) and key(text[start:end]) in keys:
            lo, hi = _place(text[start:end])
            return start + lo, start + hi
    return None


def _spans(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _BETWEEN_WORDS.finditer(visible(text)):
        yield start, match.start()
        start = match.end()
    yield start, len(text)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _place(text: str) -> tuple[int, int]:
    pair = pairs(text)
    if {*raw_brackets(text)} - {*pair, *pair.values()}:
        return core(text)
    return len(text) - len(text.lstrip()), len(text.rstrip())
