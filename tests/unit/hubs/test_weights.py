"""Which of a repository's files is the LoRA."""

from __future__ import annotations

import pytest

from hubsync.hubs.formats import format_of
from hubsync.hubs.huggingface.weights import LARGEST_LORA, choose, family_hint, kind_of, primary


@pytest.mark.parametrize(
    ("paths", "named", "chosen"),
    [
        (["a.safetensors"], [], "a.safetensors"),
        (["sub/a.safetensors"], [], "sub/a.safetensors"),
        (["a.safetensors", "b.safetensors"], [], None),
        (["a.safetensors", "b.safetensors"], ["b.safetensors"], "b.safetensors"),
        (["x/a.safetensors", "b.safetensors"], ["a.safetensors"], "x/a.safetensors"),
        (["a.safetensors", "b.safetensors"], ["a.safetensors", "b.safetensors"], None),
        (["a.safetensors", "b.safetensors"], ["other.safetensors"], None),
        (["pytorch_lora_weights.safetensors", "x/a.safetensors"], [], "pytorch_lora_weights.safetensors"),
        (["pytorch_lora_weights.safetensors", "name.safetensors"], [], None),
        (
            ["pytorch_lora_weights.safetensors", "name.safetensors"],
            ["name.safetensors", "pytorch_lora_weights.safetensors"],
            "name.safetensors",
        ),
        (
            ["pytorch_lora_weights.safetensors", "name.safetensors"],
            ["pytorch_lora_weights.safetensors"],
            "pytorch_lora_weights.safetensors",
        ),
        (["job.safetensors", "job_000000500.safetensors", "job_000001000.safetensors"], [], "job.safetensors"),
        (["job-000004.safetensors", "job.safetensors"], [], "job.safetensors"),
        (["job-step00001000.safetensors", "job.safetensors"], [], "job.safetensors"),
        (["job_000000500.safetensors", "job_000001000.safetensors"], [], None),
        (["lora.safetensors", "extra.safetensors"], [], "lora.safetensors"),
        (["adapter_model.safetensors", "extra.safetensors"], [], "adapter_model.safetensors"),
        (["x_sd15.safetensors", "x_sdxl.safetensors"], ["x_sdxl.safetensors"], None),
        (["Hyper-SD15-8steps-lora.safetensors", "Hyper-FLUX.1-dev-8steps-lora.safetensors"], [], None),
        (["sdxl_2step_lora.safetensors", "sdxl_4step_lora.safetensors", "sdxl_8step_lora.safetensors"], [], None),
        ([], [], None),
    ],
)
def test_the_lora_among_several(paths: list[str], named: list[str], chosen: str | None) -> None:
    """The card's file, the only one, the diffusers one without a twin, the one that is no step, a usual name."""
    assert choose(paths, named=named) == chosen


def test_base_models_of_two_families_leave_the_choice_to_a_person() -> None:
    """Of a repository for several bases no file is picked, whatever its card names; a lone file is."""
    two = ["a.safetensors", "b.safetensors"]
    assert choose(two, named=["a.safetensors"], families={"sd1", "sdxl"}) is None
    assert choose(two, named=["a.safetensors"], families={"sdxl"}) == "a.safetensors"
    assert choose(two[:1], families={"sd1", "sdxl"}) == "a.safetensors"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a.safetensors", "model"),
        ("name_emb.safetensors", "embedding"),
        ("learned_embeds-steps-1000.safetensors", "embedding"),
        ("embeddings.pti", "embedding"),
        ("checkpoint-500/pytorch_lora_weights.safetensors", "other"),
        ("unet/diffusion_pytorch_model.safetensors", "other"),
        ("text_encoder_2/model.safetensors", "other"),
        ("optimizer.bin", "other"),
        ("scheduler.pt", "other"),
        ("old.ckpt", "model"),
        ("all.zip", "other"),
        ("README.md", "other"),
    ],
)
def test_kinds_of_files(path: str, kind: str) -> None:
    """Companions and parts of whole pipelines are told from LoRAs by their names."""
    assert kind_of(path) == kind


def test_a_checkpoint_is_told_by_its_size() -> None:
    """A safetensors file of more than 2.5 GB is no LoRA."""
    assert kind_of("big.safetensors", size=LARGEST_LORA + 1) == "other"
    assert kind_of("big.safetensors", size=LARGEST_LORA) == "model"


def test_companions_and_pickles_are_never_the_lora() -> None:
    """What is left over decides; an embedding is chosen only where there is no LoRA."""
    sizes = {"name.safetensors": 5, "name_emb.safetensors": 1, "old.ckpt": 5, "unet/x.safetensors": 9, "README.md": 1}
    assert primary(sizes) == "name.safetensors"
    assert primary({"learned_embeds.safetensors": 1}) == "learned_embeds.safetensors"
    assert primary({"old.bin": 5}) is None


@pytest.mark.parametrize(
    ("path", "family"),
    [
        ("sd15/detail.safetensors", "sd1"),
        ("x-SDXL-v2.safetensors", "sdxl"),
        ("detail_xl.safetensors", "sdxl"),
        ("flux.1-dev/x.safetensors", "flux1"),
        ("flux2_x.safetensors", "flux2"),
        ("sd3.5_large.safetensors", "sd3"),
        ("axle.safetensors", None),
        ("sd15-and-sdxl.safetensors", None),
    ],
)
def test_families_named_by_a_path(path: str, family: str | None) -> None:
    """Words, not parts of words; several families are none."""
    assert family_hint(path) == family


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.safetensors", "safetensors"),
        ("a.PT", "pickle"),
        ("a.tar.gz", "archive"),
        ("a.gguf", "other"),
        ("a", "other"),
    ],
)
def test_formats(name: str, form: str) -> None:
    """The last extension decides, in any case of letters."""
    assert format_of(name) == form
