"""What would surprise the writer of a prompt: tags that do nothing, or more than they seem to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from hubsync.errors import UsageError
from hubsync.prompts.brackets import pairs
from hubsync.prompts.places import TagPlace, lora_places, unclosed
from hubsync.prompts.syntax import LORA_NETWORKS, attention, extra_networks, strip_comments, tags_in
from hubsync.prompts.tokens import CHUNK, LONGEST, crowded

_FAULTS = {"no_name": "a tag has no name", "bad_weight": "the tag of '{name}' has a weight that is not a number"}
_UNSAFE_IN_NAME = re.compile(r"[<>:=#\n]")
_REST_OF_TAG = re.compile(r"[^\s,<>:]*:[-+.\d]+>")
_SHOWN = 40
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
    """Everything worth saying about a finished prompt; once, where one culprit stands in it several times."""
    places = lora_places(prompt)
    read = extra_networks(strip_comments(prompt))[0]
    found = (
        *_faults(places),
        *_doubles(places),
        *_scheduled(prompt, places),
        *_ignored(prompt, places),
        *_cut_names(prompt, places),
        *_in_negative(negative),
        *_unreadable(read),
        *_crowded(read),
    )
    return tuple(dict.fromkeys(found))


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
    """Tags that are none: of an unknown type, behind a comment, with one inside, without an end."""
    seen = {place.start for place in places}
    split = None
    for match in tags_in(prompt):
        kind, shown = match.group(1), shortened(match.group())
        if kind.lower() in LORA_NETWORKS and kind not in LORA_NETWORKS:
            yield Note(code="unknown_tag", message=f"{shown} does nothing: write {kind.lower()}")
        elif kind in LORA_NETWORKS and match.start() not in seen:
            split = match.group() if _comment_inside(prompt, match) else None
            reason = "# begins a comment, so no name in a tag can hold it" if split else "# hides it as a comment"
            yield Note(code="unsafe_name" if split else "comment", message=f"{shown} does nothing: {reason}")
    rest = unclosed(prompt)
    if rest and not (split and split.startswith(rest.rstrip(","))):
        yield Note(code="unclosed_tag", message=f"{shortened(rest.rstrip(','))} is not closed by >")


def _comment_inside(prompt: str, match: re.Match[str]) -> bool:
    line = prompt.rfind("\n", 0, match.start()) + 1
    return "#" not in prompt[line : match.start()] and "#" in match.group()


def _cut_names(prompt: str, places: list[TagPlace]) -> Iterator[Note]:
    """Names that a tag reads as something else: `=` makes an argument of them, `>` ends the tag."""
    for place in places:
        whole = prompt[place.start : place.end]
        first = whole[whole.index(":") + 1 : -1].split(":")[0]
        if first.count("=") == 1 and not place.tag.fault:
            message = f"{shortened(whole)} loads '{place.tag.name}': = in a name makes it an argument"
            yield Note(code="unsafe_name", message=message)
        elif rest := _REST_OF_TAG.match(prompt, place.end):
            message = f"{shortened(whole + rest.group())} loads '{place.tag.name}': > ends a tag, also in a name"
            yield Note(code="unsafe_name", message=message)


def _in_negative(negative: str) -> Iterator[Note]:
    for place in lora_places(negative):
        message = f"the tag of '{place.tag.name}' does nothing in a negative prompt"
        yield Note(code="tag_in_negative", message=message)


def _unreadable(text: str) -> Iterator[Note]:
    """A weight that is no number stops AUTOMATIC1111, as the dots in `(hm:...)` do."""
    if len(text) <= LONGEST:
        try:
            attention(text)
        except UsageError as error:
            yield Note(code="bad_attention", message=f"AUTOMATIC1111 stops with an error: {error}")


def _crowded(text: str) -> Iterator[Note]:
    for chunk, count in crowded(text):
        message = f"about {count} tokens stand in the part that begins '{shortened(chunk)}': AUTOMATIC1111 cuts it"
        yield Note(code="long_chunk", message=f"{message} after {CHUNK}")


def shortened(text: str) -> str:
    """The beginning of a text that is quoted, on one line."""
    line = " ".join(text[:_SHOWN].split())
    return f"{line}\u2026" if len(text) > _SHOWN else line
