"""Writes trained LoRAs and embeddings as the files that trainers make: kohya, diffusers, textual inversion."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import torch
from torch import Tensor

from hubsync.sandbox.train.loras import BATCH, PLAIN, Trained
from hubsync.sandbox.train.pictures import SIDE
from hubsync.sandbox.train.recipes import EmbeddingRecipe, Layout, Recipe
from hubsync.sandbox.train.safetensors_file import hash_of, write_tensors

BASE_NAME = "shapes.safetensors"
AUTHOR = "The hubsync developers"
DATE = "2026-11-23T00:00:00"
MOST_TAGS = 100
"""Tags listed for each folder; junk words seen once would fill the header."""


def write_lora(path: Path, trained: Trained) -> None:
    """Write the file in its recipe's layout, in half precision."""
    if trained.recipe.layout is Layout.DIFFUSERS:
        write_tensors(path, diffusers_tensors(trained.tensors), {"format": "pt"})
        return
    tensors = kohya_tensors(trained.tensors, trained.recipe.alpha)
    write_tensors(path, tensors, kohya_metadata(trained, hash_of(tensors)))


def kohya_tensors(tensors: dict[str, Tensor], alpha: float) -> dict[str, Tensor]:
    """Kohya's names: `lora_unet_…` and `lora_te_text_model_…` with lora_down, lora_up and alpha."""
    named = {}
    for key, value in tensors.items():
        module, half = key.removesuffix(".weight").rsplit(".lora_", 1)
        part, _, path = module.partition(".")
        prefix = "lora_unet_" if part == "unet" else "lora_te_text_model_"
        name = prefix + path.removeprefix("text_model.").replace(".", "_")
        named[name + (".lora_down.weight" if half == "A" else ".lora_up.weight")] = value.half()
        named[name + ".alpha"] = torch.tensor(alpha, dtype=torch.float16)
    return named


def diffusers_tensors(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Diffusers' names; the text encoder's keep the `text_model.` that transformers 5.6 dropped in memory."""
    bare, full = "text_encoder.encoder.", "text_encoder.text_model.encoder."
    return {key.replace(bare, full): value.half() for key, value in tensors.items()}


def kohya_metadata(trained: Trained, digest: str) -> dict[str, str]:
    """What kohya's trainer and the modelspec standard say of a file, true of this one."""
    recipe = trained.recipe
    regular = trained.seen.pictures[PLAIN] if recipe.groups else 0
    return {
        "ss_output_name": recipe.stem,
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(recipe.rank),
        "ss_network_alpha": str(float(recipe.alpha)),
        "ss_base_model_version": "sd_v1",
        "ss_v2": "False",
        "ss_sd_model_name": BASE_NAME,
        "ss_resolution": f"({SIDE}, {SIDE})",
        "ss_tag_frequency": json.dumps(_frequent(trained.seen.tags)),
        "ss_training_comment": f"pictures drawn by code, each used once; the {MOST_TAGS} most frequent tags are listed",
        "ss_num_train_images": str(trained.seen.pictures.total() - regular),
        "ss_num_reg_images": str(regular),
        "ss_num_epochs": "1",
        "ss_batch_size_per_device": str(BATCH),
        "ss_steps": str(recipe.plan.steps),
        "ss_max_train_steps": str(recipe.plan.steps),
        "ss_learning_rate": str(recipe.plan.rate),
        "ss_optimizer": "torch.optim.adamw.AdamW",
        "ss_mixed_precision": "no",
        "ss_seed": str(recipe.seed),
        "sshs_model_hash": digest,
        **_modelspec(recipe.title, recipe.description, digest, trigger=_triggers(recipe)),
    }


def write_embedding(path: Path, recipe: EmbeddingRecipe, vectors: Tensor) -> None:
    """Write the vectors as AUTOMATIC1111 does, under `emb_params`."""
    tensors = {"emb_params": vectors.half()}
    description = f"The word {recipe.word} draws a large {recipe.colour} {recipe.shape}."
    spec = _modelspec(recipe.word, description, hash_of(tensors), trigger=recipe.word, kind="textual-inversion")
    write_tensors(path, tensors, spec)


def _frequent(tags: dict[str, Counter[str]]) -> dict[str, dict[str, int]]:
    return {folder: dict(counter.most_common(MOST_TAGS)) for folder, counter in sorted(tags.items())}


def _triggers(recipe: Recipe) -> str:
    return ", ".join(dict.fromkeys(", ".join(group.words for group in recipe.groups).split(", ")))


def _modelspec(title: str, description: str, digest: str, *, trigger: str, kind: str = "lora") -> dict[str, str]:
    """Fields of Stability AI's model specification 1.0.1."""
    fields = {
        "sai_model_spec": "1.0.1",
        "architecture": f"stable-diffusion-v1/{kind}",
        "implementation": "https://github.com/Stability-AI/generative-models",
        "title": title,
        "author": AUTHOR,
        "description": description,
        "date": DATE,
        "license": "MIT",
        "resolution": f"{SIDE}x{SIDE}",
        "prediction_type": "v",
        "trigger_phrase": trigger,
        "hash_sha256": "0x" + digest,
    }
    return {f"modelspec.{name}": value for name, value in fields.items() if value}
