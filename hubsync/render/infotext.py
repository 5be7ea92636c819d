"""Infotext: the text in a picture from which AUTOMATIC1111, and tools that read its files, make the picture again."""

from __future__ import annotations

import json
from collections.abc import Mapping

from hubsync import __version__

PNG_KEY = "parameters"


def infotext(prompt: str, negative: str, parameters: Mapping[str, object]) -> str:
    """Prompt, negative prompt and one line of parameters, as AUTOMATIC1111 1.8 and later parse them.

    `parameters` keep their order; empty ones are left out; hubsync's version comes last.
    """
    pairs = {**parameters, "Version": f"hubsync v{__version__}"}
    line = ", ".join(f"{name}: {_quoted(value)}" for name, value in pairs.items() if value not in ("", None))
    rest = [f"Negative prompt: {negative}"] if negative else []
    return "\n".join([prompt, *rest, line])


def hashes(found: Mapping[str, str | None], *, digits: int = 12) -> str:
    """`Lora hashes` and `TI hashes`: names with the first digits of their hash; a name loses what breaks the list."""
    known = {name: value for name, value in found.items() if value}
    return ", ".join(
        f"{name.replace(':', '').replace(',', '')}: {value[:digits].lower()}" for name, value in known.items()
    )


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if any(mark in text for mark in ",:\n") else text
