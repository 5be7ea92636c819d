"""Names of a UNet's modules in Stability's own code (ldm, sgm), which most SDXL LoRAs use.

There the down and up blocks are one flat list each: with n layers a block, block i, layer j is
`input_blocks.{(n+1)i+j+1}` or `output_blocks.{(n+1)i+j}`; inside, `.0` is the resnet and `.1` the attention.
"""

from __future__ import annotations

from typing import Any

from torch import nn

_FIXED = {
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
}
_RESNET = {
    "norm1": "in_layers.0",
    "norm2": "out_layers.0",
    "conv1": "in_layers.2",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}


def sgm_path(path: str, unet: nn.Module) -> str | None:
    """The sgm name of the module that diffusers calls `path`; None where there is none."""
    if path in _FIXED:
        return _FIXED[path]
    block, _, rest = path.partition(".")
    if block == "mid_block":
        kind, at, inner = rest.split(".", 2)
        return f"middle_block.{1 if kind == 'attentions' else 2 * int(at)}.{_RESNET.get(inner, inner)}"
    if block in {"down_blocks", "up_blocks"}:
        return _block_path(block, rest, unet)
    return None


def _block_path(block: str, rest: str, unet: Any) -> str | None:  # noqa: ANN401
    layers = unet.config.layers_per_block
    if not isinstance(layers, int):
        return None
    index, kind, at, inner = rest.split(".", 3)
    first = (layers + 1) * int(index)
    if kind in {"resnets", "attentions"}:
        place = first + int(at) + (block == "down_blocks")
        side = "input_blocks" if block == "down_blocks" else "output_blocks"
        return f"{side}.{place}.{int(kind == 'attentions')}.{_RESNET.get(inner, inner)}"
    if kind == "downsamplers":
        return f"input_blocks.{first + layers + 1}.0.op"
    # The upsampler comes after the attention, where the block has one.
    after = 2 if getattr(unet.up_blocks[int(index)], "attentions", None) else 1
    return f"output_blocks.{first + layers}.{after}.conv"
