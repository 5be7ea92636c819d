"""Figures about the files themselves: that both forms of the checkpoint agree and every LoRA loads whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from safetensors import safe_open

from hubsync.sandbox.train.figures import Figure, Rule
from hubsync.sandbox.train.models import load_pipeline
from hubsync.sandbox.train.package import Package
from hubsync.sandbox.train.prompts import held_out_prompts
from hubsync.sandbox.train.recipes import SLIDERS, TRIGGERED
from hubsync.sandbox.train.rendering import injected_modules, lora, render


def file_figures(package: Package) -> list[Figure]:
    """Size of the checkpoint, difference of the single file, share of each LoRA's modules that load."""
    pipeline = load_pipeline(package.checkpoint)
    size = sum(path.stat().st_size for path in package.checkpoint.rglob("*") if path.is_file())
    difference = single_file_difference(package, pipeline)
    figures = [
        Figure(subject="checkpoint", name="megabytes", value=size / 1e6, bar=4.5, rule=Rule.AT_MOST),
        Figure(subject="single file", name="largest difference", value=difference, bar=1e-3, rule=Rule.AT_MOST),
    ]
    for recipe in (*SLIDERS, *TRIGGERED):
        path = package.lora(recipe)
        with lora(pipeline, path) as loaded:
            share = injected_modules(loaded) / modules_of(path)
        figures.append(Figure(subject=recipe.stem, name="modules loaded", value=share, bar=1))
    return figures


def single_file_difference(package: Package, pipeline: Any) -> float:  # noqa: ANN401
    """Largest difference of any pixel between the folder's and the single file's pictures."""
    single = StableDiffusionPipeline.from_single_file(
        str(package.single_file), config=str(package.checkpoint), dtype=torch.float32, local_files_only=True
    )
    single.set_progress_bar_config(disable=True)
    asked = held_out_prompts(4)
    texts, seeds = [prompt.text for prompt in asked], [prompt.seed for prompt in asked]
    return (render(single, texts, seeds) - render(pipeline, texts, seeds)).abs().max().item()


def modules_of(path: Path) -> int:
    """How many modules a LoRA file names, by its down halves."""
    with safe_open(path, "pt") as file:
        return sum(key.endswith((".lora_down.weight", ".lora_A.weight")) for key in file.keys())  # noqa: SIM118


def metadata_of(path: Path) -> dict[str, Any]:
    """The metadata of a safetensors file."""
    raw = path.read_bytes()
    header: dict[str, Any] = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    metadata: dict[str, Any] = header["__metadata__"]
    return metadata
