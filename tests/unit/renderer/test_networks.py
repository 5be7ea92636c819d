"""LoRA files: every layout is bound module by module, every other network is refused by its name."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from diffusers import Lumina2Pipeline, Lumina2Transformer2DModel
from safetensors.torch import load_file, save_file

from hubsync.errors import HubsyncError, NotFound, NotSafetensors, WrongFamily
from hubsync.renderer.deltas import LowRank
from hubsync.renderer.loading import converted
from hubsync.renderer.names import Table, Target, table_of
from hubsync.renderer.networks import Network, load_network
from hubsync.renderer.sgm import sgm_path
from tests.unit.renderer.conftest import Pipeline, Spell, diffusers, kohya, modules, random_lora

ATTENTION = ("attentions", "self_attn", "mlp")


def peft(component: str, path: str) -> dict[str, str]:
    """What peft's own save writes: a wrapper's prefix, an adapter's name, no component."""
    del component
    module = f"base_model.model.{path}"
    return {"down": f"{module}.lora_A.default.weight", "up": f"{module}.lora_B.default.weight"}


def old_processors(component: str, path: str) -> dict[str, str]:
    """diffusers before 0.15: attention processors, `to_out` without its index."""
    module = f"{component}.{path.removesuffix('.0')}".replace(".to_", ".processor.to_")
    return {"down": f"{module}_lora.down.weight", "up": f"{module}_lora.up.weight"}


def old_layers(component: str, path: str) -> dict[str, str]:
    """diffusers 0.15 to 0.21: lora layers inside the linear ones."""
    kind = "lora.{}" if component == "unet" else "lora_linear_layer.{}"
    bare = f"text_model.{path.removeprefix('text_model.')}" if component != "unet" else path
    return {side: f"{component}.{bare}.{kind.format(side)}.weight" for side in ("down", "up")}


def pair(network: Network, target: Target) -> LowRank:
    """A module's factors."""
    delta = network.modules[target]
    assert isinstance(delta, LowRank)
    return delta


@pytest.mark.parametrize(
    ("spell", "parts"),
    [
        (kohya, ATTENTION),
        (diffusers, ATTENTION),
        (peft, ("attentions",)),
        (old_processors, ("attn1.to_", "attn2.to_")),
        (old_layers, ("attn1.to_", "attn2.to_", "self_attn")),
    ],
)
def test_a_layout_finds_every_module(tmp_path: Path, table: Table, spell: Spell, parts: tuple[str, ...]) -> None:
    """Whatever wrote the file, each pair of factors lands on its own module, with the values of the file."""
    targets = modules(table, *parts)
    path = random_lora(tmp_path / "x.safetensors", targets, spell, rank=2)
    network = load_network("x", path, table)
    tensors = load_file(path)
    assert set(network.modules) == set(targets)
    assert network.leftover == ()
    for target in network.modules:
        factors = pair(network, target)
        keys = spell(target.component, target.path)
        assert bool((factors.down == tensors[keys["down"]]).all())
        assert bool((factors.up == tensors[keys["up"]]).all())


def test_sgm_names_find_every_module(tmp_path: Path, pipe: Pipeline, table: Table) -> None:
    """Stability's flat block names, resnets, samplers and time embedding included."""

    def sgm(component: str, path: str) -> dict[str, str]:
        del component
        return kohya("unet", sgm_path(path, pipe.unet) or "none")

    targets = modules(table, "down_blocks", "mid_block", "up_blocks", "time_embedding", "conv_in", "conv_out")
    targets = [target for target in targets if target.component == "unet"]
    network = load_network("x", random_lora(tmp_path / "x.safetensors", targets, sgm), table)
    assert set(network.modules) == set(targets)
    assert len(targets) == sum(isinstance(m, (torch.nn.Linear, torch.nn.Conv2d)) for m in pipe.unet.modules())


def test_alpha_over_rank_is_the_scale(tmp_path: Path, table: Table) -> None:
    """From the alpha tensor, of any shape; 1 without one."""
    (target,) = modules(table, "down_blocks.0.attentions.0.proj_in")
    path = random_lora(tmp_path / "x.safetensors", [target], kohya, rank=8, alpha=2.0)
    assert pair(load_network("x", path, table), target).scale == 0.25
    tensors = load_file(path)
    key = kohya("unet", target.path)["alpha"]
    save_file({**tensors, key: torch.tensor([4.0])}, path)
    assert pair(load_network("x", path, table), target).scale == 0.5
    del tensors[key]
    save_file(tensors, path)
    assert pair(load_network("x", path, table), target).scale == 1.0


@pytest.mark.parametrize(
    ("settings", "scales"),
    [
        ({"unet.lora_alpha": 2}, (0.5, 0.5)),
        ({"unet.lora_alpha": 2, "unet.alpha_pattern": {"attn1.to_q": 8}}, (2.0, 0.5)),
        ({"unet.lora_alpha": 4, "unet.use_rslora": True}, (2.0, 2.0)),
        ({"text_encoder.lora_alpha": 2}, (1.0, 1.0)),
    ],
)
def test_peft_keeps_alpha_in_the_metadata(
    tmp_path: Path, table: Table, settings: dict[str, object], scales: tuple[float, float]
) -> None:
    """`lora_adapter_metadata` gives alpha, its exceptions and rank-stabilised scaling, per component."""
    targets = modules(
        table, "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q", "mid_block.attentions.0.proj_in"
    )
    path = random_lora(tmp_path / "x.safetensors", targets, diffusers, rank=4)
    save_file(load_file(path), path, metadata={"lora_adapter_metadata": json.dumps(settings)})
    network = load_network("x", path, table)
    assert tuple(pair(network, target).scale for target in sorted(targets, key=lambda t: t.path)) == scales


def test_factors_take_the_form_of_their_module(tmp_path: Path, table: Table) -> None:
    """Where the checkpoint has a 1x1 convolution and the file a matrix, or the reverse, they are the same numbers."""
    convolution = modules(table, "down_blocks.0.attentions.0.proj_in")[0]
    linear = modules(table, "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q")[0]
    path = random_lora(tmp_path / "x.safetensors", [convolution, linear], kohya, rank=2)
    tensors = load_file(path)
    flat = {kohya("unet", convolution.path)[side] for side in ("down", "up")}
    save_file({k: t.flatten(1) if k in flat else t[:, :, None, None].clone() for k, t in tensors.items()}, path)
    network = load_network("x", path, table)
    assert pair(network, convolution).down.shape == (2, convolution.module.weight.shape[1], 1, 1)
    assert pair(network, linear).up.shape == (linear.module.weight.shape[0], 2)


@pytest.mark.parametrize(
    "ending", ["hada_w1_a", "lokr_w2_b", "a1.weight", "oft_blocks", "on_input", "dora_scale", "alpha"]
)
def test_half_a_network_is_reported(tmp_path: Path, table: Table, ending: str) -> None:
    """A module of which one tensor alone is there: a truncated file, or one edited by hand."""
    path = random_lora(tmp_path / "x.safetensors", modules(table, "attn2"), kohya)
    module = "lora_unet_mid_block_attentions_0_proj_in"
    save_file({**load_file(path), f"{module}.{ending}": torch.ones(4)}, path)
    assert load_network("x", path, table).leftover == (module,)


@pytest.mark.parametrize(
    ("ending", "name"),
    [("oft_R.weight", "OFT as PEFT writes it"), ("ia3_l", r"\(IA\)3 as PEFT writes it"), ("vera_lambda_d", "VeRA")],
)
def test_a_network_that_is_not_drawn_is_refused_by_name(tmp_path: Path, table: Table, ending: str, name: str) -> None:
    """Never as a file that holds nothing."""
    path = tmp_path / "x.safetensors"
    save_file({f"base_model.model.mid_block.attentions.0.proj_in.{ending}": torch.ones(4)}, path)
    with pytest.raises(HubsyncError, match=f"'x' is {name}"):
        load_network("x", path, table)


def test_two_spellings_in_one_file_are_read_both(tmp_path: Path, table: Table) -> None:
    """`lora.down` for attention, `lora_A` for the rest, as diffusers 0.42 once exported: it loads 28 of 84 modules."""
    first, second = modules(table, "attn1.to_"), modules(table, "ff.net", "proj_in")
    mixed = load_file(random_lora(tmp_path / "a", first, old_layers))
    mixed |= load_file(random_lora(tmp_path / "b", second, diffusers))
    path = tmp_path / "x.safetensors"
    save_file(mixed, path)
    network = load_network("x", path, table)
    assert set(network.modules) == {*first, *second}
    assert network.leftover == ()


def test_a_text_encoders_modules_have_alphas_of_their_own(tmp_path: Path, table: Table) -> None:
    """diffusers 0.42 takes one alpha for all of them, with a warning alone."""
    targets = modules(table, "layers.0.mlp.fc1", "layers.1.self_attn.q_proj")
    path = random_lora(tmp_path / "x.safetensors", targets, kohya, rank=4, alpha=1.0)
    tensors = load_file(path)
    tensors[kohya("text_encoder", targets[0].path)["alpha"]] = torch.tensor(2.0)
    save_file(tensors, path)
    network = load_network("x", path, table)
    assert [pair(network, target).scale for target in targets] == [0.5, 0.25]


def test_an_alpha_of_zero_stands_for_the_rank(tmp_path: Path, table: Table) -> None:
    """As the trainers that write it read it."""
    (target,) = modules(table, "down_blocks.0.attentions.0.proj_in")
    path = random_lora(tmp_path / "x.safetensors", [target], kohya, rank=8, alpha=0.0)
    assert pair(load_network("x", path, table), target).scale == 1.0


def test_gloras_older_names_mean_the_same(tmp_path: Path, table: Table) -> None:
    """LyCORIS before 2.0 called the halves of each product the other way round."""
    (target,) = modules(table, "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k")
    tall, wide = target.module.weight.shape
    tensors = {
        name: torch.randn(shape)
        for name, shape in zip(("a1", "a2", "b1", "b2"), ((wide, 3), (3, wide), (tall, 3), (3, wide)), strict=True)
    }
    old = {"a1": tensors["a2"], "a2": tensors["a1"], "b1": tensors["b2"], "b2": tensors["b1"]}
    deltas = []
    for named in (tensors, old):
        path = tmp_path / "x.safetensors"
        module = kohya("unet", target.path)["down"].partition(".")[0]
        save_file({f"{module}.{name}.weight": tensor for name, tensor in named.items()}, path)
        deltas.append(load_network("x", path, table).modules[target].of(target.module.weight.data))
    assert torch.equal(*deltas)


def test_what_has_no_place_is_reported(tmp_path: Path, table: Table) -> None:
    """A module the checkpoint lacks, half a pair and an unknown tensor are named, the rest is applied."""
    targets = modules(table, "attn2")
    path = random_lora(tmp_path / "x.safetensors", targets, kohya)
    extra = {
        "lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": torch.ones(1, 4),
        "lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_up.weight": torch.ones(4, 1),
        "lora_unet_conv_in.lora_down.weight": torch.ones(1, 4, 3, 3),
        "bundle_emb.word.string_to_param.*": torch.ones(1, 4),
    }
    save_file({**load_file(path), **extra}, path)
    network = load_network("x", path, table)
    assert set(network.modules) == set(targets)
    assert set(network.leftover) == {
        "lora_te2_text_model_encoder_layers_0_mlp_fc1",
        "lora_unet_conv_in",
        "bundle_emb.word.string_to_param.*",
    }


def test_a_file_for_another_base_model_is_refused(tmp_path: Path, table: Table) -> None:
    """No module at all, less than half of them, or another shape under the same name: never the base picture."""
    flux = {
        f"lora_unet_double_blocks_{i}_img_mlp_0.lora_{side}.weight": torch.ones(4, 4)
        for i in range(40)
        for side in ("down", "up")
    }
    path = tmp_path / "x.safetensors"
    save_file(flux, path)
    with pytest.raises(
        WrongFamily, match=r"only 0 of the 40 modules of 'x' exist.*lora_unet_double_blocks_0_img_mlp_0"
    ):
        load_network("x", path, table)
    save_file({**flux, **load_file(random_lora(tmp_path / "y", modules(table, "self_attn"), kohya))}, path)
    with pytest.raises(WrongFamily, match="only 8 of the 48 modules"):
        load_network("x", path, table)
    module = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k"
    save_file({f"{module}.lora_down.weight": torch.ones(4, 768), f"{module}.lora_up.weight": torch.ones(64, 4)}, path)
    with pytest.raises(WrongFamily, match=r"attn2\.to_k is \[64, 64\], the file has \[64, 4\] times \[4, 768\]"):
        load_network("x", path, table)


def test_a_file_that_is_no_lora_is_refused(tmp_path: Path, table: Table) -> None:
    """A checkpoint put into the wrong folder, an empty file, a page of HTML, nothing at all."""
    path = tmp_path / "x.safetensors"
    save_file({"model.diffusion_model.out.2.weight": torch.ones(1)}, path)
    with pytest.raises(HubsyncError, match="holds nothing the renderer knows as a LoRA: 1 tensors"):
        load_network("x", path, table)
    path.write_bytes(b"<!DOCTYPE html><html>not found</html>")
    with pytest.raises(NotSafetensors, match=r"^x\.safetensors: "):
        load_network("x", path, table)
    with pytest.raises(NotFound, match="is not there"):
        load_network("x", tmp_path / "gone.safetensors", table)


class Lumina(Lumina2Pipeline):  # type: ignore[misc]
    """The pipeline's class alone: its converter needs nothing of it."""

    def __init__(self) -> None: ...


LUMINA = {
    "attention.qkv": (2304 + 2 * 768, 2304),
    "attention.out": (2304, 2304),
    "feed_forward.w1": (9216, 2304),
    "feed_forward.w2": (2304, 9216),
    "feed_forward.w3": (9216, 2304),
    "adaLN_modulation.1": (4 * 2304, 1024),
}


def lumina(path: Path, *, layers: int, more: dict[str, torch.Tensor] | None = None) -> Path:
    """A LoRA in the names of Lumina 2's first code, as ComfyUI writes them."""
    tensors: dict[str, torch.Tensor] = {}
    for layer in range(layers):
        for name, (tall, wide) in LUMINA.items():
            module = f"diffusion_model.layers.{layer}.{name}"
            tensors |= {f"{module}.lora_A.weight": torch.ones(2, wide), f"{module}.lora_B.weight": torch.ones(tall, 2)}
    save_file(tensors | (more or {}), path)
    return path


def test_a_family_that_diffusers_alone_can_spell_is_converted(tmp_path: Path) -> None:
    """Where hubsync knows no module's name, diffusers' converter is asked; what it makes is counted all the same."""
    with torch.device("meta"):
        table = table_of({"transformer": Lumina2Transformer2DModel(num_layers=2, num_refiner_layers=1)})
    path = lumina(tmp_path / "x.safetensors", layers=2)
    with pytest.raises(WrongFamily, match="only 0 of the 12 modules"):
        load_network("x", path, table)
    network = load_network("x", path, table, partial(converted, Lumina()))
    assert network.leftover == ()
    assert {target.path for target in network.modules} >= {"layers.1.attn.to_v", "layers.0.norm1.linear"}
    assert len(network.modules) == 2 * (len(LUMINA) + 2)


def test_what_no_converter_knows_stays_refused(tmp_path: Path, table: Table) -> None:
    """It may fail in any way, or give what the checkpoint has no place for."""
    path = lumina(tmp_path / "x.safetensors", layers=1)
    with pytest.raises(WrongFamily, match="only 0 of the 6 modules"):
        load_network("x", path, table, partial(converted, Lumina()))
    strange = lumina(tmp_path / "y.safetensors", layers=1, more={"layers.0.lora_A.weight": torch.ones(2, 2)})
    with pytest.raises(WrongFamily):
        load_network("y", strange, table, partial(converted, object()))
