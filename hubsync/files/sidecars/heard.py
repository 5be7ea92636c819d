"""What one sidecar says of a LoRA, whichever tool wrote it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from hubsync.lenient import texts
from hubsync.refs import CivitaiRef
from hubsync.text import LONGEST, clean, clean_lines, plain

LONGEST_WORDS = 20_000
"""Characters of all words together that are read; the longest real entry has 422, the longest list 89 of them."""

_MOST = 1000  # entries of a list; the most trained words a version has are 89
_LONGEST_NAME = 1000
_LEVELS = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Empty where a sidecar says nothing. `words` are verbatim; `version_text` is what Civitai Helper calls notes."""

    ref: CivitaiRef | None = None
    title: str = ""
    base_model: str = ""
    creator: str = ""
    description: str = ""
    version_text: str = ""
    tags: tuple[str, ...] = ()
    nsfw_level: int = 0
    words: tuple[str, ...] = ()
    sha256: str = ""


def name(text: str) -> str:
    """A name in one line, safe to print."""
    return clean(text[:_LONGEST_NAME])


def base(text: str) -> str:
    """The name of a base model; what tools call "Unknown" is none."""
    found = name(text)
    return "" if found == "Unknown" else found


def names(raw: object) -> tuple[str, ...]:
    """Names of a list, once each."""
    return tuple(dict.fromkeys(found for text in islice(texts(raw), _MOST) if (found := name(text))))


def words(raw: object) -> tuple[str, ...]:
    """Trained words as they were typed, but for what no terminal should see; absurdly many or long ones are cut."""
    found, left = [], LONGEST_WORDS
    for text in islice(texts(raw), _MOST):
        found.append(clean_lines(text[:left]))
        left -= len(found[-1])
    return tuple(word for word in found if word.strip())


def paragraphs(*markup: str) -> str:
    """Descriptions in HTML as plain text, one below the other."""
    found = dict.fromkeys(plain(text[:LONGEST]) for text in markup)
    return "\n\n".join(text for text in found if text)


def level(*candidates: int, nsfw: bool = False) -> int:
    """The first of some levels that rates anything, in Civitai's bits; what was only flagged is 8, X."""
    rated: Iterable[int] = (found & _LEVELS for found in candidates if found > 0)
    return next((found for found in rated if found), 8 if nsfw else 0)
