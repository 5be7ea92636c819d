"""A whole infotext, as people paste it, taken apart: prompt, negative prompt, settings."""

from __future__ import annotations

import re

_NEGATIVE = "Negative prompt:"
_LINES = re.compile(r"\r\n|\r|\n")
_SETTINGS = re.compile(r"\s*Steps:\s*\d+")


def parted(text: str) -> tuple[str, str, str]:
    """Prompt, negative prompt and the line of settings; a text that is only a prompt is given back as it is.

    The negative prompt begins at its line and ends before the settings, as in AUTOMATIC1111. That takes any last line
    with three `name: value` for settings; here it begins with the steps, which every infotext does: a line of weighed
    words is a prompt.
    """
    lines = _LINES.split(text.strip())
    settings = lines.pop() if _SETTINGS.match(lines[-1]) else ""
    start = next((at for at, line in enumerate(lines) if line.strip().startswith(_NEGATIVE)), None)
    if start is None:
        return ("\n".join(lines), "", settings) if settings else (text, "", "")
    negative = [lines[start].strip().removeprefix(_NEGATIVE).lstrip(), *lines[start + 1 :]]
    return "\n".join(lines[:start]), "\n".join(negative), settings
