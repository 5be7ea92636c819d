"""The example pictures of a model card."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import urlsplit

from hubsync.domain import Preview
from hubsync.hubs.cards.front_matter import words_of
from hubsync.text import clean

_VIDEOS = frozenset({".mp4", ".webm"})
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif"}) | _VIDEOS
"""Extensions of what can be shown as a preview."""

# A picture inside a link is a button; Markdown allows one level of brackets in a path.
_BUTTON = re.compile(r"\[\s{0,9}!\[[^\]]{0,300}\]\([^)\s]{0,2000}\)\s{0,9}\]\([^)]{0,2000}\)")
_INLINE = re.compile(
    r"!\[[^\]\n]{0,300}\]\(\s*<?((?:[^()\s<>]|\([^()\s]{0,99}\)){1,2000})>?(?:\s+[\"'][^)\n]{0,300})?\)"
    r"|<(?:img|video|source)\b[^<>]{0,2000}?\ssrc\s*=\s*[\"']([^\"'\n]{1,2000})[\"'][^<>]{0,2000}>",
    re.IGNORECASE,
)
_BADGE = re.compile(r"badge|shields\.io|button|buymeacoffee|ko-fi|patreon|discord", re.IGNORECASE)
_ORNAMENTS = ("logo", "banner", "icon")
_SMALL = re.compile(r"(?:height|width)\s*=\s*[\"']?\d{1,2}(?:px)?[\"'\s>]", re.IGNORECASE)


def pictures(widget: object, prose: str, *, repo: str) -> tuple[Preview, ...]:
    """The widget's pictures with their prompts; without any, those in the text that are no ornaments.

    In a repository that is named for logos or icons such pictures are what its LoRA draws.
    """
    ornaments = [word for word in _ORNAMENTS if word not in repo.casefold()]
    return tuple(_of_widget(widget)) or tuple(_of_text(prose, ornaments))


def _of_widget(widget: object) -> list[Preview]:
    found = []
    for entry in widget if isinstance(widget, list) else ():
        output = entry.get("output") if isinstance(entry, dict) else None
        url = words_of(output.get("url")) if isinstance(output, dict) else ""
        if url:
            prompt = clean(words_of(entry.get("text")))
            found.append(preview(url, prompt=None if prompt == "-" else prompt or None))
    return found


def _of_text(prose: str, ornaments: list[str]) -> list[Preview]:
    urls = []
    for match in _INLINE.finditer(_BUTTON.sub("", prose)):
        url = match[1] or match[2]
        small = match[2] is not None and _SMALL.search(match[0])
        ornament = _BADGE.search(url) or any(word in url.casefold() for word in ornaments)
        if not small and not ornament and suffix(url) in PICTURES:
            urls.append(url)
    return [preview(url) for url in dict.fromkeys(urls)]


def preview(url: str, *, prompt: str | None = None) -> Preview:
    """A preview whose kind follows from the extension."""
    kind: Literal["image", "video"] = "video" if suffix(url) in _VIDEOS else "image"
    return Preview(url=clean(url), kind=kind, prompt=prompt)


def suffix(url: str) -> str:
    """The extension of a path or an address, in lower case."""
    try:
        path = urlsplit(url).path if "://" in url else url
    except ValueError:
        return ""
    return PurePosixPath(path).suffix.lower()
