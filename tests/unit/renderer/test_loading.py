"""Checkpoints of every kind become pipelines; samplers by name keep what a checkpoint knows of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

from hubsync.errors import HubsyncError, NotFound, UnsafeFile, UsageError
from hubsync.render.samplers import _TABLE
from hubsync.renderer.drawing import native_size
from hubsync.renderer.loading import choose_device, choose_dtype, components, load_pipeline, use_sampler
from tests.unit.renderer.conftest import DATA, Pipeline, draw, new_pipeline, request, row

# diffusers' schedulers hand tensors to numpy in a way numpy 2 warns about.
pytestmark = pytest.mark.filterwarnings(r"ignore:__array_(_|wrap__):DeprecationWarning")

CPU = torch.device("cpu")


def test_a_single_file_draws_what_the_folder_draws(pipe: Pipeline) -> None:
    """Loaded offline by the folder that describes it."""
    wanted = request(checkpoint=str(DATA / "shapes.safetensors"), config=str(DATA / "checkpoint"))
    single = load_pipeline(wanted, CPU)
    assert (draw(single, [row()], {}) - draw(pipe, [row()], {})).abs().max() <= 1e-3
    assert single.scheduler.config.prediction_type == pipe.scheduler.config.prediction_type


def test_a_checkpoint_knows_its_own_size_and_parts(pipe: Pipeline) -> None:
    """The shipped one draws 64x64 with a UNet and a text encoder, in fp32 on a CPU."""
    assert native_size(pipe) == (64, 64)
    assert list(components(pipe)) == ["unet", "text_encoder"]
    assert draw(pipe, [row()], {}).shape == (1, 3, 64, 64)
    assert draw(pipe, [row()], {}, size=(96, 64)).shape == (1, 3, 64, 96)


@pytest.mark.parametrize("suffix", [".ckpt", ".PT"])
def test_a_pickle_is_refused(tmp_path: Path, suffix: str) -> None:
    """It is not even opened."""
    path = tmp_path / f"x{suffix}"
    path.write_bytes(b"\x80\x02")
    with pytest.raises(UnsafeFile, match="can run code"):
        load_pipeline(request(checkpoint=str(path)), CPU)


@pytest.mark.parametrize("checkpoint", ["/no/such/model.safetensors", "no such thing", "a/b/c"])
def test_a_checkpoint_that_is_not_there_is_named(checkpoint: str) -> None:
    """Neither a path nor the name of a repository: the Hub is not asked."""
    with pytest.raises(NotFound, match=f"there is no checkpoint {checkpoint}"):
        load_pipeline(request(checkpoint=checkpoint), CPU)


def test_a_folder_or_file_that_is_none_says_so(tmp_path: Path) -> None:
    """diffusers' own complaint, with the checkpoint's name before it."""
    with pytest.raises(HubsyncError, match=f"the checkpoint {tmp_path} could not be loaded"):
        load_pipeline(request(checkpoint=str(tmp_path)), CPU)
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"<html>")
    with pytest.raises(HubsyncError, match=r"x\.safetensors could not be loaded"):
        load_pipeline(request(checkpoint=str(path), config=str(DATA / "checkpoint")), CPU)


def test_devices_and_precision() -> None:
    """`auto` finds one; one this machine has not is refused; half precision is for CUDA alone."""
    assert choose_device("auto").type in {"cuda", "mps", "cpu"}
    with pytest.raises(UsageError, match="no device 'tpu'"):
        choose_device("tpu")
    assert choose_dtype(CPU, "StableDiffusionPipeline") == torch.float32
    assert choose_dtype(torch.device("cuda"), "StableDiffusionXLPipeline") == torch.float16


@pytest.mark.parametrize("name", _TABLE)
def test_every_sampler_draws_the_same_scene(name: str) -> None:
    """Ten steps with each give about the picture the checkpoint's own gives: prediction type and noise are kept."""
    pipe = new_pipeline()
    own = pipe.scheduler
    expected = draw(pipe, [row()], {}, steps=10)
    assert use_sampler(pipe, own, name)[0] == name
    assert pipe.scheduler.config.prediction_type == "v_prediction"
    drawn = draw(pipe, [row(), row(seed=2)], {}, steps=10)
    # Noise added on the way moves edges; another scene differs by more than 0.2.
    assert (drawn[0] - expected[0]).abs().mean() < 0.12
    again = draw(pipe, [row(), row(seed=2)], {}, steps=10, batch=1)
    assert (drawn - again).abs().max() <= 1e-4


def test_the_checkpoints_own_sampler_comes_back(pipe: Pipeline) -> None:
    """ "" after another name is the one it was shipped with, under AUTOMATIC1111's name."""
    own = pipe.scheduler
    assert use_sampler(pipe, own, "Euler Karras") == ("Euler", "Karras")
    assert use_sampler(pipe, own, "") == ("DDIM", "")
    assert type(pipe.scheduler).__name__ == "DDIMScheduler"


def test_a_flow_checkpoint_keeps_to_its_sampler(pipe: Pipeline) -> None:
    """SD 3 and Flux predict a flow; samplers for noise would draw noise."""
    from diffusers import FlowMatchEulerDiscreteScheduler

    before = pipe.scheduler
    flow = FlowMatchEulerDiscreteScheduler()
    assert use_sampler(pipe, flow, "") == ("Euler", "")
    assert use_sampler(pipe, flow, "Euler") == ("Euler", "")
    with pytest.raises(UsageError, match="cannot be drawn with 'DDIM'"):
        use_sampler(pipe, flow, "DDIM")
    pipe.scheduler = before
