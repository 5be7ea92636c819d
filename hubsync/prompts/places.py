"""Where tags and whole words stand in a prompt. What a comment hides is not there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain

from hubsync.prompts.brackets import pairs, raw_brackets
from hubsync.prompts.syntax import COMMAS, LORA_NETWORKS, TAG, LoraTag, lora_tag, network, tags_in
from hubsync.prompts.words import core, escaped, key, plain, trimmed

EMBEDDING = "embedding:"
"""What ComfyUI wants before the file stem of an embedding."""

_COMMENT = re.compile(r"#[^\n]*")
_UNCLOSED = re.compile(r"<\w+:[^>]*\Z")
_MARK = re.compile(rf"[{COMMAS}\n|]|\b(?:BREAK|AND)\b")
_BETWEEN_WORDS = re.compile(rf"{TAG.pattern}|{_MARK.pattern}")


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
        for match in tags_in(visible(text))
        if match.group(1) in LORA_NETWORKS
    ]


def places_of(text: str, names: Collection[str]) -> list[TagPlace]:
    """The tags of one LoRA. Names that differ in case alone are one name, as they are in the library."""
    wanted = {name.casefold() for name in names}
    return [place for place in lora_places(text) if place.tag.name.casefold() in wanted]


def unclosed(text: str) -> str | None:
    """The beginning of a tag that would swallow whatever is put behind the text."""
    seen = visible(text)
    match = _UNCLOSED.search(seen, seen.rfind(">") + 1)
    return match.group() if match else None


def body_end(text: str) -> int:
    """Where the text ends that stands before the tags at its end; its whole length without such tags."""
    end = len(text)
    for match in reversed([*tags_in(visible(text))]):
        if text[match.end() : end].strip():
            break
        end = len(text[: match.start()].rstrip())
    return end


def find_word(text: str, word: str) -> tuple[int, int] | None:
    """Where a word first stands as a whole in a prompt, in any spelling `words.same` knows; None where it does not.

    The place includes brackets and weight around the word, unless they hold other words too.
    """
    keys = {key(word), key(escaped(word))}
    for start, end in _runs(text, word):
        if key(text[start:end]) in keys:
            lo, hi = _place(text[start:end])
            return start + lo, start + hi
    return None


def find_put(text: str, word: str) -> tuple[int, int] | None:
    """Where a word first stands in a prompt as it is put in, not weighed anew; None where it does not."""
    keys = {plain(one) for called in (word, f"{EMBEDDING}{word}") for one in (called, escaped(called))}
    for start, end in _runs(text, word):
        if plain(text[start:end]) in keys:
            return trimmed(text, start, end)
    return None


def _runs(text: str, word: str) -> Iterator[tuple[int, int]]:
    """Places of as many neighbouring words as `word` is made of (`(x, y)` is made of two), where its letters stand."""
    spans = [*_spans(text)]
    count = sum(1 for _ in _spans(word))
    letters = _letters(key(word))
    for (start, _), (_, end) in zip(spans, spans[count - 1 :], strict=False):
        # Letters first: 89 words against a prompt of 100 take 0.2 s instead of 0.9 s.
        if letters in _letters(text[start:end]):
            yield start, end


def _spans(text: str) -> Iterator[tuple[int, int]]:
    seen = visible(text)
    last = seen.rfind(">") + 1
    start = 0
    for match in chain(_BETWEEN_WORDS.finditer(seen, 0, last), _MARK.finditer(seen, last)):
        yield start, match.start()
        start = match.end()
    yield start, len(text)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _place(text: str) -> tuple[int, int]:
    pair = pairs(text)
    if {*raw_brackets(text)} - {*pair, *pair.values()}:
        return core(text)
    return trimmed(text, 0, len(text))
