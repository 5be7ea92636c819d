"""Small pieces of Civitai's records: which file is the main one, what an image was made from, a version's name."""

from __future__ import annotations

import hashlib
from typing import Any

from hubsync.sandbox.hub.civitai.records import File, Image, Model, Version
from hubsync.sandbox.hub.messages import Json

AIR_TYPES = {
    "LORA": "lora",
    "LoCon": "lycoris",
    "DoRA": "dora",
    "TextualInversion": "embedding",
    "Checkpoint": "checkpoint",
}
AIR_ECOSYSTEMS = {"SD 1.5": "sd1", "SDXL 1.0": "sdxl", "Pony": "sdxl", "Flux.1 D": "flux1"}


def shown(model: Model, version: Version) -> tuple[Image, ...]:
    """The pictures of a version; a model that was taken down has none."""
    return () if model.mode == "TakenDown" else version.images or ()


def primary_file(version: Version) -> File:
    """The file a download without parameters gives: the first of the model's own."""
    return next((file for file in version.files if file.type == "Model"), version.files[0])


def stats(downloads: int, likes: int) -> Json:
    """Counts as models and versions carry them."""
    return {"downloadCount": downloads, "thumbsUpCount": likes, "thumbsDownCount": 0}


def air(model: Model, version: Version) -> str:
    """The version's resource name; the ecosystem of a base model nobody knows is `other`."""
    ecosystem = AIR_ECOSYSTEMS.get(version.base_model, "other")
    return f"urn:air:{ecosystem}:{AIR_TYPES.get(model.type, 'unknown')}:civitai:{model.id}@{version.id}"


def meta(image: Image) -> Json | None:
    """An image's generation data, as free-form as generators write it; None where there is none."""
    if not image.prompt:
        return None
    return {
        "Size": "64x64",
        "seed": int(hashlib.sha256(image.prompt.encode()).hexdigest()[:8], 16),
        "Model": "shapes",
        "steps": "20",
        "prompt": image.prompt,
        "sampler": "DPM++ 2M",
        "cfgScale": 4,
        "resources": [],
        **({"negativePrompt": image.negative} if image.negative else {}),
    }


def without_empty(shape: Json) -> Json:
    """What `/models/:id` does to a version: nulls and empty lists vanish, in files too."""
    return {key: _pruned(value) for key, value in shape.items() if value is not None and value != []}


def _pruned(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return without_empty(value)
    return [_pruned(item) for item in value] if isinstance(value, list) else value
