"""Key lists of real files against the module trees of full-size checkpoints, without their weights."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from hubsync.renderer.names import Target, flatten, table_of

_DOWN = re.compile(r"(.+?)\.(?:lora_down|lora_A|lora\.down|lora_linear_layer\.down)\.weight")


def sd_unet(width: int, *, linear: bool) -> UNet2DConditionModel:
    """The UNet of SD 1 or 2."""
    return UNet2DConditionModel(cross_attention_dim=width, attention_head_dim=8, use_linear_projection=linear)


def sdxl_unet() -> UNet2DConditionModel:
    """The UNet of SDXL."""
    return UNet2DConditionModel(
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(320, 640, 1280),
        transformer_layers_per_block=(1, 2, 10),
        cross_attention_dim=2048,
        attention_head_dim=(5, 10, 20),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=2816,
    )


def clip(width: int, layers: int) -> CLIPTextConfig:
    """A CLIP text encoder's configuration."""
    return CLIPTextConfig(
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        projection_dim=width,
    )


@pytest.fixture(scope="module")
def tables() -> dict[str, dict[str, Target]]:
    """Spelling tables of the three Stable Diffusion families."""
    with torch.device("meta"):
        small, large = CLIPTextModel(clip(768, 12)), CLIPTextModelWithProjection(clip(1280, 32))
        return {
            "sd1": table_of({"unet": sd_unet(768, linear=False), "text_encoder": small}),
            "sd2": table_of({"unet": sd_unet(1024, linear=True), "text_encoder": CLIPTextModel(clip(1024, 23))}),
            "sdxl": table_of({"unet": sdxl_unet(), "text_encoder": small, "text_encoder_2": large}),
        }


def inputs_of(path: Path) -> dict[str, int]:
    """The modules a file names, with the input width its header gives them."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    found = ((_DOWN.fullmatch(key), value) for key, value in header.items())
    return {match[1]: value["shape"][1] for match, value in found if match}


@pytest.mark.parametrize(
    ("file", "family", "count"),
    [
        ("formats/kohya__sdxl.hdr.safetensors", "sdxl", 1014),
        ("formats/kohya__sd15_conv.hdr.safetensors", "sd1", 350),
        ("formats/lycoris__sd15_locon.hdr.safetensors", "sd1", 266),
        ("formats/diffusers__sd15_unet_te_peft.hdr.safetensors", "sd1", 176),
        ("formats/diffusers__sd15_old_lora_linear_layer.hdr.safetensors", "sd1", 176),
        ("real_lora_sd21.safetensors", "sd2", 128),
    ],
)
def test_a_real_file_finds_all_its_modules(
    tables: dict[str, dict[str, Target]], shared_data: Path, file: str, family: str, count: int
) -> None:
    """Each name is in the table, no two mean the same module, and every width is right."""
    widths = inputs_of(shared_data / file)
    targets = [tables[family][flatten(name)] for name in widths]
    assert (len(widths), len(set(targets))) == (count, count)
    assert [target.module.weight.shape[1] for target in targets] == list(widths.values())


@pytest.mark.parametrize(
    ("family", "sgm", "path"),
    [
        ("sdxl", "input_blocks_0_0", "conv_in"),
        ("sdxl", "input_blocks_1_0_in_layers_2", "down_blocks.0.resnets.0.conv1"),
        ("sdxl", "input_blocks_3_0_op", "down_blocks.0.downsamplers.0.conv"),
        ("sdxl", "input_blocks_4_0_skip_connection", "down_blocks.1.resnets.0.conv_shortcut"),
        ("sdxl", "input_blocks_8_1_proj_out", "down_blocks.2.attentions.1.proj_out"),
        ("sdxl", "middle_block_1_proj_in", "mid_block.attentions.0.proj_in"),
        ("sdxl", "middle_block_2_emb_layers_1", "mid_block.resnets.1.time_emb_proj"),
        ("sdxl", "output_blocks_2_2_conv", "up_blocks.0.upsamplers.0.conv"),
        ("sdxl", "output_blocks_8_0_out_layers_3", "up_blocks.2.resnets.2.conv2"),
        ("sdxl", "label_emb_0_2", "add_embedding.linear_2"),
        ("sd1", "output_blocks_2_1_conv", "up_blocks.0.upsamplers.0.conv"),
        ("sd1", "output_blocks_11_1_proj_in", "up_blocks.3.attentions.2.proj_in"),
        ("sd1", "out_2", "conv_out"),
    ],
)
def test_sgm_blocks_are_counted_as_stability_counts_them(
    tables: dict[str, dict[str, Target]], family: str, sgm: str, path: str
) -> None:
    """Names written down from the published checkpoints' own keys."""
    assert tables[family][f"lora_unet_{sgm}"].path == path
