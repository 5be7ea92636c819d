"""Text as hubs send it, made safe to print: no control characters, HTML turned into plain lines."""

from __future__ import annotations

import re
from html import unescape

LONGEST = 200_000
"""Characters of a description or card that are read; the longest real ones are a tenth of it."""

_BREAKS = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
# C0 and C1 controls, lone surrogates, and the marks that reverse the direction of what follows.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Every run is bounded, so that hostile repetition costs no more than its length.
_HIDDEN = re.compile(
    r"<(script|style|template|head|title)\b[^<>]{0,2000}>.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)|<[!?][^<>]{0,2000}>",
    re.DOTALL | re.IGNORECASE,
)
_QUERY = re.compile(r"(https?://[^\s?#\"'<>]{0,2000})[?#][^\s\"'<>]*", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([A-Za-z][\w:.-]{0,30})([^<>]{0,2000})>")
_BLOCKS = {"p", "div", "br", "hr", "ul", "ol", "table", "tr", "pre", "blockquote", *(f"h{n}" for n in range(1, 7))}
# fmt: off
_INLINE = {
    "a", "abbr", "article", "audio", "b", "body", "button", "center", "code", "del", "details", "em", "figcaption",
    "figure", "font", "footer", "gallery", "header", "html", "i", "iframe", "img", "input", "ins", "kbd", "label",
    "main", "mark", "nav", "picture", "s", "section", "small", "source", "span", "strike", "strong", "sub", "summary",
    "sup", "tbody", "td", "th", "thead", "tip", "tt", "u", "video",
}
# fmt: on


def clean(text: str) -> str:
    """One line without control characters, trimmed."""
    return _UNSEEN.sub("", _BREAKS.sub(" ", text)).strip()


def clean_lines(text: str) -> str:
    """Lines without control characters; line ends become `\\n`."""
    return _UNSEEN.sub("", re.sub(r"\r\n?|[\x85\u2028\u2029]", "\n", text))


def unsigned(text: str) -> str:
    """A text with the queries of its addresses left out: they sign downloads, and once held keys."""
    return _QUERY.sub(r"\1", text)


def unescaped(text: str) -> str:
    """Entities resolved, also those escaped twice, as some card generators do."""
    for _ in range(3):
        text, before = unescape(text), text
        if text == before:
            break
    return text


def plain(markup: str) -> str:
    """The words of HTML: blocks become lines, list items `- …`, links their text; what is no HTML tag stays.

    Emoticons such as `>_<` and trigger words such as `<s0>` are no tags.
    """
    text = unescape(_TAG.sub(_spoken, _HIDDEN.sub("", markup[:LONGEST])))
    lines = [line.strip() for line in clean_lines(text.replace("\xa0", " ")).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _spoken(tag: re.Match[str]) -> str:
    """What a tag stands for in plain text."""
    closing, name = tag[1], tag[2].lower()
    if name == "li":
        return "" if closing else "\n- "
    if name in _BLOCKS:
        return "\n"
    return "" if name in _INLINE else tag[0]
