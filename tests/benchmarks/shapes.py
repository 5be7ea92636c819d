"""Checkpoints of full size made of random numbers, and LoRAs for them: nothing is downloaded, every shape is real."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from hubsync.config import shipped
from hubsync.renderer.loading import _clip_tokenizer, components
from hubsync.renderer.memory import Pipeline

_PREFIXES = {"unet": "lora_unet_", "text_encoder_2": "lora_te2_"}
_TEXT = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A family's modules by its shipped configuration; `thin` replaces numbers of it, part by part."""

    name: str
    pipeline: str
    folder: str
    sizes: Sequence[int]
    thin: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


SHAPES = (
    Shape(name="SD 1.5", pipeline="StableDiffusionPipeline", folder="sd1", sizes=(512, 1024)),
    Shape(name="SDXL", pipeline="StableDiffusionXLPipeline", folder="sdxl", sizes=(1024,)),
)

_TEXT_THIN = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "projection_dim": 32,
}
_VAE_THIN = {"block_out_channels": [32, 32, 32, 32], "layers_per_block": 1}
TINY = (
    Shape(
        name="SD 1.5, thin",
        pipeline="StableDiffusionPipeline",
        folder="sd1",
        sizes=(64,),
        thin={
            "unet": {"block_out_channels": [32, 32, 64, 64], "attention_head_dim": 4, "cross_attention_dim": 32},
            "text_encoder": _TEXT_THIN,
            "vae": _VAE_THIN,
        },
    ),
    Shape(
        name="SDXL, thin",
        pipeline="StableDiffusionXLPipeline",
        folder="sdxl",
        sizes=(64,),
        thin={
            "unet": {
                "block_out_channels": [32, 32, 64],
                "attention_head_dim": [2, 2, 4],
                "transformer_layers_per_block": [1, 1, 2],
                "cross_attention_dim": 64,
                # Six numbers of sizes, 256 each, beside the pooled text.
                "projection_class_embeddings_input_dim": 6 * 256 + 32,
            },
            "text_encoder": _TEXT_THIN,
            "text_encoder_2": _TEXT_THIN,
            "vae": _VAE_THIN,
        },
    ),
)
"""Both families small enough for a processor: every step of the script, and none of its figures."""


def pipeline_of(shape: Shape, device: torch.device, dtype: torch.dtype) -> Pipeline:
    """The shape's pipeline on a device, its parts initialised there in `dtype`, ready as the renderer has it."""
    import diffusers
    import transformers

    folder, parts = shipped(f"pipelines/{shape.folder}"), {}
    torch.manual_seed(0)
    with _born(device, dtype):
        for name, (library, kind) in _parts(folder).items():
            config = {**_read(folder / name), **shape.thin.get(name, {})}
            if name.startswith("tokenizer"):
                parts[name] = _clip_tokenizer(folder / name / "tokenizer_config.json")
            elif library == "transformers":
                parts[name] = getattr(transformers, kind)(transformers.CLIPTextConfig(**config)).to(dtype).eval()
            else:
                made = getattr(diffusers, kind).from_config(config)
                parts[name] = made.to(device, dtype).eval() if isinstance(made, nn.Module) else made
    more: dict[str, Any] = {"add_watermarker": False} if shape.folder == "sdxl" else _NO_CHECKER
    pipe = getattr(diffusers, shape.pipeline)(**parts, **more)
    pipe.set_progress_bar_config(disable=True)
    pipe.vae.enable_slicing()
    return pipe


_NO_CHECKER = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}


def _parts(folder: Path) -> dict[str, Sequence[str]]:
    index = _read(folder / "model_index.json", "")
    return {name: kind for name, kind in index.items() if isinstance(kind, list) and (folder / name).is_dir()}


def _read(path: Path, name: str = "*config.json") -> dict[str, Any]:
    file = next(path.glob(name)) if name else path
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


@contextmanager
def _born(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Within it, modules are made on a device in a type: SDXL in fp32 on the processor first would take 14 GB."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with device:
            yield
    finally:
        torch.set_default_dtype(before)


def random_lora(pipe: Pipeline, path: Path, rank: int, seed: int) -> None:
    """Write a LoRA as kohya's trainer makes them by default: attention blocks and text encoders, nothing else."""
    dice, tensors = torch.Generator().manual_seed(seed), {}
    several = "text_encoder_2" in components(pipe)
    prefixes = {**_PREFIXES, "text_encoder": "lora_te1_" if several else "lora_te_"}
    for component, model in components(pipe).items():
        for name, module in _adapted(component, model):
            key = prefixes[component] + name.replace(".", "_")
            outputs, inputs = module.weight.shape[:2]
            kernel = [1] * (module.weight.ndim - 2)
            down = torch.randn(rank, inputs, *kernel, generator=dice)
            up = torch.randn(outputs, rank, *kernel, generator=dice)
            tensors[f"{key}.lora_down.weight"] = (down / inputs**0.5).half()
            # A tenth of what a fresh layer gives: strong enough to be seen, weak enough for half precision.
            tensors[f"{key}.lora_up.weight"] = (up * 0.1 / rank**0.5).half()
            tensors[f"{key}.alpha"] = torch.tensor(rank / 2)
    save_file(tensors, path, metadata={"ss_network_module": "networks.lora", "ss_network_dim": str(rank)})


def _adapted(component: str, model: nn.Module) -> Iterator[tuple[str, Any]]:
    for path, module in model.named_modules():
        if component == "unet":
            if ".attentions." in f".{path}" and isinstance(module, nn.Linear | nn.Conv2d):
                yield path, module
        elif path.endswith(_TEXT) and isinstance(module, nn.Linear):
            yield f"text_model.{path.removeprefix('text_model.')}", module
