"""Sidecars as they lie on disk: whatever is in them, reading them neither fails nor takes long."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_MOST_BYTES = 8 << 20
"""More than any real sidecar has: full Civitai answers with workflows in them reach 2 MB."""


class Unreadable(ValueError):
    """A sidecar that says nothing to hubsync; the message ends a sentence that begins with its name."""


def read(path: Path) -> dict[str, Any] | None:
    """The sidecar's keys; {} where there is none, None where it is not a JSON object that can be read."""
    try:
        return document(path)
    except FileNotFoundError:
        return {}
    except Unreadable:
        return None


def document(path: Path) -> dict[str, Any]:
    """The JSON object in a file of at most 8 MiB.

    Raises:
        Unreadable: it is none. FileNotFoundError: there is no file.
    """
    try:
        found = json.loads(_decoded(_content(path)))
    # Nesting of thousands of levels ends in a RecursionError, a number of thousands of digits in a ValueError.
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, Unreadable) else Unreadable("is not JSON") from error
    if not isinstance(found, dict):
        raise Unreadable("is not a JSON object")
    return found


def text(path: Path) -> str:
    """The text in a file of at most 8 MiB; what is not Unicode is taken for the code page of Western Windows.

    Raises:
        Unreadable: it cannot be read. FileNotFoundError: there is no file.
    """
    content = _content(path)
    try:
        return _decoded(content)
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _content(path: Path) -> bytes:
    try:
        # Opening a pipe would wait for someone to write into it.
        if path.exists() and not path.is_file():
            raise Unreadable("is not a file")
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from error
    if len(content) > _MOST_BYTES:
        raise Unreadable("is larger than 8 MiB")
    return content


def _decoded(content: bytes) -> str:
    """Windows' own tools put a mark in front of UTF-8, and write UTF-16 at times."""
    return content.decode("utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
