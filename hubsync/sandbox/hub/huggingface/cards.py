"""Model cards: front matter in block YAML as training scripts write it, and the tags the Hub makes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

# A string that YAML reads as itself without quotes.
PLAIN = re.compile(r"[A-Za-z][\w./-]*")
NOT_TEXT = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def readme(card: Mapping[str, Any], body: str) -> str:
    """A README: front matter between two lines of dashes, then the text; without front matter where there is none."""
    return "---\n" + "\n".join(block(card, "")) + "\n---\n\n" + body if card else body


def block(value: Any, indent: str) -> list[str]:  # noqa: ANN401 - any JSON value
    """A value's lines in block style, without the indentation of its first line's key."""
    if isinstance(value, Mapping):
        return [line for key, item in value.items() for line in keyed(key, item, indent)]
    lines = []
    for item in value:
        first, *rest = block(item, indent + "  ") if isinstance(item, Mapping) else [scalar(item)]
        lines += [f"{indent}- {first.strip()}", *rest]
    return lines


def keyed(key: str, value: Any, indent: str) -> list[str]:  # noqa: ANN401
    """The lines of one key."""
    if isinstance(value, Mapping):
        return [f"{indent}{key}:", *block(value, indent + "  ")]
    if isinstance(value, list):
        return [f"{indent}{key}:", *block(value, indent)] if value else [f"{indent}{key}: []"]
    return [f"{indent}{key}: {scalar(value)}"]


def scalar(value: Any) -> str:  # noqa: ANN401
    """A scalar; a string that YAML would read as something else is quoted as JSON does it."""
    if isinstance(value, str) and PLAIN.fullmatch(value) and value.lower() not in NOT_TEXT:
        return value
    return json.dumps(value, ensure_ascii=False)


def hub_tags(card: Mapping[str, Any]) -> list[str]:
    """The tags of a repository: the library, the card's own, and those derived from base model and license."""
    base = card.get("base_model", [])
    bases = base if isinstance(base, list) else [base]
    derived = [tag for name in bases for tag in (f"base_model:{name}", f"base_model:adapter:{name}")]
    license_tag = [f"license:{card['license']}"] if "license" in card else []
    own = [card.get("library_name", ""), *card.get("tags", []), card.get("pipeline_tag", "")]
    return list(dict.fromkeys(tag for tag in [*own, *derived, *license_tag, "region:us"] if tag))
