"""Key lists of real files against the module trees of full-size checkpoints, without their weights."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from diffusers import FluxTransformer2DModel, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, T5Config, T5EncoderModel

from hubsync.renderer.names import Table, flatten, table_of
from hubsync.renderer.networks import load_network

_DOWN = re.compile(r"(.+?)(?:[._]lora(?P<branch>[12]?)\.|\.lora_|\.lora_linear_layer\.)(?:down|A)\.weight")


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
def tables() -> dict[str, Table]:
    """Spelling tables of the three Stable Diffusion families and of Flux.1."""
    with torch.device("meta"):
        small, large = CLIPTextModel(clip(768, 12)), CLIPTextModelWithProjection(clip(1280, 32))
        return {
            "sd1": table_of({"unet": sd_unet(768, linear=False), "text_encoder": small}),
            "sd2": table_of({"unet": sd_unet(1024, linear=True), "text_encoder": CLIPTextModel(clip(1024, 23))}),
            "flux1": table_of(
                {
                    "transformer": FluxTransformer2DModel(guidance_embeds=True),
                    "text_encoder": small,
                    "text_encoder_2": T5EncoderModel(
                        T5Config(d_model=4096, d_ff=10240, num_heads=64, num_layers=24, feed_forward_proj="gated-gelu")
                    ),
                }
            ),
            "sdxl": table_of({"unet": sdxl_unet(), "text_encoder": small, "text_encoder_2": large}),
        }


def inputs_of(path: Path) -> dict[str, int]:
    """The modules a file names, with the input width its header gives them."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    found = ((_DOWN.fullmatch(key), value) for key, value in header.items())
    return {match[1] + (match["branch"] or ""): value["shape"][1] for match, value in found if match}


@pytest.mark.parametrize(
    ("file", "family", "count"),
    [
        ("formats/kohya__sdxl.hdr.safetensors", "sdxl", 1014),
        ("formats/kohya__sd15_conv.hdr.safetensors", "sd1", 350),
        ("formats/lycoris__sd15_locon.hdr.safetensors", "sd1", 266),
        ("formats/diffusers__sd15_unet_te_peft.hdr.safetensors", "sd1", 176),
        ("formats/diffusers__sd15_old_lora_linear_layer.hdr.safetensors", "sd1", 176),
        ("formats/lycoris__sd15_locon_conv_tucker.hdr.safetensors", "sd1", 88),
        ("formats/diffusers__flux1.hdr.safetensors", "flux1", 14),
        ("formats/invoke__flux_lora_kohya_with_te1_format.hdr.safetensors", "flux1", 376),
        ("formats/invoke__flux_lora_diffusers_base_model_format.hdr.safetensors", "flux1", 381),
        ("formats/invoke__flux_lora_xlabs_format.hdr.safetensors", "flux1", 12),
        ("real_lora_sd21.safetensors", "sd2", 128),
    ],
)
def test_a_real_file_finds_all_its_modules(
    tables: dict[str, Table], shared_data: Path, file: str, family: str, count: int
) -> None:
    """Each name is in the table, no two mean the same module, and every width is right."""
    widths = inputs_of(shared_data / file)
    meant = {name: tables[family][flatten(name)] for name in widths}
    targets = [share.target for shares in meant.values() for share in shares]
    assert len(widths) == count
    assert len(set(targets)) == len(targets) >= count
    assert all(
        share.target.module.weight.shape[1] == widths[name] for name, shares in meant.items() for share in shares
    )


@pytest.mark.parametrize(
    ("file", "family", "modules", "merges"),
    [
        ("kohya__sdxl", "sdxl", 1014, False),
        ("kohya__sd15_conv", "sd1", 350, False),
        ("lycoris__sd15_locon_conv_tucker", "sd1", 88, False),
        ("lycoris__sd15_glora", "sd1", 266, True),
        ("lycoris__sd15_oft", "sd1", 266, True),
        ("invoke__flux_lora_kohya_with_te1_format", "flux1", 566, False),
        ("invoke__flux_lora_xlabs_format", "flux1", 24, False),
    ],
)
def test_a_real_file_is_bound_whole(
    tmp_path: Path, tables: dict[str, Table], shared_data: Path, file: str, family: str, modules: int, *, merges: bool
) -> None:
    """A file of zeros with a real header: every shape fits, nothing is left over, fused modules are cut."""
    source = shared_data / "formats" / f"{file}.hdr.safetensors"
    header = source.read_bytes()
    length = int.from_bytes(header[:8], "little")
    tensors = json.loads(header[8 : 8 + length])
    end = max(entry["data_offsets"][1] for name, entry in tensors.items() if name != "__metadata__")
    path = tmp_path / "x.safetensors"
    path.write_bytes(header)
    os.truncate(path, 8 + length + end)
    network = load_network("x", path, tables[family])
    assert network.leftover == ()
    assert (len(network.modules), network.merges) == (modules, merges)


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
    tables: dict[str, Table], family: str, sgm: str, path: str
) -> None:
    """Names written down from the published checkpoints' own keys."""
    (share,) = tables[family][f"lora_unet_{sgm}"]
    assert share.target.path == path
