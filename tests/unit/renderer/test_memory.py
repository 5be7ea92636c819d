"""Memory of the device: plans made of numbers, and pipelines that are placed by them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from accelerate import cpu_offload

from hubsync.renderer import memory
from hubsync.renderer.loading import components
from hubsync.renderer.memory import (
    Offload,
    choose_offload,
    execution_device,
    free_bytes,
    is_short,
    most_rows,
    native_size,
    place,
    room,
    stored_weights,
    weights_of,
)
from tests.unit.renderer.conftest import DATA, Pipeline, draw, new_pipeline, row

GB = 10**9
CPU = torch.device("cpu")
SDXL = {"unet": 5_135_000_000, "text_encoder_2": 1_389_000_000, "text_encoder": 246_000_000, "vae": 167_000_000}
SD1 = {"unet": 1_719_000_000, "text_encoder": 246_000_000, "vae": 167_000_000}
"""Bytes of the parts in half precision."""

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.parametrize(
    ("parts", "side", "free", "offload"),
    [
        (SDXL, 1024, 24 * GB, Offload.NONE),
        (SDXL, 1024, 11 * GB, Offload.NONE),
        (SDXL, 1024, 8 * GB, Offload.MODEL),
        (SDXL, 1024, 6 * GB, Offload.SEQUENTIAL),
        (SDXL, 2048, 11 * GB, Offload.SEQUENTIAL),
        (SD1, 512, 4 * GB, Offload.NONE),
        (SD1, 512, 3 * GB, Offload.MODEL),
        (SD1, 512, 2 * GB, Offload.SEQUENTIAL),
    ],
)
def test_parts_stay_on_the_device_as_far_as_they_fit(
    parts: dict[str, int], side: int, free: int, offload: Offload
) -> None:
    """All beside the decoding of a picture; else the largest beside the drawing of one; else layers one by one."""
    assert choose_offload(parts.values(), free, (side, side)) is offload


@pytest.mark.parametrize(
    ("size", "free", "dtype", "rows"),
    [
        ((512, 512), 16 * GB, torch.float16, 24),
        ((512, 512), 16 * GB, torch.bfloat16, 24),
        ((512, 512), 16 * GB, torch.float32, 12),
        ((1024, 1024), 16 * GB, torch.float16, 6),
        ((1024, 1024), 70 * GB, torch.float16, 26),
        ((64, 64), 16 * GB, torch.float16, 64),
        ((1024, 1024), GB, torch.float16, 1),
        ((512, 512), None, torch.float32, 4),
        ((256, 256), None, torch.float32, 16),
        ((64, 64), None, torch.float32, 64),
        ((2048, 2048), None, torch.float32, 1),
    ],
)
def test_as_many_rows_as_fit_are_drawn_at_once(
    size: tuple[int, int], free: int | None, dtype: torch.dtype, rows: int
) -> None:
    """Never none, never more than 64; four pictures of 512x512 where memory is the whole machine's."""
    assert most_rows(size, free, dtype) == rows


@pytest.mark.parametrize(("side", "rows"), [(64, 16), (128, 4), (256, 1), (512, 1)])
def test_a_processor_draws_few_at_once(side: int, rows: int) -> None:
    """More would be no faster, and keep the first picture waiting."""
    assert most_rows((side, side), None, torch.float32, processor=True) == rows


def test_a_checkpoint_is_weighed_before_it_is_loaded(pipe: Pipeline, tmp_path: Path) -> None:
    """By headers: folder and single file hold what is loaded, and a second copy in half precision counts once."""
    count = sum(weights_of(components(pipe) | {"vae": pipe.vae}).values()) // 4
    # Buffers such as the positions of tokens are loaded, not stored.
    assert stored_weights(DATA / "checkpoint") == pytest.approx(count, rel=0.001)
    assert stored_weights(DATA / "shapes.safetensors") == pytest.approx(count, rel=0.001)
    folder = shutil.copytree(DATA / "checkpoint", tmp_path / "twice")
    name = "diffusion_pytorch_model"
    shutil.copy(folder / "unet" / f"{name}.safetensors", folder / "unet" / f"{name}.fp16.safetensors")
    assert stored_weights(folder) == stored_weights(DATA / "checkpoint")
    (folder / "unet" / f"{name}.safetensors").unlink()
    assert stored_weights(folder) == stored_weights(DATA / "checkpoint")
    assert stored_weights(tmp_path) == stored_weights(tmp_path / "nothing") == 0


def test_memory_is_short_where_weights_would_take_most_of_it() -> None:
    """Less than two thirds are theirs; half precision needs half."""
    needed = stored_weights(DATA / "shapes.safetensors") * 4
    assert is_short(DATA / "shapes.safetensors", torch.float32, needed)
    assert not is_short(DATA / "shapes.safetensors", torch.float16, needed)


def test_a_processor_takes_every_part(pipe: Pipeline) -> None:
    """Its memory is not counted, and there is nothing to say."""
    assert free_bytes(CPU) is None
    assert place(pipe, CPU, native_size(pipe)) == ""
    assert room(pipe) is None
    assert execution_device(pipe) == CPU


def test_a_part_that_waits_for_its_turn_needs_room(pipe: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest, as no other is there with it."""
    largest = max(weights_of(components(pipe)).values())
    monkeypatch.setattr(memory, "free_bytes", lambda _: GB)
    assert room(pipe) == GB - largest
    monkeypatch.setattr(memory, "free_bytes", lambda _: largest // 2)
    assert room(pipe) == 0


def test_a_pipeline_that_tells_no_size_draws_the_usual_one() -> None:
    """As Z-Image's, whose configuration has none."""
    pipe = new_pipeline()
    assert native_size(pipe) == (64, 64)
    pipe.unet.register_to_config(sample_size=None)
    assert native_size(pipe) == (1024, 1024)


def test_the_device_that_computes_is_known_when_weights_wait_elsewhere() -> None:
    """Layer by layer, they are on no device at all until they are needed, and pictures stay what they were."""
    pipe = new_pipeline()
    expected = draw(pipe, [row()], {})
    cpu_offload(pipe.unet, CPU)
    assert pipe.unet.device.type == "meta"
    assert execution_device(pipe) == CPU
    assert (draw(pipe, [row()], {}) - expected).abs().max() == 0


@gpu
@pytest.mark.gpu
@pytest.mark.parametrize("offload", [Offload.MODEL, Offload.SEQUENTIAL])
def test_offloaded_pipelines_compute_on_the_card(monkeypatch: pytest.MonkeyPatch, offload: Offload) -> None:
    """With little memory left on it, parts or layers take turns, and the user is told."""
    pipe = new_pipeline()
    monkeypatch.setattr(memory, "choose_offload", lambda *_: offload)
    assert "GB free" in place(pipe, torch.device("cuda"), native_size(pipe))
    assert execution_device(pipe).type == "cuda"
