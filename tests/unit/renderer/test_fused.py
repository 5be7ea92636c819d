"""Files that name the modules of Flux.1's and SD 3's first code, against checkpoints merged there and converted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from diffusers import FluxTransformer2DModel, SD3Transformer2DModel
from diffusers.loaders.single_file_utils import convert_sd3_transformer_checkpoint_to_diffusers
from safetensors.torch import save_file

from hubsync.errors import HubsyncError
from hubsync.render.wire import Applied
from hubsync.renderer.adapters import applied
from hubsync.renderer.names import table_of
from hubsync.renderer.networks import load_network

CLOSE = 1e-5
WIDTH = 32


def sd3() -> Any:
    """Two blocks, the last of which leaves the text alone, as in the published model."""
    torch.manual_seed(0)
    return SD3Transformer2DModel(
        sample_size=8,
        patch_size=1,
        in_channels=4,
        out_channels=4,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=16,
        caption_projection_dim=WIDTH,
        pooled_projection_dim=24,
        dual_attention_layers=(0,),
    ).eval()


def flux() -> Any:
    """One block of each kind."""
    torch.manual_seed(0)
    return FluxTransformer2DModel(
        in_channels=4,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=16,
        pooled_projection_dim=24,
        guidance_embeds=True,
        axes_dims_rope=(2, 2, 4),
    ).eval()


def sd3_answer(model: Any) -> torch.Tensor:
    """Its answer to noise and a text."""
    dice = torch.Generator().manual_seed(3)
    noise, text = torch.randn(2, 4, 8, 8, generator=dice), torch.randn(2, 5, 16, generator=dice)
    with torch.no_grad():
        answer: torch.Tensor = model(noise, text, torch.randn(2, 24, generator=dice), torch.tensor([500, 500])).sample
    return answer


def flux_answer(model: Any) -> torch.Tensor:
    """Its answer to noise and a text."""
    dice = torch.Generator().manual_seed(3)
    with torch.no_grad():
        answer: torch.Tensor = model(
            hidden_states=torch.randn(2, 16, 4, generator=dice),
            encoder_hidden_states=torch.randn(2, 5, 16, generator=dice),
            pooled_projections=torch.randn(2, 24, generator=dice),
            timestep=torch.tensor([0.5, 0.5]),
            guidance=torch.tensor([3.0, 3.0]),
            img_ids=torch.zeros(16, 3),
            txt_ids=torch.zeros(5, 3),
        ).sample
    return answer


def sd3_first_code(blocks: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Names and shapes of its linear layers in Stability's own code."""
    for block in range(blocks):
        for side in ("x_block", "context_block"):
            last = side == "context_block" and block == blocks - 1
            turns = 2 if last else 9 if side == "x_block" and block == 0 else 6
            yield f"joint_blocks.{block}.{side}.adaLN_modulation.1", (turns * WIDTH, WIDTH)
            yield f"joint_blocks.{block}.{side}.attn.qkv", (3 * WIDTH, WIDTH)
            if not last:
                yield f"joint_blocks.{block}.{side}.attn.proj", (WIDTH, WIDTH)
                yield f"joint_blocks.{block}.{side}.mlp.fc1", (4 * WIDTH, WIDTH)
                yield f"joint_blocks.{block}.{side}.mlp.fc2", (WIDTH, 4 * WIDTH)
    yield "joint_blocks.0.x_block.attn2.qkv", (3 * WIDTH, WIDTH)
    yield "joint_blocks.0.x_block.attn2.proj", (WIDTH, WIDTH)
    yield "context_embedder", (WIDTH, 16)
    yield "t_embedder.mlp.0", (WIDTH, 256)
    yield "t_embedder.mlp.2", (WIDTH, WIDTH)
    yield "y_embedder.mlp.0", (WIDTH, 24)
    yield "y_embedder.mlp.2", (WIDTH, WIDTH)
    yield "final_layer.linear", (4, WIDTH)
    yield "final_layer.adaLN_modulation.1", (2 * WIDTH, WIDTH)


def pairs(shapes: Mapping[str, tuple[int, int]]) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Random factors of rank 3 for each name."""
    dice = torch.Generator().manual_seed(7)
    return {
        name: (torch.randn(3, wide, generator=dice) * 0.1, torch.randn(tall, 3, generator=dice) * 0.1)
        for name, (tall, wide) in shapes.items()
    }


def test_sd3s_first_code_means_what_its_converted_checkpoint_means(tmp_path: Path) -> None:
    """Every layer: fused attention is cut, the last block's and the end's shift and scale change places."""
    shapes = dict(sd3_first_code(2))
    made = pairs(shapes)
    dice = torch.Generator().manual_seed(1)
    weights = {name: torch.randn(shape, generator=dice) * 0.1 for name, shape in shapes.items()}
    rest = {"pos_embed": torch.zeros(1, 96 * 96, WIDTH), "x_embedder.proj.weight": torch.ones(WIDTH, 4, 1, 1) * 0.1}
    rest["x_embedder.proj.bias"] = torch.zeros(WIDTH)

    def model(change: float) -> Any:
        merged = {name: weights[name] + change * up @ down for name, (down, up) in made.items()}
        sides = {f"{name}.weight": weight for name, weight in merged.items()}
        sides |= {f"{name}.bias": torch.zeros(len(weight)) for name, weight in merged.items()}
        fresh = sd3()
        fresh.load_state_dict(convert_sd3_transformer_checkpoint_to_diffusers({**sides, **rest}), strict=False)
        return fresh

    path = tmp_path / "x.safetensors"
    save_file(
        {
            f"lora_unet_{name.replace('.', '_')}.lora_{side}.weight": factor
            for name, pair in made.items()
            for side, factor in zip(("down", "up"), pair, strict=True)
        },
        path,
    )
    bare = model(0.0)
    network = load_network("x", path, table_of({"transformer": bare}))
    use = (Applied(lora="x", te=0.0, unet=1.0),)
    assert network.leftover == ()
    with applied({"x": network}, [use, use]):
        ours = sd3_answer(bare)
    assert (ours - sd3_answer(model(1.0))).abs().max() <= CLOSE
    assert (ours - sd3_answer(bare)).abs().mean() > 100 * CLOSE


FLUX = {
    "double_blocks.0.img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "double_blocks.0.txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "double_blocks.0.img_attn.proj": ("attn.to_out.0",),
    "double_blocks.0.txt_mlp.2": ("ff_context.net.2",),
    "double_blocks.0.img_mod.lin": ("norm1.linear",),
    "single_blocks.0.linear1": ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"),
    "single_blocks.0.linear2": ("proj_out",),
}


def first_code(name: str, side: str) -> str:
    """Black Forest Labs' names as ComfyUI and ai-toolkit write them."""
    return f"diffusion_model.{name}.lora_{'A' if side == 'down' else 'B'}.weight"


def kohya(name: str, side: str) -> str:
    """kohya's."""
    return f"lora_unet_{name.replace('.', '_')}.lora_{side}.weight"


@pytest.mark.parametrize("spell", [first_code, kohya])
def test_fluxs_first_code_means_the_same_rows_in_every_part(tmp_path: Path, spell: Any) -> None:
    """What diffusers loads "successfully" with no module touched: each part has its rows of the fused product."""
    model, merged = flux(), flux()
    expected = dict(merged.named_modules())
    tensors: dict[str, torch.Tensor] = {}
    for name, parts in FLUX.items():
        block = "single_transformer_blocks.0" if name.startswith("single") else "transformer_blocks.0"
        layers = [expected[f"{block}.{part}"] for part in parts]
        down = torch.randn(3, layers[0].weight.shape[1]) * 0.1
        up = torch.randn(sum(len(layer.weight) for layer in layers), 3) * 0.1
        tensors |= {spell(name, "down"): down, spell(name, "up"): up}
        for layer, delta in zip(layers, torch.split(up @ down, [len(layer.weight) for layer in layers]), strict=True):
            layer.weight.data += delta
    path = tmp_path / "x.safetensors"
    save_file(tensors, path)
    network = load_network("x", path, table_of({"transformer": model}))
    use = (Applied(lora="x", te=0.0, unet=1.0),)
    assert network.leftover == ()
    assert len(network.modules) == sum(map(len, FLUX.values()))
    base = flux_answer(model)
    with applied({"x": network}, [use, use]):
        ours = flux_answer(model)
    assert (ours - flux_answer(merged)).abs().max() <= CLOSE
    assert (ours - base).abs().mean() > 100 * CLOSE


def test_a_dora_over_a_fused_module_lengthens_each_row(tmp_path: Path) -> None:
    """Rows do not know each other, so a part of them is lengthened as in the whole."""
    model = flux()
    modules = dict(model.named_modules())
    layers = [modules[f"transformer_blocks.0.attn.to_{part}"] for part in "qkv"]
    whole = torch.cat([layer.weight.data for layer in layers])
    down, up = torch.randn(3, WIDTH) * 0.1, torch.randn(3 * WIDTH, 3) * 0.1
    magnitude = whole.norm(dim=1, keepdim=True) * 1.5
    name = "lora_unet_double_blocks_0_img_attn_qkv"
    path = tmp_path / "x.safetensors"
    save_file({f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up, f"{name}.dora_scale": magnitude}, path)
    network = load_network("x", path, table_of({"transformer": model}))
    moved = whole + up @ down
    expected = moved * magnitude / moved.norm(dim=1, keepdim=True) - whole
    got = torch.cat([network.modules[target].of(target.module.weight.data) for target in network.modules])
    assert torch.allclose(got, expected, atol=1e-6)


def test_a_rotation_over_a_fused_module_is_refused(tmp_path: Path) -> None:
    """Its blocks would mix rows of modules that the checkpoint keeps apart."""
    path = tmp_path / "x.safetensors"
    save_file({"lora_unet_double_blocks_0_img_attn_qkv.oft_blocks": torch.randn(12, 8, 8)}, path)
    with pytest.raises(HubsyncError, match="'x' turns the rows of a fused module"):
        load_network("x", path, table_of({"transformer": flux()}))
