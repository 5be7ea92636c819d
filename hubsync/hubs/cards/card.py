"""Model cards: what a careful reader takes from one. Trigger words, base models, weight, pictures, file names.

Trigger words come from, best first: the card's section on them, a plain statement, `instance_prompt`, and what
prose says of training or of example prompts.
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
from hubsync.text import LONGEST, clean, plain, unescaped

_FENCE = re.compile(r"^[ \t]*(```|~~~)[^`\n]*\n(.*?)(?:^[ \t]*\1[^\n]*|\Z)", re.MULTILINE | re.DOTALL)
# A block of one short line may be a trigger word; of more lines or with such signs it is code.
_COMMAND = re.compile(r"[=;{}$\\]|\w\(|^(?:pip|git|python3?|huggingface-cli|hf|npm|cd|wget|curl|https?:.*)\b")
_LONGEST_LINE = 12
_STYLE = re.compile(r"<(style|script)\b.*?(?:</\1>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL | re.IGNORECASE)
# HTML that says in a description what Markdown says with these signs.
_SIGNS = (
    (re.compile(r"</?(?:code|kbd)(?:\s[^<>]{0,500})?>", re.IGNORECASE), "`"),
    (re.compile(r"</?(?:strong|b)(?:\s[^<>]{0,500})?>", re.IGNORECASE), "**"),
    (re.compile(r"<h[1-6](?:\s[^<>]{0,500})?>", re.IGNORECASE), "\n## "),
    (re.compile(r"<li(?:\s[^<>]{0,500})?>", re.IGNORECASE), "\n- "),
    (re.compile(r"<br ?/?>|</(?:p|li|div|h\d)>", re.IGNORECASE), "\n"),
)
_TABLE = (
    (re.compile(r"<t[dh](?:\s[^<>]{0,500})?>", re.IGNORECASE), " | "),
    (re.compile(r"</t[dh]>", re.IGNORECASE), ""),
    (re.compile(r"</?(?:tr|table)(?:\s[^<>]{0,500})?>", re.IGNORECASE), "\n"),
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
    prose = _signed(_FENCE.sub("\n", body), _SIGNS)
    told = _signed(_FENCE.sub(_kept, body), _SIGNS + _TABLE)
    licensed = words_of(meta.get("license_name")) or words_of(meta.get("license"))
    return Card(
        words=trigger_words(told, instance=_instance(meta), repo=repo),
        base_models=_base_models(meta.get("base_model")),
        weight=weight_hint(prose, code=body),
        previews=pictures(meta.get("widget"), prose, repo=repo),
        files=named_files(body, repo=repo),
        license=clean(licensed) or None,
        description=plain(prose),
    )


def _instance(meta: Mapping[str, object]) -> str:
    """The prompt of training, or what trainers of their own keep for trigger words."""
    for key in ("instance_prompt", "trigger_word", "trigger_words", "trigger_phrase"):
        value = meta.get(key)
        several = isinstance(value, list) and key == "trigger_words"
        if text := ", ".join(map(words_of, value)) if several and isinstance(value, list) else words_of(value):
            return text
    return ""


def _signed(text: str, signs: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    """With Markdown's signs for those of HTML."""
    for tag, sign in signs:
        text = tag.sub(sign, text)
    return text


def _kept(block: re.Match[str]) -> str:
    """A code block of one short line as a line in code; nothing of others."""
    line = block[2].strip()
    if not line or "`" in line or "\n" in line or len(line.split()) > _LONGEST_LINE or _COMMAND.search(line):
        return "\n"
    return f"```{line}```\n"


def _base_models(value: object) -> tuple[str, ...]:
    """A text or a list; paths on the trainer's own disk are left out."""
    items = [words_of(item) for item in (value if isinstance(value, list) else [value])]
    names = [re.sub(r"^https?://(?:huggingface\.co|hf\.co)/", "", clean(item)).rstrip("/") for item in items]
    return tuple(dict.fromkeys(name for name in names if name and not re.search(r"^[./~]|\\|^\w:|/.*/", name)))
