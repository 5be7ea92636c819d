"""Writing `<stem>.json`, which every tool reads, and `.civitai.info`. A human's words stay.

Only keys that are empty, or still hold what hubsync wrote before, are filled.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hubsync.domain import Installed, Statement
from hubsync.files.opening import disk_errors
from hubsync.files.placement import write_aside
from hubsync.files.sidecars import keys, own
from hubsync.files.sidecars.loading import read
from hubsync.files.sidecars.names import info_path, sidecar_path
from hubsync.prompts.words import escaped

_SD_VERSIONS = {"sd1": "SD1", "sd2": "SD2", "sdxl": "SDXL", "flux1": "Flux"}


def write(
    lora: Installed, *, user: Statement | None, before: Mapping[str, Any], description: str = ""
) -> dict[str, Any]:
    """Bring the sidecar of a LoRA up to date and return what hubsync wrote of its keys, now or earlier.

    What the file itself says that hubsync wrote outranks `before`, which the library remembers. A file that need not
    change is not touched, and one that is not a JSON object is left alone.

    Args:
        lora: with what is to be said in it; what is on in several groups goes into one text.
        user: what the user said, kept in the file for the day the database is lost. None drops what was kept there:
            callers ask `told_by` before they write for the first time.
        before: what this function returned last.
        description: plain text.

    Raises:
        NoSpace, NoPermission: the folder cannot be written.
    """
    path = sidecar_path(lora.path)
    found = read(path)
    if found is None:
        return dict(before)
    wrote = {**before, **own.kept_in(found).wrote}
    content = content_of(lora, description=description)
    ours = {key: value for key, value in content.items() if _is_ours(key, found.get(key), wrote)}
    wrote |= ours
    merged = {**found, **ours, keys.OWN: own.builtins(lora, user, wrote)}
    if merged != found:
        with disk_errors(path.parent):
            write_aside(path, _json(merged))
    return wrote


def content_of(lora: Installed, *, description: str = "") -> dict[str, Any]:
    """What other tools are told: the words that are on, the weight, the base model by AUTOMATIC1111's name."""
    words = dict.fromkeys(word for group in lora.inserted_words for word in group)
    return {
        keys.DESCRIPTION: description,
        keys.VERSION: _SD_VERSIONS.get(lora.family or "", "Unknown"),
        # Other tools put this text into prompts as it stands: raw parentheses would become weights.
        keys.ACTIVATION: ", ".join(map(escaped, words)),
        keys.WEIGHT: own.finite(lora.weight) or 0,
        keys.NEGATIVE: lora.negative or "",
        keys.NOTES: lora.notes or "",
    }


def write_info(lora: Path, answer: Mapping[str, Any]) -> Path | None:
    """Write Civitai's answer about a version as Civitai Helper does, where there is no such file yet.

    Returns the file's path; None where something has that name, be it a note that the model is unknown.

    Raises:
        NoSpace, NoPermission: the folder cannot be written.
    """
    path = info_path(lora)
    if os.path.lexists(path):
        return None
    with disk_errors(path.parent):
        write_aside(path, _json(answer))
    return path


def _is_ours(key: str, value: object, wrote: Mapping[str, Any]) -> bool:
    return bool(value == wrote[key]) if key in wrote else keys.is_empty(key, value)


def _json(content: Mapping[str, Any]) -> bytes:
    """As AUTOMATIC1111 writes it. Half a surrogate, which no UTF-8 holds, stays the escape that it was."""
    try:
        return json.dumps(content, indent=4, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(content, indent=4).encode()
