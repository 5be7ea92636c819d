"""Pipelines and LoRA files for the renderer's tests: the shipped checkpoint, a small random SDXL, random networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from safetensors.torch import save_file

from hubsync.render import wire
from hubsync.renderer.drawing import Artist
from hubsync.renderer.loading import choose_device, components, load_pipeline
from hubsync.renderer.names import Table, Target, table_of
from hubsync.renderer.networks import Network
from hubsync.renderer.wardrobe import Wardrobe

DATA = Path(__file__).parents[3] / "hubsync" / "sandbox" / "data"
PROMPT = "a large red circle on a blue background"

Pipeline: TypeAlias = Any
Spell: TypeAlias = Callable[[str, str], dict[str, str]]
"""From component and path to the keys of `down`, `up` and, where the layout has it, `alpha`."""


def request(**changes: Any) -> wire.Request:
    """A request for the shipped checkpoint, four steps."""
    options: dict[str, Any] = {"checkpoint": str(DATA / "checkpoint"), "steps": 4, "cfg": 3.0, "rows": (), "folder": ""}
    return wire.Request(**{**options, **changes})


def new_pipeline(checkpoint: Path = DATA / "checkpoint") -> Pipeline:
    """A checkpoint's pipeline on the CPU."""
    return load_pipeline(request(checkpoint=str(checkpoint)), choose_device("cpu"))


@pytest.fixture(scope="session")
def pipe() -> Pipeline:
    """The shipped checkpoint; tests leave it as they found it."""
    return new_pipeline()


@pytest.fixture(scope="session")
def table(pipe: Pipeline) -> Table:
    """Every spelling of its modules."""
    return table_of(components(pipe))


def draw(pipe: Pipeline, rows: list[wire.Row], networks: dict[str, Network], **changes: Any) -> torch.Tensor:
    """The rows' pictures in their order, (rows, 3, height, width)."""
    drawn = dict(Artist(pipe, worn(networks), {}, lambda line: line).draw(request(rows=tuple(rows), **changes)))
    return torch.stack([drawn[index] for index in range(len(rows))])


def worn(networks: dict[str, Network]) -> Wardrobe:
    """Networks that are loaded already."""
    return Wardrobe(files={}, table={}, device=torch.device("cpu"), say=lambda line: line, _kept=dict(networks))


def row(prompt: str = PROMPT, seed: int = 1, **weights: float) -> wire.Row:
    """A row; `name=weight` applies that LoRA."""
    applied = tuple(wire.Applied(lora=name, te=weight, unet=weight) for name, weight in weights.items())
    return wire.Row(prompt=prompt, seed=seed, loras=applied)


def kohya(component: str, path: str) -> dict[str, str]:
    """The layout of kohya's scripts."""
    prefix = "lora_unet_" if component == "unet" else "lora_te_text_model_"
    module = prefix + path.removeprefix("text_model.").replace(".", "_")
    return {"down": f"{module}.lora_down.weight", "up": f"{module}.lora_up.weight", "alpha": f"{module}.alpha"}


def diffusers(component: str, path: str) -> dict[str, str]:
    """The layout diffusers saves today."""
    module = f"unet.{path}" if component == "unet" else f"text_encoder.text_model.{path.removeprefix('text_model.')}"
    return {"down": f"{module}.lora_A.weight", "up": f"{module}.lora_B.weight"}


def random_lora(
    path: Path,
    targets: list[Target],
    spell: Spell,
    *,
    rank: int = 4,
    alpha: float | None = None,
    seed: int = 0,
) -> Path:
    """A LoRA file of random factors for these modules, strong enough to see."""
    dice = torch.Generator().manual_seed(seed)
    tensors: dict[str, torch.Tensor] = {}
    for target in targets:
        shape = target.module.weight.shape
        keys = spell(target.component, target.path)
        tensors[keys["down"]] = torch.randn(rank, *shape[1:], generator=dice) * 0.1
        tensors[keys["up"]] = torch.randn(shape[0], rank, *[1] * (len(shape) - 2), generator=dice) * 0.1
        if alpha is not None:
            tensors[keys["alpha"]] = torch.tensor(alpha)
    save_file(tensors, path)
    return path


def modules(table: Table, *parts: str) -> list[Target]:
    """The linear layers and convolutions whose path holds one of these texts, each once."""
    unique = {id(shares[0].target): shares[0].target for shares in table.values() if len(shares) == 1}.values()
    kinds = (torch.nn.Linear, torch.nn.Conv2d)
    return [target for target in unique if isinstance(target.module, kinds) and any(p in target.path for p in parts)]
