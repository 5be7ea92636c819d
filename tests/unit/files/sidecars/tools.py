"""How other tools read what lies beside a LoRA: each by its own rules, as its source has them.

Sources: AUTOMATIC1111 `ui_edit_user_metadata.py`, `ui_extra_networks_lora.py`, `ui_extra_networks.py`; SwarmUI
`T2IModelHandler.cs`; InvokeAI `lora_metadata_extractor.py`; tagcomplete `tag_autocomplete_helper.py`; Lora-Manager
`models.py`, `constants.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_AUTOMATIC = tuple(f"{inner}.{kind}" for kind in ("png", "jpg", "jpeg", "webp", "gif") for inner in ("", ".preview"))
_MANAGER = (
    ".webp", ".preview.webp", ".preview.png", ".preview.jpeg", ".preview.jpg", ".preview.mp4", ".png", ".jpeg", ".jpg",
    ".mp4", ".gif", ".webm", ".avif", ".jxl",
)  # fmt: skip
_SWARM = (".jpg", ".png", ".preview.png", ".preview.jpg", ".jpeg", ".preview.jpeg", ".thumb.jpg", ".thumb.png")
_INVOKE = (".png", ".jpg", ".jpeg", ".webp")


def _beside(lora: Path, ending: str) -> Path:
    return lora.parent / (lora.name.removesuffix(lora.suffix) + ending)


def read(lora: Path, ending: str = ".json") -> dict[str, Any]:
    """The keys of a sidecar; AUTOMATIC1111 opens it as UTF-8 without a mark."""
    content: dict[str, Any] = json.loads(_beside(lora, ending).read_text("utf-8"))
    return content


def put(lora: Path, ending: str, content: object) -> Path:
    """Write a sidecar as a tool would; text is written as it is."""
    path = _beside(lora, ending)
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def click(lora: Path, *, default_weight: float = 1.0) -> tuple[str, str]:
    """What AUTOMATIC1111 puts into the two prompts when a card is clicked. A weight of 0 is none."""
    found = read(lora)
    words, weight = found.get("activation text"), found.get("preferred weight", 0.0)
    assert isinstance(weight, int | float)
    tag = f"<lora:{lora.name.removesuffix(lora.suffix)}:{weight or default_weight}>"
    return f"{tag} {words}" if words else tag, found.get("negative text", "")


def dialog(lora: Path, **changes: object) -> None:
    """Save AUTOMATIC1111's dialog: all of its fields are written, keys it does not know stay."""
    path = _beside(lora, ".json")
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    fields = {"description": "", "notes": "", "sd version": "Unknown", "activation text": "", "preferred weight": 0.0}
    shown = {key: found.get(key, empty) for key, empty in {**fields, "negative text": ""}.items()}
    found |= {**shown, **{key.replace("_", " "): value for key, value in changes.items()}}
    path.write_text(json.dumps(found, indent=4, ensure_ascii=False), "utf-8")


def swarm(lora: Path, header: Mapping[str, Any]) -> dict[str, Any]:
    """SwarmUI's idea of a LoRA: the keys of all sidecars are laid over those of the header, blank ones passed over."""
    laid = dict(header)
    suffixes = [
        end for end in (".swarm.json", ".json", ".cm-info.json", ".civitai.info") if _beside(lora, end).exists()
    ]
    for suffix in suffixes:
        laid |= read(lora, suffix)
    other = read(lora, suffixes[0]) if suffixes else {}
    described = [
        other[key] for key in ("VersionName", "VersionDescription", "ModelDescription", "description") if other.get(key)
    ]
    phrases = [*other.get("TrainedWords", []), *other.get("trainedWords", []), other.get("activation text") or ""]
    alternatives = {"description": "\n".join(described), "trigger_phrase": ", ".join(filter(None, phrases))}

    def best(key: str) -> Any:
        options = (laid.get(f"modelspec.{key}"), laid.get(key), alternatives.get(key))
        return next((option for option in options if isinstance(option, str) and option.strip()), "")

    return {key: best(key) for key in ("title", "description", "trigger_phrase", "usage_hint")}


def invoke(lora: Path) -> tuple[set[str], str]:
    """InvokeAI's trigger phrases, a set, and its description."""
    found = read(lora)
    phrases = (
        {phrase.strip() for phrase in found["activation text"].split(",")} if found.get("activation text") else set()
    )
    return phrases, " ".join(filter(None, (found.get("description"), found.get("notes"))))


def complete(lora: Path) -> str:
    """What tagcomplete writes for a LoRA whose name was completed: tag and words, at the start of the prompt."""
    found = read(lora)
    weight = found.get("preferred weight") or 1
    words = found.get("activation text", "")
    return (
        f"{words}, <lora:{lora.name.removesuffix(lora.suffix)}:{weight}>" if words else f"<lora:{lora.stem}:{weight}>"
    )


def manage(lora: Path) -> dict[str, Any]:
    """What Lora-Manager keeps when it finds `.civitai.info` beside a LoRA it does not know; {} if it passes it over."""
    version = read(lora, ".civitai.info")
    file = next((file for file in version.get("files", []) if file.get("primary")), None)
    if file is None:
        return {}
    model = version.get("model")
    assert isinstance(model, dict)
    return {
        "model_name": model.get("name", file["name"]),
        "base_model": version.get("baseModel", ""),
        "sha256": file["hashes"].get("SHA256", "").lower(),
        "size": file.get("sizeKB", 0) * 1024,
        "tags": model.get("tags", []),
        "words": version.get("trainedWords", []),
    }


def previews(lora: Path) -> dict[str, str]:
    """The picture each tool shows, by its order of names. AUTOMATIC1111's order of kinds differs per process: any."""
    orders = {"automatic": _AUTOMATIC, "manager": _MANAGER, "swarm": _SWARM, "invoke": _INVOKE}
    found = {
        tool: next((path.name for ending in order if (path := _beside(lora, ending)).exists()), "")
        for tool, order in orders.items()
    }
    return {tool: name for tool, name in found.items() if name}
