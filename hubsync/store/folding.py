"""The texts that search compares: words without case and accents, and marks that say where a word came from.

A body has three parts: `<<the  whole  name>>`, the words of all names as `__word__word__`, and all words as
`  word  word  `. What a query looks for is then always a plain substring: `__add` is a name with a word that begins
with `add`. Marks are doubled so that one letter with its mark is a trigram.

Scripts without spaces have no words: each of their characters is one, with a single mark between two that follow each
other, so that one (` 美 `) or two (`美 女`) of them are a trigram too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import cache

NAME_BEGINS, NAME_ENDS, NAME, ANYWHERE = "<<", ">>", "__", "  "
OF_NAMES = 3
"""How many of the kinds of answers, the first ones, are about names alone."""
LONGEST = 20_000
"""Characters of one LoRA that are searched; the longest trigger words seen in public are a tenth of this."""

# Bytes are translated seven times as fast as characters.
_SPACED_ASCII = bytes(ord(char.lower()) if char.isascii() and char.isalnum() else 32 for char in map(chr, range(256)))
# Letters that Unicode does not take for a letter with an accent, though people who cannot type them do.
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "\u0131": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"})
# Accents of Latin, Greek and Cyrillic. The marks of other scripts tell words apart: `ガ` is not `カ`.
_ACCENTS = re.compile("[\u0300-\u036f]")
# Han, kana, Hangul and their extensions.
_UNSPACED = "\u3005-\u3007\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """Compiled when first used: 6 ms, and most libraries are ASCII."""
    return re.compile(text)


_WORD = f"[{_UNSPACED}]+|[^ {_UNSPACED}]+"
_ONE_UNSPACED = f"[{_UNSPACED}]"


def words(text: str) -> list[str]:
    """The words of a text as they are compared, in order; a run of characters of an unspaced script is one."""
    if text.isascii():
        return text.encode().translate(_SPACED_ASCII).decode().split()
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).casefold().translate(_PLAIN)
    kept = (char if _belongs_in_a_word(char) else " " for char in unicodedata.normalize("NFC", bare))
    return _pattern(_WORD).findall("".join(kept))


def needles(query: str) -> list[tuple[str, ...]]:
    """What all must be in a body that answers a query, the best kind of answer first, the one that allows most last.

    A short word behind others only begins words: inside of them it would be anywhere.
    """
    asked = words(query)
    if not asked:
        return []
    name = whole(asked)
    of_name, of_any = (tuple(_needle(word, mark) for word in asked) for mark in (NAME, ANYWHERE))
    behind = (_needle(word, "" if len(word) > 2 else ANYWHERE) for word in asked[1:])
    return [
        *dict.fromkeys([(name,), (name.removesuffix(NAME_ENDS),), of_name, of_any, (_needle(asked[0], ""), *behind)])
    ]


def whole(name: Collection[str]) -> str:
    """The words of a name as its body begins with them."""
    return NAME_BEGINS + marked(name, ANYWHERE).removeprefix(ANYWHERE) + NAME_ENDS


def _needle(word: str, mark: str) -> str:
    """What a word is in a body: behind one half of a mark, for more is needed only to make a trigram of one letter."""
    if is_unspaced(word):
        between = (mark or ANYWHERE)[0]
        return between.join(word) if len(word) > 1 else f"{between}{word}{between}"
    return (mark if len(word) == 1 else mark[:1]) + word


def is_unspaced(word: str) -> bool:
    """Whether each character of this word is one by itself."""
    return not word.isascii() and _pattern(_ONE_UNSPACED).match(word) is not None


def marked(words: Collection[str], mark: str) -> str:
    """Words as a body has them, each behind a mark."""
    text = mark + mark.join(words)
    if text.isascii():
        return text
    return "".join([mark + (mark[0].join(word) if is_unspaced(word) else word) for word in words])


def body(name: str, named: str, said: str) -> str:
    """What one LoRA is found by: its name, what else it is called, and what is said of it."""
    called = words(name)
    names = dict.fromkeys(called + words(named[:LONGEST]))
    everything = names | dict.fromkeys(words(said[:LONGEST]))
    return whole(called) + marked(names, NAME) + NAME + marked(everything, ANYWHERE) + ANYWHERE


def _belongs_in_a_word(char: str) -> bool:
    # A variation selector only says how the character before it is drawn.
    return char.isalnum() or (unicodedata.category(char)[0] == "M" and not "\ufe00" <= char <= "\ufe0f")
