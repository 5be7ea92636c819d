"""The YAML block a model card begins with, read so that no card is too broken: every scalar stays text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

# Leading whitespace is allowed, and the closing dashes may be followed by blanks (AutoTrain's cards).
_BLOCK = re.compile(r"\s*---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_KEY = re.compile(
    r"^(base_model|instance_prompt|trigger_words?|license|license_name):[ \t]*(\S.*?)[ \t]*$", re.MULTILINE
)
_BASES = re.compile(r"^base_model:[ \t]*\n((?:[ \t]*-[ \t]+\S.*(?:\n|\Z))+)", re.MULTILINE)
_PICTURE = re.compile(r"^\s+(?:-\s+)?url:\s*(?:>-?\s*)?(?!-\s|\w+:\s)(\S.*?)[ \t]*$", re.MULTILINE)
_NOTHING = frozenset({"", "~", "null", "none", "undefined"})


class Front(NamedTuple):
    """What the block says, and the text below it."""

    data: Mapping[str, object]
    body: str


def split(text: str) -> Front:
    """Front matter and body of a card. A second block, pasted into the body, is dropped."""
    text = text.replace("\ufeff", "").replace("\r\n", "\n").replace("\r", "\n")
    match = _BLOCK.match(text)
    if match is None:
        return Front({}, text)
    body = text[match.end() :]
    if (second := _BLOCK.match(body)) and re.search(r"^\w+:", second[1], re.MULTILINE):
        body = body[second.end() :]
    return Front(_parsed(match[1]), body)


def _parsed(block: str) -> Mapping[str, object]:
    """The block as a mapping. Unquoted `yes` and `1950` are words here, not a bool and a number."""
    import yaml  # type: ignore[import-untyped]

    try:
        # BaseLoader builds texts, lists and mappings only, so it is as safe as SafeLoader.
        value = yaml.load(block, Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, RecursionError, ValueError):
        value = None
    return value if isinstance(value, dict) else _scraped(block)


def _scraped(block: str) -> Mapping[str, object]:
    """The keys that matter out of a block that is no YAML, such as `instance_prompt: [trigger] x`."""
    found: dict[str, object] = {key: _unquoted(value) for key, value in _KEY.findall(block)}
    if bases := _BASES.search(block):
        found["base_model"] = [_unquoted(line.strip(" \t-")) for line in bases[1].splitlines()]
    found["widget"] = [{"output": {"url": _unquoted(url)}} for url in _PICTURE.findall(block)]
    return found


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def words_of(value: object) -> str:
    """A scalar as text; empty for nothing, in any of YAML's and JSON's ways to write that."""
    if value is None or isinstance(value, list | dict):
        return ""
    text = str(value).strip()
    return "" if text.casefold() in _NOTHING else text
