"""Infotext: the text in a picture from which AUTOMATIC1111, and tools that read its files, make the picture again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from hubsync.errors import NotFound

PNG_KEY = "parameters"


def infotext(prompt: str, negative: str, parameters: Mapping[str, object]) -> str:
    """Prompt, negative prompt and one line of parameters, as AUTOMATIC1111 1.8 and later parse them.

    `parameters` keep their order; empty ones are left out; hubsync's version comes last.
    """
    pairs = {**parameters, "Version": _version()}
    line = ", ".join(f"{name}: {_quoted(value)}" for name, value in pairs.items() if value != "")
    rest = [f"Negative prompt: {negative}"] if negative else []
    return "\n".join([prompt, *rest, line])


def read_infotext(path: Path) -> str:
    """The infotext in a PNG; empty where there is none.

    Raises:
        NotFound: the file is gone, or no picture.
    """
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return str(picture.info.get(PNG_KEY, ""))
    except OSError as error:
        raise NotFound(f"the picture cannot be read: {path}", hint="r draws the test again") from error


def hash_list(hashes: Mapping[str, str | None]) -> str:
    """The value of `Lora hashes` and `TI hashes`: 12 digits a name; a name loses what would break the list."""
    known = {name.translate({ord(":"): None, ord(","): None}): value for name, value in hashes.items() if value}
    return ", ".join(f"{name}: {value[:12].lower()}" for name, value in known.items())


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if any(mark in text for mark in ',:\n"') else text


def _version() -> str:
    try:
        return f"hubsync v{metadata.version('hubsync')}"
    except metadata.PackageNotFoundError:
        return "hubsync"
