"""Many LoRAs in one batch, against diffusers' own loading of one file at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

pytest.importorskip("torch")

import torch

from hubsync.render import wire
from hubsync.renderer.adapters import applied
from hubsync.renderer.names import Target
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
    row,
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
def made(tmp_path: Path, table: dict[str, Target]) -> Made:
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
def three(tmp_path_factory: pytest.TempPathFactory, table: dict[str, Target]) -> dict[str, Network]:
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
