"""Checkpoints of every kind become pipelines; samplers by name keep what a checkpoint knows of itself."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from hubsync.config import shipped
from hubsync.errors import HubsyncError, NotFound, UnsafeFile, UsageError
from hubsync.families import load_families
from hubsync.render.samplers import _TABLE
from hubsync.renderer.loading import (
    _clip_tokenizer,
    _settle_sd2,
    choose_device,
    choose_dtype,
    components,
    load_pipeline,
    predicts_v,
    use_sampler,
)
from hubsync.renderer.memory import native_size
from tests.unit.renderer.conftest import DATA, Pipeline, draw, new_pipeline, request, row

# diffusers' schedulers hand tensors to numpy in a way numpy 2 warns about.
pytestmark = pytest.mark.filterwarnings(r"ignore:__array_(_|wrap__):DeprecationWarning")

CPU = torch.device("cpu")
MPS = torch.device("mps")
PIPELINES = shipped("pipelines")

Shipped = dict[str, nn.Module]


def build(family: str) -> Shipped:
    """A family's models from its shipped configuration, without memory for their weights."""
    folder = PIPELINES / family
    encoders = {"text_encoder": CLIPTextModel, "text_encoder_2": CLIPTextModelWithProjection}
    with torch.device("meta"):
        models: Shipped = {
            kind: made.from_config(made.load_config(folder / kind))
            for kind, made in (("unet", UNet2DConditionModel), ("vae", AutoencoderKL))
        }
        return models | {
            kind: made(CLIPTextConfig.from_pretrained(folder / kind))
            for kind, made in encoders.items()
            if (folder / kind).exists()
        }


def described(folder: Path, **scheduler: object) -> Path:
    """A copy of what describes the small checkpoint, its vocabulary included, with changes to the scheduler."""
    shutil.copytree(DATA / "checkpoint", folder, ignore=shutil.ignore_patterns("*.safetensors"))
    path = folder / "scheduler" / "scheduler_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **scheduler}))
    return folder


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection can be made."""

    def refuse(*_arguments: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("offline")
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


@pytest.mark.parametrize(
    ("family", "counts"),
    [
        ("sd1", {"unet": 859_520_964, "vae": 83_653_863, "text_encoder": 123_060_480}),
        ("sd2", {"unet": 865_910_724, "vae": 83_653_863, "text_encoder": 340_387_840}),
        (
            "sdxl",
            {
                "unet": 2_567_463_684,
                "vae": 83_653_863,
                "text_encoder": 123_060_480,
                "text_encoder_2": 694_659_840,
            },
        ),
    ],
)
def test_shipped_configurations_are_those_of_the_published_models(family: str, counts: dict[str, int]) -> None:
    """Every part has as many parameters as the weights on Hugging Face."""
    models = build(family)
    assert {name: sum(p.numel() for p in model.parameters()) for name, model in models.items()} == counts


@pytest.mark.parametrize(
    ("tokenizer", "pad"),
    [("sd1/tokenizer", 49407), ("sd2/tokenizer", 0), ("sdxl/tokenizer", 49407), ("sdxl/tokenizer_2", 0)],
)
def test_the_shipped_vocabulary_is_clips(tokenizer: str, pad: int) -> None:
    """Ids as OpenAI's own code gives them; CLIP ViT-L is filled up with the end of text, OpenCLIP with zeros."""
    made = _clip_tokenizer(PIPELINES / tokenizer / "tokenizer_config.json")
    assert len(made) == 49408
    assert made("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert made("Café 猫 🐈", add_special_tokens=False).input_ids == [15304, 163, 234, 360, 2074, 486]
    assert made("a", padding="max_length").input_ids == [49406, 320, 49407, *[pad] * 74]


@pytest.mark.usefixtures("offline")
def test_a_folder_without_a_vocabulary_gets_the_shipped_one(tmp_path: Path) -> None:
    """As the shipped ones have none: the small checkpoint with its tokenizer's settings alone."""
    folder = described(tmp_path / "shapes")
    for name in ("tokenizer.json", "vocab.json", "merges.txt"):
        (folder / "tokenizer" / name).unlink()
    (folder / "tokenizer" / "tokenizer_config.json").write_text('{"pad_token": "!", "model_max_length": 77}')
    pipe = load_pipeline(request(checkpoint=str(DATA / "shapes.safetensors"), config=str(folder)), CPU)
    assert pipe.tokenizer("a photo").input_ids == [49406, 320, 1125, 49407]
    assert pipe.tokenizer.pad_token_id == 0


def test_a_folder_of_half_precision_alone_is_loaded(tmp_path: Path, pipe: Pipeline) -> None:
    """As `hf download --include "*fp16*"` leaves it: every file of weights has that mark."""
    folder = shutil.copytree(DATA / "checkpoint", tmp_path / "half")
    for path in folder.glob("*/*.safetensors"):
        path.rename(path.with_name(f"{path.stem}.fp16.safetensors"))
    assert (draw(new_pipeline(folder), [row()], {}) - draw(pipe, [row()], {})).abs().max() <= 1e-5


def test_marks_of_a_single_file_set_its_scheduler(tmp_path: Path) -> None:
    """`v_pred` and `ztsnr` win over what the folder says, in every sampler; whole files of A1111 hold more besides."""
    path = tmp_path / "marked.safetensors"
    folder = described(tmp_path / "described", prediction_type="epsilon")
    tensors = load_file(DATA / "shapes.safetensors") | {
        "alphas_cumprod": torch.zeros(1000),
        "cond_stage_model.transformer.text_model.embeddings.position_ids": torch.arange(77)[None],
        "v_pred": torch.empty(0),
    }
    save_file(tensors, path)
    pipe = load_pipeline(request(checkpoint=str(path), config=str(folder)), CPU)
    assert pipe.scheduler.config.prediction_type == "v_prediction"
    assert (draw(pipe, [row()], {}) - draw(new_pipeline(), [row()], {})).abs().max() <= 1e-3
    save_file({**tensors, "ztsnr": torch.empty(0)}, path)
    pipe = load_pipeline(request(checkpoint=str(path), config=str(folder)), CPU)
    own = pipe.scheduler
    for name in ("", "DPM++ 2M", "Euler"):
        use_sampler(pipe, own, name)
        found = pipe.scheduler.config
        assert (found.prediction_type, found.rescale_betas_zero_snr) == ("v_prediction", True)
        pipe.scheduler.set_timesteps(10)
        # The last step of the noise, where nothing of a picture is left, is the one to start at.
        assert round(float(pipe.scheduler.timesteps[0])) == 999
        assert torch.isfinite(draw(pipe, [row()], {}, steps=10)).all()


@pytest.mark.parametrize(("level", "prediction", "size"), [(-2.0, "v_prediction", 16), (0.5, "epsilon", 64)])
def test_an_sd2_single_file_is_asked_what_it_predicts(level: float, prediction: str, size: int) -> None:
    """A UNet that takes more than 1 from a constant input predicts v; one that gives it back predicts noise."""
    pipe = new_pipeline()
    unet = UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(8, 8),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        norm_num_groups=4,
        attention_head_dim=4,
        cross_attention_dim=1024,
    )
    nn.init.zeros_(unet.conv_out.weight)
    nn.init.constant_(unet.conv_out.bias, level)
    pipe.unet = unet
    assert predicts_v(unet, CPU) == (prediction == "v_prediction")
    _settle_sd2(pipe)
    assert pipe.scheduler.config.prediction_type == prediction
    assert native_size(pipe)[0] == size * pipe.vae_scale_factor


def test_a_checkpoint_for_something_else_is_refused_by_name(tmp_path: Path) -> None:
    """Instead of a shape error: an inpainting UNet takes nine channels."""
    path = tmp_path / "inpainting.safetensors"
    save_file({"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(8, 9, 3, 3)}, path)
    with pytest.raises(HubsyncError, match=r"inpainting\.safetensors cannot be drawn with: it was made for inpainting"):
        load_pipeline(request(checkpoint=str(path), config=str(PIPELINES / "sd1")), CPU)


def test_a_single_file_that_nothing_describes_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hugging Face cannot be reached: a folder beside the file, or the repository itself."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    path = tmp_path / "dev.safetensors"
    save_file({"double_blocks.0.img_attn.qkv.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(NotFound, match="could not be asked") as caught:
        load_pipeline(request(checkpoint=str(path), pipeline="FluxPipeline"), CPU)
    assert f"as {tmp_path / 'dev'}" in caught.value.hint
    assert "hubsync config set checkpoint.flux1 black-forest-labs/FLUX.1-dev" in caught.value.hint
    with pytest.raises(HubsyncError, match="from folders alone"):
        load_pipeline(request(checkpoint=str(path), pipeline="QwenImagePipeline"), CPU)


@pytest.mark.usefixtures("offline")
def test_a_single_file_of_one_part_says_so(tmp_path: Path) -> None:
    """A UNet alone lacks its text encoder."""
    path = tmp_path / "unet.safetensors"
    tensors = load_file(DATA / "shapes.safetensors")
    save_file({key: value for key, value in tensors.items() if not key.startswith("cond_stage")}, path)
    with pytest.raises(NotFound, match="it holds only a part of the model"):
        load_pipeline(request(checkpoint=str(path), config=str(described(tmp_path / "x"))), CPU)


def test_every_pipeline_of_the_families_is_one_of_diffusers() -> None:
    """A class of that name, which draws: families without one cannot be rendered."""
    import diffusers

    named = {name for family in load_families().table.values() for name in family.classes}
    assert {"StableDiffusionPipeline", "Flux2KleinPipeline", "ZImagePipeline"} <= named
    assert [name for name in named if not isinstance(getattr(diffusers, name, None), type)] == []


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
    assert choose_dtype(torch.device("cuda"), "KolorsPipeline") == torch.float16


@pytest.mark.parametrize(
    ("pipeline", "roomy", "short"),
    [
        ("StableDiffusionXLPipeline", torch.float32, torch.float16),
        ("FluxPipeline", torch.bfloat16, torch.bfloat16),
        ("StableDiffusion3Pipeline", torch.bfloat16, torch.bfloat16),
    ],
)
def test_a_mac_draws_stable_diffusion_in_full_precision(pipeline: str, roomy: torch.dtype, short: torch.dtype) -> None:
    """Half precision turns pictures black there: only where memory is short, or for models of billions of weights."""
    assert choose_dtype(MPS, pipeline) == roomy
    assert choose_dtype(MPS, pipeline, short=True) == short


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
