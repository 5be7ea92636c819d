"""The checkpoint as one file, under the names of the original Stable Diffusion code (CompVis' LDM).

diffusers' own script for this knows only UNets of four blocks with two layers; here the place of each
layer is counted from the model's own configuration.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from hubsync.sandbox.train.safetensors_file import write_tensors

UNET = "model.diffusion_model."
AUTOENCODER = "first_stage_model."
TEXT_ENCODER = "cond_stage_model.transformer.text_model."

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
OUTER = {
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
}
ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def write_single_file(path: Path, pipeline: Any) -> None:  # noqa: ANN401
    """Write the pipeline's weights in half precision to `path`."""
    unet, vae, text_encoder = pipeline.unet, pipeline.vae, pipeline.text_encoder
    tensors = {UNET + unet_name(key, unet.config): value for key, value in unet.state_dict().items()}
    for key, value in vae.state_dict().items():
        name = autoencoder_name(key, len(vae.config.block_out_channels))
        # The original's attention is made of 1x1 convolutions.
        tensors[AUTOENCODER + name] = value[..., None, None] if _is_projection(name, value) else value
    for key, value in text_encoder.state_dict().items():
        tensors[TEXT_ENCODER + key.removeprefix("text_model.")] = value
    write_tensors(path, {name: value.half() for name, value in tensors.items()}, {"format": "pt"})


def unet_name(key: str, config: Any) -> str:  # noqa: ANN401
    """Where the original UNet keeps the diffusers tensor `key`."""
    for ours, theirs in OUTER.items():
        if key.startswith(ours + "."):
            return theirs + key.removeprefix(ours)
    side, rest = key.split(".", 1)
    if side == "mid_block":
        kind, index, layer = rest.split(".", 2)
        return (
            f"middle_block.{2 * int(index)}.{_renamed(layer, RESNET)}"
            if kind == "resnets"
            else f"middle_block.1.{layer}"
        )
    block, kind, index, layer = rest.split(".", 3)
    numbers = int(block), int(index)
    if side == "down_blocks":
        return _down_name(*numbers, kind, layer, config.layers_per_block + 1)
    crossed = config.up_block_types[int(block)].startswith("CrossAttn")
    return _up_name(*numbers, kind, layer, config.layers_per_block + 1, 2 if crossed else 1)


def _down_name(block: int, index: int, kind: str, layer: str, stride: int) -> str:
    if kind == "downsamplers":
        return f"input_blocks.{stride * (block + 1)}.0.op.{layer.removeprefix('conv.')}"
    place = f"input_blocks.{stride * block + index + 1}"
    return f"{place}.0.{_renamed(layer, RESNET)}" if kind == "resnets" else f"{place}.1.{layer}"


def _up_name(block: int, index: int, kind: str, layer: str, stride: int, sampler: int) -> str:
    if kind == "upsamplers":
        return f"output_blocks.{stride * (block + 1) - 1}.{sampler}.{layer}"
    place = f"output_blocks.{stride * block + index}"
    return f"{place}.0.{_renamed(layer, RESNET)}" if kind == "resnets" else f"{place}.1.{layer}"


def autoencoder_name(key: str, blocks: int) -> str:
    """Where the original autoencoder keeps the diffusers tensor `key`."""
    key = key.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
    half, _, rest = key.partition(".")
    if rest.startswith("mid_block.resnets."):
        index, layer = rest.removeprefix("mid_block.resnets.").split(".", 1)
        return f"{half}.mid.block_{int(index) + 1}.{layer}"
    if rest.startswith("mid_block.attentions.0."):
        return f"{half}.mid.attn_1.{_renamed(rest.removeprefix('mid_block.attentions.0.'), ATTENTION)}"
    if not rest.startswith(("down_blocks.", "up_blocks.")):
        return key
    side, block, kind, index, layer = rest.split(".", 4)
    place = f"{half}.down.{block}" if side == "down_blocks" else f"{half}.up.{blocks - 1 - int(block)}"
    return f"{place}.block.{index}.{layer}" if kind == "resnets" else f"{place}.{kind.removesuffix('rs')}.{layer}"


def _renamed(layer: str, names: dict[str, str]) -> str:
    """`layer` with its module's name replaced, its `weight` or `bias` kept."""
    module, _, leaf = layer.rpartition(".")
    return f"{names[module]}.{leaf}"


def _is_projection(name: str, value: Tensor) -> bool:
    return ".attn_1." in name and value.ndim == 2
