"""Renders prompts with the sandbox's checkpoint, with and without a LoRA or an embedding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

BATCH = 16
STEPS = 8
GUIDANCE = 3.0
ADAPTER = "measured"


def render(pipeline: Any, prompts: Sequence[str], seeds: Sequence[int], steps: int = STEPS) -> Tensor:  # noqa: ANN401
    """Pictures [n, 3, 64, 64] in 0..1, each from its own seed, so that a batch equals single renders."""
    pictures = []
    for start in range(0, len(prompts), BATCH):
        chunk = slice(start, start + BATCH)
        output = pipeline(
            list(prompts[chunk]),
            generator=[torch.Generator().manual_seed(seed) for seed in seeds[chunk]],
            num_inference_steps=steps,
            guidance_scale=GUIDANCE,
            output_type="pt",
        )
        pictures.append(output.images.float())
    return torch.cat(pictures)


@contextmanager
def lora(pipeline: Any, path: Path, weight: float = 1.0) -> Iterator[Any]:  # noqa: ANN401
    """The pipeline with the LoRA file at `path` loaded and set to `weight`."""
    pipeline.load_lora_weights(path.parent, weight_name=path.name, adapter_name=ADAPTER, local_files_only=True)
    try:
        pipeline.set_adapters([ADAPTER], [weight])
        yield pipeline
    finally:
        pipeline.unload_lora_weights()


@contextmanager
def embedding(pipeline: Any, path: Path, word: str) -> Iterator[Any]:  # noqa: ANN401
    """The pipeline with the textual inversion at `path` behind `word`."""
    pipeline.load_textual_inversion(path.parent, weight_name=path.name, token=word, local_files_only=True)
    try:
        yield pipeline
    finally:
        pipeline.unload_textual_inversion(word)


def injected_modules(pipeline: Any) -> int:  # noqa: ANN401
    """How many modules of UNet and text encoder carry a LoRA; fewer than the file has means it was not understood."""
    parts = (pipeline.unet, pipeline.text_encoder)
    return sum(hasattr(module, "lora_A") for part in parts for module in part.modules())


def image_of(picture: Tensor, side: int | None = None) -> Image.Image:
    """One picture [3, h, w] as an image, enlarged in whole pixels to `side`."""
    pixels = (picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous()
    image = Image.fromarray(pixels.numpy())
    return image.resize((side, side), Image.Resampling.NEAREST) if side else image
