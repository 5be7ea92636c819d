"""Which checkpoint, of which family: told from settings, names and headers, before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hubsync.config import Settings, shipped
from hubsync.errors import HubsyncError
from hubsync.families import load_families
from hubsync.render.checkpoint import choose_checkpoint, config_folder, family_of, locate, prediction_of, unfit

FAMILIES = load_families()
UNET = "model.diffusion_model."
FLUX = {f"{UNET}double_blocks.0.img_attn.qkv.weight": [9216, 3072]}
ATTENTION = "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight"


def single_file(path: Path, tensors: dict[str, list[int]]) -> Path:
    """A safetensors file that is all header."""
    header = {key: {"dtype": "F16", "shape": shape, "data_offsets": [0, 0]} for key, shape in tensors.items()}
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    return path


def folder(path: Path, pipeline: str, width: int | None = None) -> Path:
    """A diffusers folder that is all configuration."""
    (path / "unet").mkdir(parents=True)
    (path / "model_index.json").write_text(json.dumps({"_class_name": pipeline}))
    (path / "unet" / "config.json").write_text(json.dumps({"cross_attention_dim": width}))
    return path


@pytest.mark.parametrize(
    ("tensors", "family"),
    [
        ({ATTENTION: [320, 768]}, "sd1"),
        ({ATTENTION: [320, 1024]}, "sd2"),
        ({ATTENTION: [640, 2048]}, "sdxl"),
        ({ATTENTION: [64, 64]}, None),
        ({"down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight": [640, 2048]}, "sdxl"),
        (FLUX, "flux1"),
        ({**FLUX, f"{UNET}distilled_guidance_layer.in_proj.bias": [5120]}, "chroma"),
        ({**FLUX, f"{UNET}single_stream_modulation.lin.weight": [18432, 6144]}, "flux2"),
        ({"double_blocks.0.img_attn.qkv.weight": [9216, 3072]}, "flux1"),
        ({f"{UNET}joint_blocks.0.x_block.attn.qkv.weight": [4608, 1536]}, "sd3"),
        ({f"{UNET}cap_embedder.0.weight": [2560], f"{UNET}layers.0.adaLN_modulation.0.weight": [1, 256]}, "z_image"),
        ({f"{UNET}cap_embedder.0.weight": [2304]}, "lumina2"),
        ({f"{UNET}patchify_proj.weight": [1], f"{UNET}transformer_blocks.0.attn2.to_k.weight": [2048, 2048]}, "ltx"),
        ({"something.else": [1]}, None),
    ],
)
def test_a_single_file_is_told_by_its_tensors(
    tmp_path: Path, tensors: dict[str, list[int]], family: str | None
) -> None:
    """The width of the text it attends to, or the names of its blocks."""
    path = single_file(tmp_path / "x.safetensors", tensors)
    assert family_of(str(path), Settings(), FAMILIES) == family


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, b"\x08\0\0\0\0\0\0\0notjson!", (1 << 40).to_bytes(8, "little")])
def test_a_damaged_file_has_no_family(tmp_path: Path, content: bytes) -> None:
    """Nothing is read beyond the format's limit, nothing raises: loading it will say what is wrong."""
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    assert family_of(str(path), Settings(), FAMILIES) is None


@pytest.mark.parametrize(
    ("pipeline", "width", "family"),
    [
        ("StableDiffusionXLPipeline", 2048, "sdxl"),
        ("StableDiffusionPipeline", 768, "sd1"),
        ("StableDiffusionPipeline", 1024, "sd2"),
        ("StableDiffusionPipeline", 64, None),
        ("FluxPipeline", None, "flux1"),
        ("FluxKontextPipeline", None, "flux1"),
        ("Flux2KleinPipeline", None, "flux2"),
        ("PixArtSigmaPipeline", None, "pixart"),
        ("QwenImagePipeline", None, "qwen_image"),
        ("UnheardOfPipeline", None, None),
    ],
)
def test_a_folder_is_told_by_its_configuration(
    tmp_path: Path, pipeline: str, width: int | None, family: str | None
) -> None:
    """The pipeline class, and for Stable Diffusion the width of its text encoder."""
    assert family_of(str(folder(tmp_path / "x", pipeline, width)), Settings(), FAMILIES) == family


def test_a_repository_is_told_by_its_name_and_settings_win(tmp_path: Path) -> None:
    """A known repository has its family; what the user configured a path for is that, whatever the file says."""
    path = single_file(tmp_path / "x.safetensors", {ATTENTION: [320, 768]})
    settings = Settings(checkpoint={"sdxl": str(path)})
    assert family_of("stabilityai/stable-diffusion-xl-base-1.0", settings, FAMILIES) == "sdxl"
    assert family_of("someone/something", settings, FAMILIES) is None
    assert family_of(str(path), settings, FAMILIES) == "sdxl"


def test_the_family_chooses_the_checkpoint() -> None:
    """Its own; for an unknown family the first configured; otherwise an error that says what to set."""
    settings = Settings(checkpoint={"sd1": "", "sdxl": "xl", "sd2": "two"})
    assert choose_checkpoint("sd2", settings) == "two"
    assert choose_checkpoint(None, settings) == "xl"
    with pytest.raises(HubsyncError, match="no sd1 checkpoint") as caught:
        choose_checkpoint("sd1", settings)
    assert caught.value.hint == "hubsync config set checkpoint.sd1 PATH, or use --checkpoint"
    with pytest.raises(HubsyncError, match="no checkpoint is set"):
        choose_checkpoint(None, Settings())


def test_a_path_becomes_absolute_and_a_repository_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The renderer does not run in the user's folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.safetensors").touch()
    assert locate("x.safetensors") == str(tmp_path / "x.safetensors")
    assert locate("owner/name") == "owner/name"


def test_a_single_file_finds_the_folder_that_describes_it(tmp_path: Path) -> None:
    """Beside it, by its stem first, else `checkpoint`; else the shipped one of its family; a folder needs none."""
    path = single_file(tmp_path / "x.safetensors", {})
    assert config_folder(str(path), None) == config_folder(str(path), "flux1") == ""
    assert config_folder(str(path), "sd1") == str(shipped("pipelines/sd1"))
    general = folder(tmp_path / "checkpoint", "StableDiffusionPipeline")
    assert config_folder(str(path), "sd1") == str(general)
    own = folder(tmp_path / "x", "StableDiffusionPipeline")
    assert config_folder(str(path), None) == str(own)
    assert config_folder(str(own), None) == ""


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ({ATTENTION: [320, 768], f"{UNET}input_blocks.0.0.weight": [320, 9, 3, 3]}, "made for inpainting"),
        ({f"{UNET}input_blocks.0.0.weight": [320, 8, 3, 3]}, "made for editing by instruction"),
        ({f"{UNET}input_blocks.0.0.weight": [320, 5, 3, 3]}, "made for depth maps"),
        ({**FLUX, f"{UNET}img_in.weight": [3072, 384]}, "made for inpainting"),
        ({ATTENTION: [768, 1280]}, "refiner"),
        ({ATTENTION: [640, 2048], "edm_vpred.sigma_max": [1]}, "CosXL"),
        ({ATTENTION: [640, 2048], "edm_mean": [4]}, "Playground"),
        ({ATTENTION: [320, 768], f"{UNET}input_blocks.0.0.weight": [320, 4, 3, 3]}, None),
        ({**FLUX, f"{UNET}img_in.weight": [3072, 64]}, None),
        ({f"{UNET}input_blocks.0.0.weight": []}, None),
        ({}, None),
    ],
)
def test_a_single_file_that_makes_no_pictures_from_text_is_named(
    tmp_path: Path, tensors: dict[str, list[int]], reason: str | None
) -> None:
    """By the channels of its first layer, or by keys of its own."""
    found = unfit(str(single_file(tmp_path / "x.safetensors", tensors)))
    assert found is None if reason is None else reason in (found or "")


@pytest.mark.parametrize(
    ("pipeline", "wants"),
    [
        ("StableDiffusionInpaintPipeline", True),
        ("StableDiffusionXLImg2ImgPipeline", True),
        ("QwenImageEditPipeline", True),
        ("FluxKontextPipeline", False),
        ("StableDiffusionXLPipeline", False),
    ],
)
def test_a_folder_that_wants_a_picture_is_named(tmp_path: Path, pipeline: str, *, wants: bool) -> None:
    """The SDXL refiner's folder is an Img2Img one."""
    assert (unfit(str(folder(tmp_path / "x", pipeline))) is not None) is wants


def test_marks_of_v_prediction_reach_the_scheduler(tmp_path: Path) -> None:
    """NoobAI's v-prediction files carry two empty tensors; a zero terminal SNR alone means nothing."""
    path = tmp_path / "x.safetensors"
    assert prediction_of(single_file(path, {ATTENTION: [640, 2048], "ztsnr": [0]})) == {}
    assert prediction_of(single_file(path, {"v_pred": [0]})) == {"prediction_type": "v_prediction"}
    assert prediction_of(single_file(path, {"v_pred": [0], "ztsnr": [0]})) == {
        "prediction_type": "v_prediction",
        "rescale_betas_zero_snr": True,
        "timestep_spacing": "trailing",
    }
