"""Modules that other code than diffusers' fuses: Flux.1's and SD 3's first code, whose names most LoRAs for them use.

There one layer gives query, key and value (in Flux's single blocks the feed-forward too) that diffusers keeps apart,
and the last layer's shift and scale stand the other way round. Rules as in diffusers' own checkpoint conversion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

_FLUX_DOUBLE = {
    "img_mod.lin": ("norm1.linear",),
    "txt_mod.lin": ("norm1_context.linear",),
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "img_attn.proj": ("attn.to_out.0",),
    "txt_attn.proj": ("attn.to_add_out",),
    "img_mlp.0": ("ff.net.0.proj",),
    "img_mlp.2": ("ff.net.2",),
    "txt_mlp.0": ("ff_context.net.0.proj",),
    "txt_mlp.2": ("ff_context.net.2",),
    # XLabs: processors of the picture's (1) and the text's (2) attention.
    "qkv1": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "qkv2": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "proj1": ("attn.to_out.0",),
    "proj2": ("attn.to_add_out",),
}
_FLUX_SINGLE = {
    "modulation.lin": ("norm.linear",),
    "linear1": ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"),
    "linear2": ("proj_out",),
    "qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "proj": ("proj_out",),
}
_FLUX_ENDS = {
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
    "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
    "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
    "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
}
_SD3_BLOCK = {
    "x_block.adaLN_modulation.1": ("norm1.linear",),
    "context_block.adaLN_modulation.1": ("norm1_context.linear",),
    "x_block.attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "x_block.attn2.qkv": ("attn2.to_q", "attn2.to_k", "attn2.to_v"),
    "context_block.attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "x_block.attn.proj": ("attn.to_out.0",),
    "x_block.attn2.proj": ("attn2.to_out.0",),
    "context_block.attn.proj": ("attn.to_add_out",),
    "x_block.mlp.fc1": ("ff.net.0.proj",),
    "x_block.mlp.fc2": ("ff.net.2",),
    "context_block.mlp.fc1": ("ff_context.net.0.proj",),
    "context_block.mlp.fc2": ("ff_context.net.2",),
}
_SD3_ENDS = {
    "x_embedder.proj": "pos_embed.proj",
    "t_embedder.mlp.0": "time_text_embed.timestep_embedder.linear_1",
    "t_embedder.mlp.2": "time_text_embed.timestep_embedder.linear_2",
    "y_embedder.mlp.0": "time_text_embed.text_embedder.linear_1",
    "y_embedder.mlp.2": "time_text_embed.text_embedder.linear_2",
}
_LAST = {"final_layer.linear": "proj_out", "final_layer.adaLN_modulation.1": "norm_out.linear"}
_BLOCK = re.compile(r"((?:single_)?transformer_blocks)\.([0-9]+)\.(.+)")
_NAMES = {
    "flux": {
        "transformer_blocks": ("double_blocks", _FLUX_DOUBLE),
        "single_transformer_blocks": ("single_blocks", _FLUX_SINGLE),
    },
    "sd3": {"transformer_blocks": ("joint_blocks", _SD3_BLOCK)},
}


@dataclass(frozen=True, slots=True)
class Part:
    """A diffusers module that is output rows `rows` (None: all) of a fused module of `total` rows."""

    path: str
    rows: Tensor | None
    total: int


def fused_modules(weights: Mapping[str, Tensor]) -> Iterator[tuple[str, tuple[Part, ...]]]:
    """The first code's names for a transformer of these module weights, by diffusers' path, each with its parts."""
    kind = _kind(weights)
    if kind is None:
        return
    blocks = sorted({(match[1], match[2]) for path in weights if (match := _BLOCK.fullmatch(path))})
    for block, number in blocks:
        first, names = _NAMES[kind].get(block, ("", {}))
        for name, parts in names.items():
            paths = [f"{block}.{number}.{part}" for part in parts]
            if all(path in weights for path in paths):
                yield f"{first}.{number}.{name}", _parts(paths, weights)
    for name, path in {**(_FLUX_ENDS if kind == "flux" else _SD3_ENDS), **_LAST}.items():
        if path in weights:
            yield name, _parts([path], weights)


def _kind(weights: Mapping[str, Tensor]) -> str | None:
    if any(path.startswith("single_transformer_blocks.") for path in weights):
        return "flux"
    return "sd3" if "pos_embed.proj" in weights and "transformer_blocks.0.attn.add_q_proj" in weights else None


def _parts(paths: list[str], weights: Mapping[str, Tensor]) -> tuple[Part, ...]:
    if len(paths) == 1:
        return (_single(paths[0], weights[paths[0]]),)
    sizes = [len(weights[path]) for path in paths]
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    spans = zip(paths, starts, sizes, strict=True)
    return tuple(Part(path, torch.arange(start, start + size), sum(sizes)) for path, start, size in spans)


def _single(path: str, weight: Tensor) -> Part:
    """The whole module; in a modulation of two, shift comes first there and scale here."""
    if not path.endswith(("norm_out.linear", "norm1_context.linear")) or len(weight) != 2 * weight.shape[1]:
        return Part(path, None, 0)
    half = weight.shape[1]
    return Part(path, torch.cat([torch.arange(half, 2 * half), torch.arange(half)]), 2 * half)
