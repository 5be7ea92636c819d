"""Sub-folders by template: `{family}/{creator}` puts a LoRA into `sdxl/somebody`."""

from __future__ import annotations

import re
from pathlib import Path

from hubsync.domain import Lora
from hubsync.errors import BadConfig, UnsafeName
from hubsync.files.placement import inside, safe_stem

PLACEHOLDERS = ("family", "base_model", "creator", "tag", "type", "source", "model")
"""What a template may name; `tag` is the first tag, `model` the LoRA's title."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_UNKNOWN = "unknown"


def subfolder(folder: Path, template: str, lora: Lora) -> Path:
    """The folder below `folder` that a template means for a LoRA; what a hub does not say is called `unknown`.

    Raises:
        BadConfig: the template names something that does not exist. UnsafeName: it leaves `folder`.
    """
    version = lora.versions[0]
    values = {
        "family": version.family,
        "base_model": version.base_model,
        "creator": lora.creator,
        "tag": next(iter(lora.tags), None),
        "type": lora.type.value,
        "source": lora.source.value,
        "model": lora.name,
    }
    if strange := {*_PLACEHOLDER.findall(template)} - {*PLACEHOLDERS}:
        names = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise BadConfig(f"install.folders: there is no {{{min(strange)}}}", hint=f"use {names}")
    parts = [_PLACEHOLDER.sub(lambda match: _safe(values[match[1]]), part) for part in re.split(r"[/\\]", template)]
    return inside(folder, "/".join(part for part in parts if part))


def _safe(value: str | None) -> str:
    try:
        return safe_stem(value or _UNKNOWN)
    except UnsafeName:
        return _UNKNOWN
