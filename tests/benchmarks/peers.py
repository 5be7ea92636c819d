"""How else pictures with many LoRAs are drawn: diffusers one by one, and PEFT's batch of mixed adapters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from hubsync.render.wire import Applied, Request, Row
from hubsync.renderer.loading import components
from hubsync.renderer.memory import Pipeline

_PARTS = {"unet": "unet", "text_encoder": "te", "text_encoder_2": "te"}
"""Which weight of a LoRA in a picture a part of the pipeline takes."""


def one_by_one(pipe: Pipeline, request: Request, rows: Sequence[Row]) -> list[Tensor]:
    """As diffusers' guide has it: each picture's LoRA is loaded, set to its weight, drawn with and unloaded."""
    pictures = []
    for row in rows:
        for use in row.loras:
            pipe.load_lora_weights(request.loras[use.lora], adapter_name=use.lora)
        if row.loras:
            pipe.set_adapters([use.lora for use in row.loras], [_weights(pipe, use) for use in row.loras])
        pictures.append(drawn(pipe, request, [row])[0])
        if row.loras:
            pipe.unload_lora_weights()
    return pictures


def drawn(pipe: Pipeline, request: Request, rows: Sequence[Row]) -> Tensor:
    """(rows, 3, height, width), 0..1, in one batch, with whatever adapters the pipeline holds."""
    size = dict(zip(("width", "height"), request.size, strict=True)) if request.size else {}
    pictures: Tensor = pipe(
        [row.prompt for row in rows],
        generator=[torch.Generator().manual_seed(row.seed) for row in rows],
        num_inference_steps=request.steps,
        guidance_scale=request.cfg,
        output_type="pt",
        **size,
    ).images
    return pictures.float().cpu()


def _weights(pipe: Pipeline, use: Applied) -> Mapping[str, float]:
    return {part: getattr(use, _PARTS[part]) for part in components(pipe)}


@contextmanager
def mixed(pipe: Pipeline, request: Request, rows: Sequence[Row]) -> Iterator[None]:
    """Within it, the pipeline holds an adapter for each row, which has one LoRA: PEFT knows no weight a row."""
    try:
        for number, row in enumerate(rows):
            pipe.load_lora_weights(request.loras[row.loras[0].lora], adapter_name=f"row{number}")
        for part, model in components(pipe).items():
            for layer in _adapted(model):
                for number, row in enumerate(rows):
                    if f"row{number}" in layer.scaling:
                        layer.scaling[f"row{number}"] *= getattr(row.loras[0], _PARTS[part])
        yield
    finally:
        pipe.unload_lora_weights()


def mixed_batch(pipe: Pipeline, request: Request, rows: Sequence[Row]) -> Tensor:
    """The first rows of `mixed`, drawn in one batch: PEFT is told of each the name of its adapter."""

    def named(_module: nn.Module, inputs: tuple[Tensor, ...], options: dict[str, Any]) -> tuple[Any, Any]:
        names = [f"row{number}" for number in range(len(rows))]
        return inputs, {**options, "adapter_names": names * (len(inputs[0]) // len(rows))}

    layers = [layer for model in components(pipe).values() for layer in _adapted(model)]
    hooks = [layer.register_forward_pre_hook(named, with_kwargs=True) for layer in layers]
    try:
        return drawn(pipe, request, rows)
    finally:
        for hook in hooks:
            hook.remove()


def _adapted(model: nn.Module) -> list[Any]:
    return [layer for layer in model.modules() if isinstance(layer, LoraLayer)]
