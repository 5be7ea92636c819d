"""The sidecar `<stem>.json`: what AUTOMATIC1111, Forge, SwarmUI, InvokeAI and tagcomplete read about a LoRA.

Only keys that are empty, or still hold what hubsync wrote before, are filled: a human's words there stay.
Source of the keys: AUTOMATIC1111's user-metadata editor (reference: conventions §1.8, §7).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hubsync.domain import Installed
from hubsync.files.placement import write_aside
from hubsync.prompts.words import escaped

ACTIVATION, WEIGHT, NEGATIVE, NOTES, VERSION, DESCRIPTION = (
    "activation text",
    "preferred weight",
    "negative text",
    "notes",
    "sd version",
    "description",
)
_SD_VERSIONS = {"sd1": "SD1", "sd2": "SD2", "sdxl": "SDXL", "flux1": "Flux"}


def sidecar_path(lora: Path) -> Path:
    """`<stem>.json`; the stem may hold dots, so it is never found by replacing a suffix twice."""
    return lora.with_name(f"{lora.stem}.json")


def preview_path(lora: Path) -> Path:
    """`<stem>.preview.png`: the one name every tool looks for."""
    return lora.with_name(f"{lora.stem}.preview.png")


def content_of(lora: Installed, *, description: str = "") -> dict[str, Any]:
    """What hubsync has to say in the sidecar: the default group's words, the weight, where it came from."""
    default = next((group for group in lora.groups if group.enabled), None)
    return {
        DESCRIPTION: description,
        VERSION: _SD_VERSIONS.get(lora.family or "", "Unknown"),
        # Other tools put this text into prompts as it stands: raw parentheses would become weights.
        ACTIVATION: ", ".join(map(escaped, default.texts)) if default else "",
        WEIGHT: lora.weight or 0,
        NEGATIVE: lora.negative or "",
        NOTES: lora.notes or "",
    }


def write(lora: Path, content: Mapping[str, Any], *, before: Mapping[str, Any]) -> dict[str, Any]:
    """Merge `content` into the sidecar of `lora` and return what hubsync wrote of it, now or earlier.

    `before` is what hubsync had written so far. A sidecar that is not a JSON object is left alone.
    """
    path = sidecar_path(lora)
    found = read(path)
    if found is None:
        return dict(before)
    ours = {key: value for key, value in content.items() if _is_ours(found.get(key), key, before)}
    merged = {**found, **ours}
    if merged != found:
        write_aside(path, json.dumps(merged, indent=4, ensure_ascii=False).encode())
    return {**before, **ours}


def _is_ours(value: object, key: str, before: Mapping[str, Any]) -> bool:
    if key in before:
        return bool(value == before[key])
    # A1111 saves "preferred weight": 0 for "none chosen", "sd version": "Unknown" likewise.
    return value in (None, "", 0, "Unknown")


def read(path: Path) -> dict[str, Any] | None:
    """The sidecar's keys; {} where there is none, None where it is not a JSON object."""
    try:
        found = json.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
