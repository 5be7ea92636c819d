"""Text as hubs send it, made safe to print: no control characters, HTML turned into plain lines."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

LONGEST = 200_000
"""Characters of a description or card that are read; the longest real ones are a tenth of it."""

_BREAKS = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
# C0 and C1 controls, lone surrogates, and the marks that reverse the direction of what follows.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_DECLARATION = re.compile(r"<!--.*?(?:-->|$)|<!|<\?", re.DOTALL)
_HIDDEN = {"script", "style", "template", "head", "title"}
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
    parser = _Words()
    parser.feed(_DECLARATION.sub(" ", markup[:LONGEST]))
    parser.close()
    lines = [line.strip() for line in clean_lines("".join(parser.words).replace("\xa0", " ")).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Words(HTMLParser):
    """Collects `words`; hidden elements are skipped, unknown ones kept as they stand."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - as inherited
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag == "li":
            self.words.append("\n- ")
        elif tag in _BLOCKS:
            self.words.append("\n")
        elif tag not in _INLINE:
            self.words.append(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _HIDDEN:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _BLOCKS:
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)
