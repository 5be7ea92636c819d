"""Model cards: what a careful reader takes from one. Trigger words, base models, weight, pictures, file names.

Trigger words come from, best first: the card's section on them, a plain statement, `instance_prompt`, and what
prose says of training or of example prompts (order and traps: corpus of 68 real cards).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hubsync.domain import Preview
from hubsync.hubs.cards.files import named_files
from hubsync.hubs.cards.front_matter import split, words_of
from hubsync.hubs.cards.pictures import pictures
from hubsync.hubs.cards.weight import weight_hint
from hubsync.hubs.cards.words import trigger_words
from hubsync.hubs.text import LONGEST, clean, plain, unescaped

_FENCE = re.compile(r"^(```|~~~).*?(?:^\1|\Z)", re.MULTILINE | re.DOTALL)
_STYLE = re.compile(r"<(style|script)\b.*?(?:</\1>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL | re.IGNORECASE)
# HTML that says in a description what Markdown says with these signs.
_SIGNS = (
    (re.compile(r"</?(?:code|kbd)>", re.IGNORECASE), "`"),
    (re.compile(r"</?(?:strong|b)>", re.IGNORECASE), "**"),
    (re.compile(r"<br ?/?>|</(?:p|li|div|h\d)>", re.IGNORECASE), "\n"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a card says. `previews` name paths in the repository or full addresses, `files` weights best first."""

    words: tuple[str, ...] = ()
    base_models: tuple[str, ...] = ()
    weight: float | None = None
    previews: tuple[Preview, ...] = ()
    files: tuple[str, ...] = ()
    license: str | None = None
    description: str = ""


def read_card(text: str, *, repo: str, data: Mapping[str, object] | None = None) -> Card:
    """Read a card. `data` is its front matter as the hub parsed it, used where `text` holds none.

    `repo` (`owner/name`) tells the card's own files from those its examples load.
    """
    front = split(text[:LONGEST])
    meta = front.data or data or {}
    body = _STYLE.sub(" ", unescaped(front.body))
    prose = _FENCE.sub("\n", body)
    for tag, sign in _SIGNS:
        prose = tag.sub(sign, prose)
    licensed = words_of(meta.get("license_name")) or words_of(meta.get("license"))
    return Card(
        words=trigger_words(prose, instance=words_of(meta.get("instance_prompt")), repo=repo),
        base_models=_base_models(meta.get("base_model")),
        weight=weight_hint(prose, code=body),
        previews=pictures(meta.get("widget"), prose),
        files=named_files(body, repo=repo),
        license=clean(licensed) or None,
        description=plain(prose),
    )


def _base_models(value: object) -> tuple[str, ...]:
    """A text or a list; paths on the trainer's own disk are left out."""
    names = [clean(words_of(item)) for item in (value if isinstance(value, list) else [value])]
    return tuple(dict.fromkeys(name for name in names if name and not re.search(r"^[./~]|\\|^\w:|/.*/", name)))
