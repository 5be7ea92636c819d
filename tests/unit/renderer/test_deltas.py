"""Every network type against an independent reference: LyCORIS and PEFT, whose files these are, on the small UNet."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("lycoris")

import lycoris
import peft
import torch
from safetensors.torch import save_file

from hubsync.render.wire import Applied
from hubsync.renderer.adapters import applied
from hubsync.renderer.names import Table
from hubsync.renderer.networks import Network, load_network
from tests.unit.renderer.conftest import Pipeline

CLOSE = 2e-5
"""Of the UNet's output, whose values are about 1; measured 1.4e-5 at most."""

_ATTENTION = ["to_q", "to_k", "to_v", "to_out.0", "proj_in", "conv1"]


def predicted(unet: Any) -> torch.Tensor:
    """The UNet's answer to one noisy latent and a text."""
    dice = torch.Generator().manual_seed(5)
    latents, text = torch.randn(2, 4, 16, 16, generator=dice), torch.randn(2, 77, 64, generator=dice)
    with torch.no_grad():
        answer: torch.Tensor = unet(latents, 500, text).sample
    return answer


def stir(network: torch.nn.Module) -> None:
    """Random numbers for what training would have moved; magnitudes stay near what they are."""
    dice = torch.Generator().manual_seed(1)
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        # Of products of several factors each must be larger for as much of an effect.
        size = 0.4 if "hada" in name or "lokr" in name else 0.05
        noise = torch.randn(parameter.shape, generator=dice) * size
        scaled = "dora_scale" in name or "magnitude" in name or "rescale" in name
        parameter.data = parameter.data * (1 + noise) if scaled else noise


def ours(pipe: Pipeline, network: Network, weight: float) -> torch.Tensor:
    """The UNet's answer with the network applied as the renderer applies it."""
    use = (Applied(lora="x", te=0.0, unet=weight),)
    with applied({"x": network}, [use, use]):
        return predicted(pipe.unet)


LYCORIS = [
    ("locon", {}, False),
    ("locon", {"use_tucker": True}, False),
    ("locon", {"dora_wd": True}, True),
    ("locon", {"dora_wd": True, "wd_on_output": False}, True),
    ("loha", {}, True),
    ("loha", {"use_tucker": True}, True),
    ("loha", {"dora_wd": True}, True),
    ("lokr", {"factor": 4}, True),
    ("lokr", {"factor": 4, "decompose_both": True, "linear_dim": 2}, True),
    ("lokr", {"use_tucker": True, "factor": 2}, True),
    ("lokr", {"full_matrix": True}, True),
    ("glora", {}, True),
    ("ia3", {}, True),
    ("full", {}, True),
    ("full", {"train_norm": True}, True),
    ("locon", {"train_norm": True}, True),
    ("diag-oft", {"linear_dim": 4}, True),
    ("diag-oft", {"linear_dim": 4, "constraint": 0.01, "rescaled": True}, True),
    ("boft", {"linear_dim": 4}, True),
]


@pytest.mark.parametrize(("algo", "options", "merges"), LYCORIS, ids=str)
def test_a_lycoris_network_changes_what_lycoris_changes(
    tmp_path: Path, pipe: Pipeline, table: Table, algo: str, options: Mapping[str, Any], *, merges: bool
) -> None:
    """Linear layers, 1x1 and 3x3 convolutions and norms, alpha unlike rank: the prediction is LyCORIS's own."""
    unet = copy.deepcopy(pipe.unet)
    theirs = lycoris.create_lycoris(unet, 1.0, **{"linear_dim": 6, "linear_alpha": 3, "algo": algo, **options})
    theirs.apply_to()
    stir(theirs)
    expected = predicted(unet)
    path = tmp_path / "x.safetensors"
    # LyCORIS's own saving, which keeps what its modules call their state.
    save_file({name: value.contiguous() for name, value in theirs.state_dict().items()}, path)
    network = load_network("x", path, table)
    assert network.leftover == ()
    assert network.merges is merges
    base = predicted(pipe.unet)
    assert (expected - base).abs().mean() > 100 * CLOSE
    assert (ours(pipe, network, 1.0) - expected).abs().max() <= CLOSE
    assert bool((predicted(pipe.unet) == base).all())


PEFT = [
    ("LoraConfig", {"r": 4, "lora_alpha": 2, "target_modules": _ATTENTION}, 0.5),
    ("LoraConfig", {"r": 4, "lora_alpha": 4, "target_modules": _ATTENTION, "use_dora": True}, 1.0),
    ("LoHaConfig", {"r": 4, "alpha": 4, "target_modules": _ATTENTION}, 1.0),
    ("LoKrConfig", {"r": 4, "alpha": 4, "target_modules": _ATTENTION}, 1.0),
]


@pytest.mark.parametrize(("config", "options", "weight"), PEFT, ids=str)
def test_a_peft_network_changes_what_peft_changes(
    tmp_path: Path, pipe: Pipeline, table: Table, config: str, options: Mapping[str, Any], weight: float
) -> None:
    """A raw PEFT save, whose alpha stands in a file of its own: the weight makes up for it here."""
    wrapped = peft.get_peft_model(copy.deepcopy(pipe.unet), getattr(peft, config)(**options))
    stir(wrapped)
    expected = predicted(wrapped)
    wrapped.save_pretrained(tmp_path)
    network = load_network("x", tmp_path / "adapter_model.safetensors", table)
    assert network.leftover == ()
    assert (expected - predicted(pipe.unet)).abs().mean() > 100 * CLOSE
    assert (ours(pipe, network, weight) - expected).abs().max() <= CLOSE
