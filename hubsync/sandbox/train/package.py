"""The folder of shipped data: where each file lies, and the steps that assemble it from trained parts."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from hubsync.sandbox.train.models import load_pipeline
from hubsync.sandbox.train.recipes import BLUE_RING, SLIDERS, TRIGGERED, Recipe
from hubsync.sandbox.train.rendering import embedding, image_of, lora, render
from hubsync.sandbox.train.single_file import write_single_file

PREVIEW_SIDE = 256
PREVIEW_SEED = 7


@dataclasses.dataclass(frozen=True, slots=True)
class Package:
    """Paths below one data folder."""

    root: Path

    @property
    def checkpoint(self) -> Path:
        """The diffusers folder."""
        return self.root / "checkpoint"

    @property
    def single_file(self) -> Path:
        """The same weights as one file."""
        return self.root / "shapes.safetensors"

    @property
    def embedding(self) -> Path:
        """The textual inversion."""
        return self.root / "embeddings" / f"{BLUE_RING.word}.safetensors"

    @property
    def figures(self) -> Path:
        """What was measured after the last training."""
        return self.root / "figures.json"

    def lora(self, recipe: Recipe) -> Path:
        """The LoRA file of a recipe."""
        return self.root / "loras" / f"{recipe.stem}.safetensors"

    def preview(self, stem: str) -> Path:
        """The small picture that shows a LoRA or embedding."""
        return self.root / "previews" / f"{stem}.png"


def assemble_checkpoint(package: Package) -> None:
    """Add `model_index.json` to the trained parts, and write the single file."""
    pipeline = load_pipeline(package.checkpoint)
    index = {key: value for key, value in pipeline.config.items() if key != "_name_or_path"}
    text = json.dumps({"_class_name": type(pipeline).__name__, **index}, indent=2, sort_keys=True)
    (package.checkpoint / "model_index.json").write_text(text + "\n", encoding="utf-8")
    write_single_file(package.single_file, pipeline)


def write_previews(package: Package) -> None:
    """Render one picture for each LoRA and the embedding, with its words where it has any."""
    pipeline = load_pipeline(package.checkpoint)
    for recipe in (*SLIDERS, *TRIGGERED):
        words = [group.words for group in recipe.groups[:1]]
        with lora(pipeline, package.lora(recipe)) as loaded:
            _preview(loaded, ", ".join([*words, recipe.preview]), package.preview(recipe.stem))
    with embedding(pipeline, package.embedding, BLUE_RING.word) as loaded:
        _preview(loaded, BLUE_RING.preview, package.preview(BLUE_RING.word))


def _preview(pipeline: Any, prompt: str, path: Path) -> None:  # noqa: ANN401
    path.parent.mkdir(parents=True, exist_ok=True)
    image_of(render(pipeline, [prompt], [PREVIEW_SEED])[0], PREVIEW_SIDE).save(path)
