"""Many LoRAs in one batch, against diffusers' own loading of one file at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import load_file, save_file

from hubsync.errors import HubsyncError
from hubsync.render import wire
from hubsync.renderer.adapters import applied
from hubsync.renderer.deltas import Decomposed, LowRank
from hubsync.renderer.drawing import Artist
from hubsync.renderer.names import Table, Target
from hubsync.renderer.networks import Network, load_network
from tests.unit.renderer.conftest import (
    PROMPT,
    Pipeline,
    Spell,
    diffusers,
    draw,
    kohya,
    modules,
    new_pipeline,
    random_lora,
    request,
    row,
    worn,
)

ATTENTION = ("attentions", "self_attn", "mlp")
EVERYTHING = (*ATTENTION, "resnets", "samplers")
CLOSE = 1e-5
"""The bar for pictures in fp32, 0..1; measured 3e-6."""


def by_diffusers(pipe: Pipeline, path: Path, weight: float, seed: int) -> torch.Tensor:
    """The picture as diffusers draws it with its own loader."""
    pipe.load_lora_weights(str(path), adapter_name="x")
    pipe.set_adapters(["x"], [weight])
    dice = torch.Generator().manual_seed(seed)
    picture: torch.Tensor = pipe(
        PROMPT, generator=dice, num_inference_steps=4, guidance_scale=3.0, output_type="pt"
    ).images[0]
    pipe.unload_lora_weights()
    return picture


Made: TypeAlias = Callable[..., tuple[Path, Network]]


@pytest.fixture
def made(tmp_path: Path, table: Table) -> Made:
    """Makes a random LoRA for parts of the checkpoint: the file, and what the renderer reads of it."""

    def make(spell: Spell, parts: tuple[str, ...], **options: Any) -> tuple[Path, Network]:
        targets = modules(table, *parts)
        path = random_lora(tmp_path / "x.safetensors", targets, spell, **options)
        network = load_network("x", path, table)
        assert len(network.modules) == len(targets)
        return path, network

    return make


@pytest.mark.parametrize(
    ("spell", "parts", "options", "weight"),
    [
        (kohya, ATTENTION, {"rank": 4, "alpha": 2.0}, 1.0),
        (kohya, EVERYTHING, {"rank": 8, "alpha": 8.0}, 0.7),
        (kohya, ATTENTION, {"rank": 3, "alpha": 1.0}, -0.5),
        (diffusers, ATTENTION, {"rank": 6}, 1.0),
        (diffusers, ("attn2",), {"rank": 2}, 1.5),
    ],
)
def test_a_lora_draws_what_diffusers_draws(
    made: Made, pipe: Pipeline, spell: Spell, parts: tuple[str, ...], options: dict[str, Any], weight: float
) -> None:
    """Linear layers, 1x1 and 3x3 convolutions and the text encoder, alpha unlike rank, weights of any sign."""
    path, network = made(spell, parts, **options)
    base, ours = draw(pipe, [row(seed=3), row(seed=3, x=weight)], {"x": network})
    theirs = by_diffusers(new_pipeline(), path, weight, seed=3)
    assert (ours - theirs).abs().max() <= CLOSE
    assert (ours - base).abs().mean() > 100 * CLOSE


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory, table: Table) -> dict[str, Network]:
    """LoRAs of different ranks that touch different modules."""
    folder = tmp_path_factory.mktemp("three")
    made = {"a": (ATTENTION, 4), "b": (EVERYTHING, 8), "c": (("attn2",), 1)}
    return {
        name: load_network(
            name, random_lora(folder / name, modules(table, *parts), kohya, rank=rank, alpha=2.0, seed=rank), table
        )
        for name, (parts, rank) in made.items()
    }


def test_one_batch_draws_what_one_by_one_draws(pipe: Pipeline, three: dict[str, Network]) -> None:
    """Rows of different LoRAs, weights, prompts and seeds, two LoRAs in one row, and rows without any."""
    rows = [
        row(),
        row(a=1.0),
        row(seed=2, b=-0.5),
        row("sks, a small green square", c=1.2),
        row(a=0.5, b=0.5, c=0.5),
        row(seed=2),
    ]
    together = draw(pipe, rows, three)
    apart = draw(pipe, rows, three, batch=1)
    assert (together - apart).abs().max() <= CLOSE
    assert len({tuple(picture.flatten()[:64].tolist()) for picture in together}) == len(rows)


def test_weight_zero_is_the_base_bit_for_bit(pipe: Pipeline, three: dict[str, Network]) -> None:
    """In the middle of a batch of LoRAs, and alone."""
    rows = [row(), row(a=0.0), row(b=1.0)]
    base, zero, changed = draw(pipe, rows, three)
    assert bool((base == zero).all())
    assert not bool((base == changed).all())
    assert bool((draw(pipe, [row()], three) == draw(pipe, [row(a=0.0, b=0.0)], three)).all())


def test_two_loras_in_a_row_add_up(pipe: Pipeline, three: dict[str, Network]) -> None:
    """The same LoRA at 0.4 and at 0.6 is that LoRA at 1."""
    half = row(a=0.4)
    both = type(half)(prompt=PROMPT, seed=1, loras=(*half.loras, *row(a=0.6).loras))
    first, second = draw(pipe, [both, row(a=1.0)], three)
    assert (first - second).abs().max() <= CLOSE


def test_without_guidance_a_row_is_drawn_once(pipe: Pipeline, three: dict[str, Network]) -> None:
    """At guidance 1 the batch is not doubled; together is still what one by one is."""
    rows = [row(a=1.0), row(b=1.0)]
    together = draw(pipe, rows, three, cfg=1.0)
    assert (together - draw(pipe, rows, three, cfg=1.0, batch=1)).abs().max() <= CLOSE


@pytest.mark.parametrize(("te", "unet", "component"), [(1.0, 0.0, "text_encoder"), (0.0, 1.0, "unet")])
def test_text_encoder_and_unet_have_weights_of_their_own(
    pipe: Pipeline, three: dict[str, Network], te: float, unet: float, component: str
) -> None:
    """At weight 0 in one of the two, a LoRA is what the other half of it alone is."""
    half = {target: factors for target, factors in three["a"].modules.items() if target.component == component}
    uses = (wire.Applied(lora="a", te=te, unet=unet),)
    ours = draw(pipe, [row(), wire.Row(prompt=PROMPT, seed=1, loras=uses)], three)
    alone = draw(pipe, [row(), row(a=1.0)], {"a": Network(name="a", modules=half)})
    assert bool((ours == alone).all())
    assert (ours[0] - ours[1]).abs().mean() > 100 * CLOSE


def test_the_hooks_are_gone_afterwards(pipe: Pipeline, three: dict[str, Network]) -> None:
    """Even after an error the pipeline is the bare checkpoint again."""
    before = draw(pipe, [row()], {})
    with pytest.raises(RuntimeError, match="stop"), applied(three, [row(b=1.0).loras]):
        raise RuntimeError("stop")
    assert bool((draw(pipe, [row()], {}) == before).all())


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory, table: Table, three: dict[str, Network]) -> dict[str, Network]:
    """A plain LoRA and two networks that must be merged: a DoRA of everything, a LoHa with a changed norm."""
    folder = tmp_path_factory.mktemp("mixed")
    path = random_lora(folder / "dora", modules(table, *EVERYTHING), kohya, rank=4, seed=9)
    tensors = load_file(path)
    for target in modules(table, *EVERYTHING):
        weight = target.module.weight
        length = weight.flatten(1).norm(dim=1).reshape(-1, *[1] * (weight.ndim - 1))
        tensors[kohya(target.component, target.path)["down"].partition(".")[0] + ".dora_scale"] = length * 1.1
    save_file(tensors, path)
    dice = torch.Generator().manual_seed(3)
    halves = {}
    for target in modules(table, "attn2.to_q", "attn2.to_out"):
        module = kohya("unet", target.path)["down"].partition(".")[0]
        tall, wide = target.module.weight.shape
        for half in ("hada_w1", "hada_w2"):
            halves[f"{module}.{half}_a"] = torch.randn(tall, 2, generator=dice) * 0.5
            halves[f"{module}.{half}_b"] = torch.randn(2, wide, generator=dice) * 0.5
    halves["lora_unet_mid_block_attentions_0_norm.w_norm"] = torch.ones(64) * 0.2
    halves["lora_unet_mid_block_attentions_0_norm.b_norm"] = torch.ones(64) * 0.1
    save_file(halves, folder / "loha")
    return {"a": three["a"], **{name: load_network(name, folder / name, table) for name in ("dora", "loha")}}


def test_networks_that_are_merged_share_batches_with_themselves_alone(
    pipe: Pipeline, mixed: dict[str, Network]
) -> None:
    """Rows in any order are what each alone is, beside plain LoRAs and rows without any; the checkpoint stays."""
    before = {name: value.clone() for name, value in pipe.unet.state_dict().items()}
    rows = [
        row(dora=1.0),
        row(),
        row(loha=0.7),
        row(dora=1.0, a=0.5),
        row(a=1.0),
        row(seed=2, dora=1.0),
        row(dora=-0.5, loha=0.5),
    ]
    together = draw(pipe, rows, mixed)
    assert (together - draw(pipe, rows, mixed, batch=1)).abs().max() <= CLOSE
    assert len({tuple(picture.flatten()[:64].tolist()) for picture in together}) == len(rows)
    assert all(torch.equal(value, before[name]) for name, value in pipe.unet.state_dict().items())


def test_a_dora_draws_what_peft_draws(pipe: Pipeline, mixed: dict[str, Network]) -> None:
    """Not the plain LoRA that is left when its scale is dropped."""
    bare = {target: delta.inner for target, delta in mixed["dora"].modules.items() if isinstance(delta, Decomposed)}
    ours, dropped = (
        draw(pipe, [row(dora=1.0)], {"dora": network})[0]
        for network in (mixed["dora"], Network(name="dora", modules=bare))
    )
    merged = new_pipeline()
    modules_of = {"unet": dict(merged.unet.named_modules()), "text_encoder": dict(merged.text_encoder.named_modules())}
    for target, delta in mixed["dora"].modules.items():
        assert isinstance(delta, Decomposed)
        weight = modules_of[target.component][target.path].weight
        moved = weight.data + delta.inner.of(weight.data)
        # PEFT: the magnitude over the norm of the merged weight, an output row each.
        norm = moved.flatten(1).norm(dim=1).reshape(delta.magnitude.shape)
        weight.data = moved * delta.magnitude / norm
    theirs = draw(merged, [row()], {})[0]
    assert (ours - theirs).abs().max() <= CLOSE
    assert (ours - dropped).abs().mean() > 100 * CLOSE


def test_a_lora_whose_modules_are_never_run_is_an_error(pipe: Pipeline, three: dict[str, Network]) -> None:
    """A pipeline that goes round a module would draw the base picture and say nothing; of some it is said once."""
    idle = Target(component="unet", path="idle", module=torch.nn.Linear(4, 4))
    delta = LowRank(torch.ones(1, 4), torch.ones(4, 1), 1.0)
    said: list[wire.Line] = []
    lone, partly = (Network(name="x", modules={**more, idle: delta}) for more in ({}, three["c"].modules))
    with pytest.raises(HubsyncError, match="runs none of the 1 modules that its LoRAs change"):
        list(Artist(pipe, worn({"x": lone}), {}, said.append).draw(request(rows=(row(x=1.0),))))
    rows = (row(x=1.0), row(seed=2, x=1.0))
    list(Artist(pipe, worn({"x": partly}), {}, said.append).draw(request(rows=rows, batch=1)))
    count = len(three["c"].modules) + 1
    assert [line.message for line in said if isinstance(line, wire.Note)] == [
        f"1 of the {count} modules that the LoRAs change are never run by this checkpoint"
    ]
