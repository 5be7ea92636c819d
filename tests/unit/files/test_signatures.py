"""Base-model families, told from the names and widths real trainers write for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from hubsync.config import FAMILIES
from hubsync.files.header import Header
from hubsync.files.network import examine, identify

HeaderOf = Callable[..., Header]


class Case(NamedTuple):
    """One key list: its family, the layout's prefix, its modules as {name: (outputs, inputs)}, and its kind."""

    family: str | None
    prefix: str
    modules: Mapping[str, tuple[int, int]]
    kind: str = "lora"


def _cases(text: str) -> dict[str, Case]:
    """Read `key_lists.txt`; its first lines say how it is written."""
    cases: dict[str, Case] = {}
    modules: dict[str, tuple[int, int]] = {}
    default = "1"
    for line in text.splitlines():
        words = line.split()
        if line.startswith("    "):
            sides, _, blocks = words[0].partition("*")
            outputs, _, inputs = sides.partition("x")
            names = (name.replace("#", str(n)) for name in words[1:] for n in range(int(blocks or default)))
            modules.update(dict.fromkeys(names, (int(outputs), int(inputs or outputs))))
        elif words and not line.startswith("#"):
            modules = {}
            name, _, rest = line.partition(" = ")
            family, prefix, default = rest.split()
            kind, _, family = family.rpartition(":")
            known = None if family == "-" else family
            cases[name] = Case(known, prefix.removeprefix("-"), modules, kind or "lora")
    return cases


CASES = _cases((Path(__file__).parent / "key_lists.txt").read_text("utf-8"))


def _shapes(case: Case, rank: int = 8) -> Iterator[tuple[str, tuple[int, ...]]]:
    if case.kind != "lora":
        for module, sides in case.modules.items():
            yield f"{case.prefix}{module}.weight", sides
        return
    kohya = case.prefix.startswith(("lora_", "lycoris_"))
    down, up = (".lora_down.weight", ".lora_up.weight") if kohya else (".lora_A.weight", ".lora_B.weight")
    for module, (outputs, inputs) in case.modules.items():
        if "_lora" in module:
            down, up = ".down.weight", ".up.weight"
        name = case.prefix + (module.replace(".", "_") if kohya else module)
        yield name + down, (rank, inputs)
        yield name + up, (outputs, rank)


def _family(header_of: HeaderOf, case: Case, metadata: Mapping[str, str] | None = None) -> str | None:
    return identify(header_of(dict(_shapes(case)), metadata)).family


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_families_are_known_by_weights_alone(header_of: HeaderOf, case: Case) -> None:
    """Without metadata, each key list gives its family."""
    assert _family(header_of, case) == case.family


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_kinds_and_sizes_are_known_by_weights_alone(header_of: HeaderOf, case: Case) -> None:
    """What is no LoRA is not called one; of a LoRA all modules and the matrices they stand for are found."""
    info = examine(header_of(dict(_shapes(case))))
    assert info.kind == case.kind
    assert info.network == ("lora" if case.kind == "lora" else None)
    assert info.modules == (len(case.modules) if case.kind == "lora" else 0)
    assert info.full_parameters == sum(outputs * inputs for outputs, inputs in case.modules.values())


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.family])
def test_weights_outrank_metadata(header_of: HeaderOf, name: str) -> None:
    """Metadata copied from a file of another family is not believed."""
    copied = {"modelspec.architecture": "kandinsky-3/lora", "ss_base_model_version": "kandinsky"}
    liar = "stable-diffusion-v1/lora" if CASES[name].family != "sd1" else "stable-diffusion-v2/lora"
    assert _family(header_of, CASES[name], copied) == CASES[name].family
    assert _family(header_of, CASES[name], {"modelspec.architecture": liar}) == CASES[name].family


def test_every_family_of_the_contract_has_a_key_list() -> None:
    """No family is left untested; Kolors, which shares every name of SDXL's UNet, has a test of its own."""
    assert {case.family for case in CASES.values()} | {"kolors"} == {*FAMILIES, None}


@pytest.mark.parametrize(
    ("name", "metadata", "family"),
    [
        ("flux1 ai-toolkit", {"modelspec.architecture": "chroma"}, "chroma"),
        ("flux1 diffusers", {"ss_base_model_version": "chroma"}, "chroma"),
        ("flux1 kohya", {"modelspec.architecture": "chroma"}, "flux1"),
        ("qwen_image few blocks", {"modelspec.architecture": "flux-1-dev/lora"}, "flux1"),
        ("sdxl diffusers names in kohya", {"modelspec.architecture": "kolors"}, "kolors"),
        ("sdxl kohya", {"modelspec.architecture": "kolors"}, "sdxl"),
        ("unet of unknown width", {"ss_v2": "True"}, "sd2"),
        ("unet of unknown width", {"ss_v2": "False", "ss_base_model_version": "sdxl_base_v1-0"}, "sdxl"),
        ("unet of unknown width", {"modelspec.architecture": "flux-1-dev/lora"}, None),
        ("unet of another width", {"modelspec.architecture": "stable-diffusion-v1/lora"}, None),
        ("tiny unet", {"ss_base_model_version": "sd_v1"}, None),
        ("tiny text encoder", {"ss_base_model_version": "sd_v1"}, None),
        ("unknown", {"modelspec.architecture": "stable-diffusion-xl-v1-base/lora"}, "sdxl"),
        ("unknown", {"ss_base_model_version": "wan2.1"}, "wan"),
        ("unknown", {"ss_base_model_version": "FLUX.2-klein"}, "flux2"),
        ("unknown", {"ss_base_model_version": "illustrious"}, "sdxl"),
        ("unknown", {"ss_base_model_version": "something new"}, None),
    ],
)
def test_metadata_decides_where_weights_leave_it_open(
    header_of: HeaderOf, name: str, metadata: dict[str, str], family: str | None
) -> None:
    """Families that share names and widths are told apart by metadata; of unknown names it is believed."""
    assert _family(header_of, CASES[name], metadata) == family


def test_kolors_is_told_by_its_text_encoder(header_of: HeaderOf) -> None:
    """Kolors has SDXL's UNet and reads with ChatGLM, whose attention is one matrix."""
    unet = dict(_shapes(CASES["sdxl diffusers names in kohya"]))
    chatglm = "lora_te_encoder_layers_0_self_attention_query_key_value"
    text = {f"{chatglm}.lora_down.weight": (8, 4096), f"{chatglm}.lora_up.weight": (4608, 8)}
    assert identify(header_of(unet | text)).family == "kolors"
    assert identify(header_of(text)).family == "kolors"


def test_a_first_text_encoder_alone_does_not_tell(header_of: HeaderOf) -> None:
    """SDXL, SD3 and Flux.1 share CLIP-L: `lora_te1_` alone is any of them, beside Flux blocks it is Flux."""
    clip = dict(_shapes(Case(None, "lora_te1_", CASES["sd1 text encoder"].modules)))
    assert identify(header_of(clip)).family is None
    assert identify(header_of(clip, {"ss_base_model_version": "flux1"})).family == "flux1"
    assert identify(header_of(clip | dict(_shapes(CASES["flux1 kohya"])))).family == "flux1"


CROSS = "down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"


@pytest.mark.parametrize(
    ("module", "parts", "family"),
    [
        # LoKr whose sides multiply to the model's, and LoKr whose sides do not.
        ("diffusion_model.double_blocks.0.img_attn.proj", {"lokr_w1": (32, 96), "lokr_w2": (96, 32)}, "flux1"),
        ("lycoris_transformer_blocks_0_img_mlp_net_0_proj", {"lokr_w1": (9, 16), "lokr_w2": (16, 9)}, "qwen_image"),
        ("diffusion_model.blocks.0.cross_attn.k_proj", {"lokr_w1": (20, 8), "dora_scale": (2048,)}, "anima"),
        (f"lora_unet_{CROSS}", {"hada_w1_b": (8, 768)}, "sd1"),
        # OFT tells no input widths: names serve, or nothing.
        ("lora_unet_blocks_0_self_attn_q", {"oft_blocks": (40, 128, 128)}, "wan"),
        (f"lora_unet_{CROSS}", {"oft_blocks": (40, 32, 32)}, None),
    ],
)
def test_other_algorithms_tell_widths_their_own_way(
    header_of: HeaderOf, module: str, parts: dict[str, tuple[int, ...]], family: str | None
) -> None:
    """LoKr, LoHa and OFT hold no matrix of the model's sides; names and products serve."""
    assert identify(header_of({f"{module}.{part}": shape for part, shape in parts.items()})).family == family


def test_the_text_encoder_tells_where_the_unet_cannot(header_of: HeaderOf) -> None:
    """OFT tells no width of the UNet's cross-attention; CLIP-L beside it is Stable Diffusion 1."""
    text = dict(_shapes(CASES["sd1 text encoder"]))
    assert identify(header_of({f"lora_unet_{CROSS}.oft_blocks": (40, 32, 32)} | text)).family == "sd1"
    query = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"
    rotated = {f"lora_unet_{CROSS}.oft_blocks": (5, 10, 32, 32), f"{query}.oft_blocks": (5, 24, 32, 32)}
    assert identify(header_of(rotated)).family == "sd1"
    scaled = {f"{name}.weight": (size, 1) for name, size in ((f"lora_unet_{CROSS}", 320), (query, 1024))}
    assert (
        identify(header_of(scaled | {f"{name.removesuffix('weight')}on_input": () for name in scaled})).family == "sd2"
    )


def test_a_wider_input_marks_a_control_lora(header_of: HeaderOf) -> None:
    """diffusers trains control LoRAs without those norms; their second image widens Flux's input from 64 to 128."""
    block = "transformer.transformer_blocks.0"
    names = {f"{block}.norm1.linear": (3072, 18432), "transformer.x_embedder": (128, 3072)}
    shapes = {f"{name}.lora_A.weight": (16, sides[0]) for name, sides in names.items()}
    shapes |= {f"{name}.lora_B.weight": (sides[1], 16) for name, sides in names.items()}
    assert identify(header_of(shapes)).kind == "other"
    assert identify(header_of(shapes | {"transformer.x_embedder.lora_A.weight": (16, 64)})).kind == "lora"


def test_text_encoders_are_counted_in_all_spellings(header_of: HeaderOf) -> None:
    """OneTrainer and ComfyUI name encoders after themselves; LyCORIS puts its own word before."""
    flux = "transformer.transformer_blocks.0.attn.to_q.lora_down.weight"
    names = ("t5.encoder.block.0.q", "clip_l.text_model.a", "text_encoders.t5xxl.transformer.a", "lycoris_te_a")
    shapes = {flux: (4, 3072)} | {f"{name}.lora_down.weight": (4, 768) for name in names}
    assert examine(header_of(shapes)).targets == {"unet": 1, "text_encoder": 4}
