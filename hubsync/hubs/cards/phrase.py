"""What counts as a trigger word where a card writes one: marks, comma lists, and what is none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hubsync.text import clean

_MARKED = (
    r"(?:`+[^`\n]{0,400}`+|\"[^\"\n]{1,200}\"|“[^”\n]{1,200}”|「[^」\n]{1,200}」|『[^』\n]{1,200}』"
    r"|\*\*[^*\n]{1,200}\*\*|(?<!\w)'[^'\n]{1,80}'(?!\w)|\u2018[^\u2019\n]{1,80}\u2019(?!\w))"
)
_AND = r"[ \t]*(?:,|/|\band\b|\bor\b|\+|&|,[ \t]*and\b|,[ \t]*or\b)[ \t]*"
# Bounded, so that a line of nothing else costs no more than its length.
SERIES = rf"{_MARKED}(?:{_AND}{_MARKED}){{0,30}}"
"""Marked words in a row: in code, quotes or bold."""

_MARKS = re.compile(_MARKED)
_SERIES = re.compile(SERIES)
# Where an unmarked word ends and what is said about it begins.
_END = re.compile(
    r"[.!。](?:\s|$)|[;|]|\s[-\u2013—→]\s|,?\s(?:please\s|just\s|and\s|but\s)?(?:use|put|add|place|include|which)\s"
    r"|\s\((?=[^()]{0,100}\b(?:optional|required|recommended|not|used?|at|for|in|to|weight|strength|if|when|with|e\.g)\b)"
    r"|\s(?:to|at|for|in|with|when|as|anywhere)\s(?=(?:the\s(?:start|beginning|end|prompt|front)|your|my|best|better|all"
    r"|any|every|most|trigger|activate|get|use|generate|prompts?|this|strength|weight)\b)",
    re.IGNORECASE,
)
_LORA_TAG = re.compile(r"\\?<(?:lora|lyco|lycoris):[^<>]{0,200}>|\blora:[^\s<>]{1,200}:[\d.]+", re.IGNORECASE)
_COMMA = re.compile(r"[,\uff0c\u3001](?![^()\n]{0,100}\))")
# A weight beside the words, alone or as a range; `1950` is a word.
_SCALE = re.compile(r"[-+~]?(?:\d|\d?\.\d+)(?:\s*(?:-|to|~)\s*(?:\d|\d?\.\d+))?")
_NO_WORD = re.compile(
    r"\W*(?:(?:none|null|n/a|na|undefined|nothing|trigger(?: words?)?|your[ _]trigger(?:[ _]words?)?)\W*)?"
    r"|(?:not|none|optional|required|recommended|needed|necessary|unnecessary|mandatory|important|no)\b(?: .*)?"
    r"|\[[^\[\]]*\b(?:your|trigger|subject|description|here)\b[^\[\]]*\]"
    r"|https?:.*|.*\.(?:safetensors|ckpt|pt|bin|png|jpe?g|webp)",
    re.IGNORECASE,
)
# What only a sentence about words says, not a word.
_TALK = re.compile(
    r"\b(?:you|see|is|are|can|should|below|above|this|these|following|them|please|check|lora|model|prompts?)\b|[.:!?]$",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"\([^()]{0,100}\)")
_PAIRS = ("``", '""', "“”", "「」", "『』", "''", "\u2018\u2019", "**", "__")
# Parts of a list are short; a part of more words makes the whole a phrase ("in the style of TOK a trtcrd, tarot").
_LONGEST_PART = 3
_LONGEST_PLAIN = 8


def marked(text: str) -> list[str]:
    """All marked words of a text, with their marks."""
    return _MARKS.findall(text)


def marked_first(text: str) -> list[str]:
    """The marked words of a text that begins with some."""
    return marked(text) if _MARKS.match(text) else []


def first_marked(text: str) -> str | None:
    """The first marked words of a text with those that follow in a row."""
    match = _SERIES.search(text)
    return match[0] if match else None


def value(text: str) -> str:
    """What a label or a verb is followed by: marked words if any, else up to where an explanation begins."""
    if match := re.match(rf"[^\w`\"“「『*<'\u2018]*({SERIES})", text):
        return match[1]
    return _END.split(text, maxsplit=1)[0]


def listed(text: str) -> Iterator[str]:
    """The words of a value: each marked one, else the plain ones, unless it is a sentence or too long for words."""
    parts = marked(text)
    if not parts and (_TALK.search(text.strip()) or len(text.split()) > _LONGEST_PLAIN):
        return
    for part in parts or [text]:
        yield from words(part)


def words(text: str) -> Iterator[str]:
    """One phrase, or the parts of a comma list if all are short."""
    whole = _bare(clean(_LORA_TAG.sub("", text))).strip(" ,\uff0c\u3001")
    parts = [_bare(part) for part in _COMMA.split(whole)]
    several = all(len(_ASIDE.sub("", part).split()) <= _LONGEST_PART for part in parts)
    for word in parts if several else [whole]:
        if not _NO_WORD.fullmatch(word) and not _SCALE.fullmatch(word):
            yield word


def _bare(text: str) -> str:
    """Without its marks; in code every other character counts."""
    text, exact = text.strip(), False
    while len(text) > 1 and text[0] + text[-1] in _PAIRS:
        exact = exact or text[0] == "`"
        text = text[1:-1].strip()
    if exact:
        return text
    return re.sub(r"\\([_*<>\[\]#~`-])", r"\1", text).strip('`"“”*_ \t.:;')


def unique(found: Iterable[str]) -> tuple[str, ...]:
    """Without repeats, in order."""
    return tuple(dict.fromkeys(found))
