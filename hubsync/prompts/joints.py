"""The seams between a user's text, words and tags: what is put in can be taken out again without a trace.

A prompt remembers nothing, so a seam depends on the text alone and no two texts look alike after something was added:
`a` and `w` make `a, w`, hence `a,` and `w` must make another text: `a,  w`.
"""

from __future__ import annotations

import re

from hubsync.prompts.places import visible
from hubsync.prompts.syntax import COMMAS, TAG, replace_tags

_COMMA_AT_END = re.compile(rf"[{COMMAS}]( *)\Z")
_COMMA_AT_START = re.compile(rf" *[{COMMAS}] ?")
_KEYWORD_AT_END = re.compile(r"\b(?:BREAK|AND)( *)\Z")
_TAG_NEXT = re.compile(f" {TAG.pattern}")
_KEYWORD_AT_START = re.compile(rf"\s*(?:(?:BREAK|AND)\b|{TAG.pattern})")


def add_word(text: str, word: str) -> str:
    """Put a word behind a text: on a new line where a comment would swallow it, never glued to BREAK."""
    return text + _gap(text) + word


def add_word_first(text: str, word: str) -> str:
    """Put a word before a text."""
    if not text:
        return word
    return f"{word}{' ' if _starts_with_keyword(text) else ', '}{text}"


def add_tag(text: str, tag: str) -> str:
    """Put a tag behind a text. No comma before it: AUTOMATIC1111 takes the tag out and leaves the comma."""
    if not text:
        return tag
    gap = "\n" if _ends_in_comment(text) else " "
    return text + gap + tag


def add_tag_first(text: str, tag: str) -> str:
    """Put a tag before a text."""
    return f"{tag} {text}"


def cut_word(text: str, lo: int, hi: int) -> str:
    """The text without the word at `lo:hi` and the seam that came with it: the opposite of adding it."""
    left, right = text[:lo], text[hi:]
    if comma := _COMMA_AT_START.match(right):
        return left + right[comma.end() :]
    if _starts_with_keyword(right) and right[0] == " " and _only_tags(left):
        return left + right[1:]
    if _ends_in_comment(left) and right[:1] not in {"", "\n"}:
        # What follows would slip into the comment: it takes the word's line over.
        return left + right.removeprefix(" ")
    return _without_gap(left) + right


def cut_tag(text: str, lo: int, hi: int) -> str:
    """The text without the tag at `lo:hi` and its seam; a tag between two commas takes one of them along."""
    left, right = text[:lo], text[hi:]
    between = not left.strip() or left.endswith("\n") or _COMMA_AT_END.search(left)
    if between and right[:1] in {*COMMAS}:
        return left + right[1:].removeprefix(" ")
    if not left or _TAG_NEXT.match(visible(right)):
        return left + right.removeprefix(" ")
    return (left[:-1] if left[-1] == " " or _ends_in_comment(left) else left) + right


def _gap(text: str) -> str:
    if _ends_in_comment(text):
        return "\n"
    if not text.strip() or text.endswith("\n"):
        return ""
    if _COMMA_AT_END.search(text):
        return "  "
    return " " if _KEYWORD_AT_END.search(text) else ", "


def _without_gap(text: str) -> str:
    """What a text was before `_gap` was put behind it."""
    if _ends_in_comment(text):
        return text.removesuffix("\n")
    if not text.strip() or text.endswith("\n"):
        return text
    if comma := _COMMA_AT_END.search(text):
        return text[:-2] if len(comma.group(1)) > 1 else text[: comma.start()]
    keyword = _KEYWORD_AT_END.search(text)
    return text[:-1] if keyword and keyword.group(1) else text


def _starts_with_keyword(text: str) -> bool:
    return _KEYWORD_AT_START.match(visible(text)) is not None


def _only_tags(text: str) -> bool:
    """Whether a text is empty or tags that were put first."""
    return not replace_tags(text, lambda _: "").strip() and not text[:1].isspace()


def _ends_in_comment(text: str) -> bool:
    return "#" in text.rstrip("\n").rpartition("\n")[2]
