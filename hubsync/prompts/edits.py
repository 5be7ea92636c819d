"""Words and tags put into a prompt and taken out of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum

from hubsync.prompts import joints
from hubsync.prompts.places import body_end, find_put, places_of, unclosed, visible
from hubsync.prompts.syntax import ends_weighted
from hubsync.prompts.words import key


class Placement(StrEnum):
    """Where words go: before or behind the user's text. Tags always come last."""

    START = "start"
    END = "end"


def with_words(text: str, words: Sequence[str], placement: Placement) -> str:
    """The text and words as they are spelled; words that go last stand before the tags at the text's end.

    Where the end cannot be added to (a tag left open, tags alone, a weight behind AND) words go first.
    """
    end = body_end(text)
    body, tags = text[:end], text[end:]
    closed = unclosed(text) or (tags.strip() and not body.strip()) or ends_weighted(visible(body))
    if closed or placement is Placement.START:
        for word in reversed(words):
            text = joints.add_word_first(text, word)
        return text
    for word in words:
        body = joints.add_word(body, word)
    return body + tags


def with_tag(text: str, tag: str) -> str:
    """The text and a tag. A tag the user left open swallows what stands behind it: then the new one goes first."""
    return joints.add_tag_first(text, tag) if unclosed(text) else joints.add_tag(text, tag)


def without_tags(text: str, names: Collection[str]) -> str:
    """The text without the tags of a LoRA, which may go by several names."""
    for place in reversed(places_of(text, names)):
        text = joints.cut_tag(text, place.start, place.end)
    return text


def without_words(text: str, words: Sequence[str], *, kept: Sequence[str]) -> tuple[str, list[str]]:
    """The text without those words that stand in it as they are put in, and their spellings there.

    Each goes where it stands first. Words that are also among `kept` stay.
    """
    keys = {key(word) for word in kept}
    places = {place for word in words if key(word) not in keys and (place := find_put(text, word))}
    removed: list[str] = []
    last = len(text)
    for lo, hi in sorted(places, reverse=True):
        if hi <= last:
            removed.insert(0, text[lo:hi])
            text, last = joints.cut_word(text, lo, hi), lo
    return text, removed
