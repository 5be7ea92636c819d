"""Trigger words: what uploaders typed, cleaned and grouped, and how one word is told from another."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from hubsync.domain import TriggerWords
from hubsync.prompts.brackets import pairs, raw_brackets
from hubsync.prompts.syntax import COMMAS, LORA_NETWORKS, extra_networks, lora_tag

# `>_<` and `<phigep>` are words, so nothing but a LoRA's tag may go; some are left open at the end of an entry.
_LORA_TAG = re.compile(rf"<(?:{'|'.join(LORA_NETWORKS)}):[^>]*(?:>|\Z)", re.IGNORECASE)
_ONE_COMMA = str.maketrans(COMMAS, "," * len(COMMAS))
_EMOTICON = re.compile(r"(?<![^,\s])>?[:;=]['-]?[()\[\]](?=\s*(?:,|\Z))")
_LABEL = re.compile(
    r"\A(?:tags?|triggers?|(?:trigger|activation)[ _]?(?:words?|tags?|text|phrase)|key ?words?|prompts?"
    r"|触发词|关键词|提示词|标签)\s*[:\uff1a]\s*",
    re.IGNORECASE,
)
_NOTHING = r"no triggers?|no (?:(?:trigger|activation|key)[ _]?)?(?:words?|tags?)"
_PLACEHOLDER = re.compile(
    rf"(?:none|n/a|-+|{_NOTHING}|(?:{_NOTHING}|none|not) (?:needed|required|necessary))[.!]?", re.IGNORECASE
)
_WEIGHT = re.compile(r"\s*:{1,2}\s*[+-]?[.\d]+\s*\Z")
_LONGEST_WEIGHT = 32
_ESCAPE = re.compile(r"\\([()\[\]\\])")


def split(entry: str) -> tuple[str, ...]:
    """The words of one entry: cut at commas outside brackets, without LoRA tags, labels, blanks and placeholders.

    Escapes, emoticons and colons inside names stay. A label is what stands before the words, as in `tag: realistic`.
    """
    words = (_LABEL.sub("", piece, count=1) for piece in pieces(_LORA_TAG.sub(" ", entry)))
    return tuple(word for word in words if word and not _PLACEHOLDER.fullmatch(word))


def pieces(text: str) -> tuple[str, ...]:
    """A text cut at commas outside brackets, trimmed, without blanks."""
    return tuple(" ".join(piece.split()) for piece in _cut(text.translate(_ONE_COMMA)) if piece.strip())


def _cut(text: str) -> Iterator[str]:
    # Escaped brackets hold a name together as plain ones do; a sad face opens nothing.
    shape = _EMOTICON.sub(lambda face: " " * len(face.group()), text.replace("\\", " "))
    opened = pairs(shape, kinds="([{")
    closed = set(opened.values())
    start = depth = 0
    for at, mark in enumerate(text):
        depth += (at in opened) - (at in closed)
        if mark == "," and not depth:
            yield text[start:at]
            start = at + 1
    yield text[start:]


def groups(raw: Sequence[str]) -> TriggerWords:
    """Entries as groups: where two or more are lists each entry is a group, else all together are one.

    An entry is a list when commas part it into words; one at its end parts nothing. A word stands once in its group
    (case matters here), a group once.
    """
    entries = [split(entry) for entry in raw]
    if sum(len(words) > 1 for words in entries) < 2:
        entries = [tuple(word for words in entries for word in words)]
    unique = dict.fromkeys(tuple(dict.fromkeys(words)) for words in entries)
    return tuple(words for words in unique if words)


def weight_hint(raw: Sequence[str]) -> float | None:
    """The UNet weight of the first tag among the entries that states one: 0.7 for `<lora:x:0.7>`."""
    networks = (network for entry in raw for network in extra_networks(entry)[1])
    stated = (lora_tag(one) for one in networks if one.type in LORA_NETWORKS and (one.positional[1:] or one.named))
    return next((tag.unet for tag in stated if tag.unet and math.isfinite(tag.unet)), None)


def escaped(word: str, *, kinds: str = "([") -> str:
    """The word with raw brackets escaped, so that a prompt reads them as text.

    Brackets that weigh on purpose stay: those around the whole word, with a weight, or with `|`.
    """
    lo, hi = core(word)
    meant = {a: b for a, b in pairs(word, kinds=kinds).items() if (a < lo and b >= hi) or _weighs(word, a, b)}
    raw = {*raw_brackets(word, kinds=kinds)} - {*meant, *meant.values()}
    return "".join(f"\\{mark}" if at in raw else mark for at, mark in enumerate(word))


def _weighs(text: str, lo: int, hi: int) -> bool:
    return bool(_weight(text, lo, hi)) or (text[lo] == "[" and text.find("|", lo, hi) >= 0)


def _weight(text: str, lo: int, hi: int) -> int:
    """How many characters before `hi` are a weight, as in `(word:1.2`."""
    match = _WEIGHT.search(text[max(lo, hi - _LONGEST_WEIGHT) : hi])
    return len(match.group()) if match else 0


def core(text: str) -> tuple[int, int]:
    """Where the word itself begins and ends in a text: without the space, the brackets and the weight around it.

    A bracket at the edge whose other half lies elsewhere belongs to a larger group and is left out too.
    """
    pair = pairs(text)
    matched = {*pair, *pair.values()}
    raw = {*raw_brackets(text)}
    outer = lo, hi = trimmed(text, 0, len(text))
    while lo < hi:
        around = pair.get(lo) == hi - 1
        opens = lo in raw and text[lo] in "([" and (around or lo not in matched)
        closes = hi - 1 in raw and text[hi - 1] in ")]" and (around or hi - 1 not in matched)
        if not (opens or closes):
            break
        lo, hi = lo + opens, hi - closes
        lo, hi = trimmed(text, lo, hi - _weight(text, lo, hi) if closes else hi)
    return (lo, hi) if any(map(str.isalnum, text[lo:hi])) else outer


def trimmed(text: str, lo: int, hi: int) -> tuple[int, int]:
    """The place `lo:hi` of a text without the space at its ends."""
    while lo < hi and text[lo].isspace():
        lo += 1
    while lo < hi and text[hi - 1].isspace():
        hi -= 1
    return lo, hi


def same(a: str, b: str) -> bool:
    """Whether two spellings are one word: case, `_` for space, escapes and attention aside. Never a part of a word."""
    return key(a) == key(b)


def key(word: str) -> str:
    """What all spellings of a word have in common."""
    lo, hi = core(word)
    return plain(word[lo:hi])


def plain(word: str) -> str:
    """What spellings of a word have in common that weigh it alike: case, `_` for space and escapes aside."""
    text = _ESCAPE.sub(r"\1", word).translate(_ONE_COMMA).casefold()
    # In a face such as `@_@` the line is a mouth.
    text = text.replace("_", " ") if any(map(str.isalnum, text)) else text
    return ", ".join(" ".join(part.split()) for part in text.split(","))
