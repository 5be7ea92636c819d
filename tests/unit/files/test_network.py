"""Algorithms, kinds, layouts and numbers, on real little files and on the recorded ones."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from hubsync.files.header import Header, read_header
from hubsync.files.network import NetworkInfo, examine, identify

HeaderOf = Callable[..., Header]
Shapes = dict[str, tuple[int, ...]]

Q = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_q"
K = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
CONV = "lora_unet_down_blocks_0_resnets_0_conv1"
TEXT = "lora_te_text_model_encoder_layers_0_mlp_fc1"


def _lora(name: str, outputs: int, inputs: int, rank: int, window: int = 1) -> Shapes:
    kernel = (window, window) if window > 1 else ()
    down, up = (rank, inputs, *kernel), (outputs, rank, *(1 for _ in kernel))
    return {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up, f"{name}.alpha": ()}


LORA: Shapes = _lora(Q, 320, 320, 4) | _lora(K, 320, 768, 4) | _lora(TEXT, 3072, 768, 8)
LORA_FULL = 320 * 320 + 320 * 768 + 3072 * 768
CONV_FULL = 320 * 320 * 9


def _parts(name: str, parts: Shapes) -> Shapes:
    return {f"{name}.{part}": shape for part, shape in parts.items()}


HADA: Shapes = {"hada_w1_a": (320, 4), "hada_w1_b": (4, 768), "hada_w2_a": (320, 4), "hada_w2_b": (4, 768)}
HADA_CONV: Shapes = {"hada_w1_a": (320, 4), "hada_w1_b": (4, 2880), "hada_w2_a": (320, 4), "hada_w2_b": (4, 2880)}
HADA_CORE: Shapes = {"hada_t1": (4, 4, 3, 3), "hada_w1_a": (4, 320), "hada_w1_b": (4, 320)}
LEFT: Shapes = {"lokr_w1": (16, 16)}
LEFT_AB: Shapes = {"lokr_w1_a": (16, 2), "lokr_w1_b": (2, 16)}
RIGHT: Shapes = {"lokr_w2": (20, 48)}
RIGHT_AB: Shapes = {"lokr_w2_a": (20, 4), "lokr_w2_b": (4, 48)}
RIGHT_CORE: Shapes = {"lokr_t2": (4, 4, 3, 3), "lokr_w2_a": (4, 20), "lokr_w2_b": (4, 20)}
GLORA: Shapes = {"a1.weight": (768, 4), "a2.weight": (4, 768), "b1.weight": (320, 4), "b2.weight": (4, 768)}
TUCKER: Shapes = {"lora_down.weight": (4, 320, 1, 1), "lora_up.weight": (320, 4, 1, 1), "lora_mid.weight": (4, 4, 3, 3)}
POINT: Shapes = {"lora_down.weight": (4, 320, 1, 1), "lora_up.weight": (320, 4, 1, 1)}
PATCH: Shapes = {"lora_down.weight": (4, 16, 1, 2, 2), "lora_up.weight": (320, 4, 1, 1, 1)}
PEFT_DORA: Shapes = {"lora_A.weight": (4, 768), "lora_B.weight": (320, 4), "lora_magnitude_vector": (320,)}
WHOLE: Shapes = {"diff": (320, 768), "diff_b": (320,)}
NORM: Shapes = {"w_norm": (320,), "b_norm": (320,)}
K_FULL = 320 * 768

# What each algorithm's files hold; then network, rank, largest rank, modules, unfactored size.
ALGORITHMS: dict[str, tuple[Shapes, str, int | None, int | None, int, int]] = {
    "LoRA": (LORA, "lora", 4, 8, 3, LORA_FULL),
    "LoRA of a 1x1 convolution": (_parts(Q, POINT), "lora", 4, 4, 1, 320 * 320),
    "LoRA beside whole norms": (LORA | _parts("lora_unet_norm", NORM), "lora", 4, 8, 4, LORA_FULL + 320),
    "LoRA with biases": (LORA | {f"{Q}.diff_b": (320,)}, "lora", 4, 8, 3, LORA_FULL),
    "LoRA with an embedding": (LORA | {"bundle_emb.cat.string_to_param.*": (2, 768)}, "lora", 4, 8, 3, LORA_FULL),
    "LoCon": (LORA | _lora(CONV, 320, 320, 2, 3), "locon", 4, 8, 4, LORA_FULL + CONV_FULL),
    "LoCon with a Tucker core": (_parts(CONV, TUCKER), "locon", 4, 4, 1, CONV_FULL),
    "DoRA of kohya": (LORA | {f"{Q}.dora_scale": (320, 1)}, "dora", 4, 8, 3, LORA_FULL),
    "DoRA of peft": (_parts("unet.mid_block.attn2.to_k", PEFT_DORA), "dora", 4, 4, 1, K_FULL),
    "LoHa": (_parts(K, HADA), "loha", 4, 4, 1, K_FULL),
    "LoHa of a convolution": (_parts(CONV, HADA_CONV), "loha", 4, 4, 1, CONV_FULL),
    "LoHa with a Tucker core": (_parts(CONV, HADA_CORE), "loha", 4, 4, 1, CONV_FULL),
    "LoKr, both whole": (_parts(K, LEFT | RIGHT), "lokr", None, None, 1, K_FULL),
    "LoKr, right factored": (_parts(K, LEFT | RIGHT_AB | {"alpha": ()}), "lokr", 4, 4, 1, K_FULL),
    "LoKr, left factored": (_parts(K, LEFT_AB | RIGHT), "lokr", 2, 2, 1, K_FULL),
    "LoKr, both factored": (_parts(K, LEFT_AB | RIGHT_AB), "lokr", 4, 4, 1, K_FULL),
    "LoKr of a convolution": (_parts(CONV, LEFT | {"lokr_w2": (20, 20, 3, 3)}), "lokr", None, None, 1, CONV_FULL),
    "LoKr with a Tucker core": (_parts(CONV, LEFT | RIGHT_CORE), "lokr", 4, 4, 1, CONV_FULL),
    "OFT": ({f"{Q}.oft_blocks": (10, 32, 32), f"{Q}.alpha": ()}, "oft", 32, 32, 1, 320 * 320),
    "BOFT": ({f"{Q}.oft_blocks": (5, 10, 32, 32), f"{Q}.alpha": ()}, "boft", 32, 32, 1, 320 * 320),
    "OFT of peft": ({"base_model.model.a.oft_R.weight": (10, 496)}, "oft", 32, 32, 1, 320 * 320),
    "BOFT of peft": (
        _parts(f"base_model.model.{K}", {"boft_R": (1, 10, 32, 32), "boft_s": (320, 1)}),
        "boft",
        32,
        32,
        1,
        320 * 320,
    ),
    "IA3 of peft": ({f"base_model.model.{K}.ia3_l": (320, 1)}, "ia3", None, None, 1, 320 * 320),
    "patches of 2 are no LoCon": (_parts("x_embedder", PATCH), "lora", 4, 4, 1, 320 * 16 * 4),
    "GLoRA": (_parts(K, GLORA), "glora", 4, 4, 1, K_FULL),
    "IA3": ({f"{K}.weight": (320, 1), f"{K}.on_input": ()}, "ia3", None, None, 1, 320 * 320),
    "full": (_parts(K, WHOLE) | {f"{CONV}.diff": (320, 320, 3, 3)}, "full", None, None, 2, K_FULL + CONV_FULL),
}


def _save(path: Path, shapes: Shapes, metadata: dict[str, str] | None = None, alpha: float = 2.0) -> NetworkInfo:
    tensors = {
        name: np.full(shape, alpha if name.endswith("alpha") else 0, np.float16) for name, shape in shapes.items()
    }
    save_file(tensors, path, metadata)
    return examine(read_header(path), path=path)


@pytest.mark.parametrize(
    ("shapes", "network", "rank", "rank_max", "modules", "full"), ALGORITHMS.values(), ids=ALGORITHMS
)
def test_each_algorithm_is_known_by_its_tensors(
    tmp_path: Path, shapes: Shapes, network: str, rank: int | None, rank_max: int | None, modules: int, full: int
) -> None:
    """Network, ranks, modules and sizes of a real file of each algorithm, without a word of metadata."""
    info = _save(tmp_path / "a.safetensors", shapes)
    parameters = sum(int(np.prod(shape)) for name, shape in shapes.items() if not name.endswith(".alpha"))
    assert (info.kind, info.network) == ("lora", network)
    assert (info.rank, info.rank_max, info.modules) == (rank, rank_max, modules)
    assert (info.parameters, info.full_parameters) == (parameters, full)
    assert info.compression == pytest.approx(full / parameters)
    assert info.alpha == (2.0 if any(name.endswith(".alpha") for name in shapes) else None)


def test_modules_are_counted_by_target(tmp_path: Path) -> None:
    """Modules of the UNet and of text encoders are counted apart."""
    assert _save(tmp_path / "a.safetensors", LORA).targets == {"unet": 2, "text_encoder": 1}


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("float16", 4.0),
        ("float32", 0.5),
        ("float64", 8.0),
        ("int64", 16.0),
        ("int32", 3.0),
        ("uint8", 7.0),
        ("bool", None),
    ],
)
def test_alpha_is_read_in_every_dtype(tmp_path: Path, dtype: str, value: float | None) -> None:
    """Trainers write alpha as a float or an integer of any size; what is no number is not one."""
    path = tmp_path / "a.safetensors"
    down, up = np.zeros((4, 8), np.float16), np.zeros((8, 4), np.float16)
    save_file({"a.lora_down.weight": down, "a.lora_up.weight": up, "a.alpha": np.array(value or 1, dtype)}, path)
    assert examine(read_header(path), path=path).alpha == value


def test_alpha_of_bfloat16(tmp_path: Path) -> None:
    """A bfloat16 is the upper half of a float32: 0x40C0 is 6."""
    raw = b'{"a.alpha":{"dtype":"BF16","shape":[],"data_offsets":[0,2]}}'
    path = tmp_path / "a.safetensors"
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + b"\xc0\x40")
    assert examine(read_header(path), path=path).alpha == 6.0


def test_the_most_frequent_alpha_wins_and_metadata_comes_second(tmp_path: Path, header_of: HeaderOf) -> None:
    """Tensors say 1, 4, 4; metadata is believed only where they are silent, or hold a zero no alpha is."""
    path = tmp_path / "a.safetensors"
    tensors = {f"{n}.lora_down.weight": np.zeros((4, 8), np.float16) for n in "abc"}
    alphas = {f"{n}.alpha": np.array(value, np.float32) for n, value in zip("abc", (1, 4, 4), strict=True)}
    save_file(tensors | alphas, path, {"ss_network_alpha": "9"})
    assert examine(read_header(path), path=path).alpha == 4.0
    assert examine(read_header(path)).alpha == 9.0
    assert _save(path, LORA, {"ss_network_alpha": "9"}, alpha=0.0).alpha == 9.0
    peft = {"lora_adapter_metadata": '{"unet.r": 4, "unet.lora_alpha": 12, "unet.target_modules": ["to_q"]}'}
    assert examine(header_of(LORA, peft)).alpha == 12.0
    for text in ("None", "nan", "", "inf"):
        assert examine(header_of(LORA, {"ss_network_alpha": text})).alpha is None


@pytest.mark.parametrize(
    ("names", "layout"),
    [
        (("lora_unet_a.lora_down.weight", "lora_unet_a.lora_up.weight"), "kohya"),
        (("lycoris_a.lokr_w1", "lycoris_a.lokr_w2"), "kohya"),
        (("lora_transformer_transformer_blocks_0_attn_to_q.lora_down.weight",), "kohya"),
        (("unet.mid_block.to_q.lora_A.weight",), "diffusers"),
        (("unet.mid_block.to_q.lora.down.weight", "unet.mid_block.to_q.lora.up.weight"), "diffusers"),
        (("mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora.down.weight",), "diffusers"),
        (("transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight",), "diffusers"),
        (("transformer_blocks.0.attn.to_q.lora_down.weight",), "diffusers"),
        (("base_model.model.down_blocks.0.to_q.lora_A.weight",), "peft"),
        (("transformer_blocks.0.attn.to_q.lora_A.default.weight",), "peft"),
        (("double_blocks.0.processor.qkv_lora1.down.weight",), "xlabs"),
        (("single_blocks.0.processor.qkv_lora.down.weight",), "xlabs"),
        (("model.diffusion_model.blocks.0.self_attn.q.lora_A.weight",), "bfl"),
        (("diffusion_model.double_blocks.0.img_attn.qkv.lora_A.weight",), "bfl"),
        (("diffusion_model.blocks.0.self_attn.q.lora_down.weight",), "bfl"),
        (("double_blocks.0.img_attn.qkv.lora_A.weight",), "bfl"),
        (("transformer.double_blocks.0.img_attn.qkv.lora_down.weight",), "bfl"),
        (("something.else.lora_A.weight",), "other"),
    ],
)
def test_layouts_are_known_by_names(header_of: HeaderOf, names: tuple[str, ...], layout: str) -> None:
    """Each tool's way to name modules is one layout; the text encoder, spelled alike everywhere, does not decide."""
    shapes = {"lora_te_a.lora_down.weight": (4, 8)} | dict.fromkeys(names, (4, 8))
    assert identify(header_of(shapes)).layout == layout


def test_a_text_encoder_alone_has_a_layout(header_of: HeaderOf) -> None:
    """Without any denoiser module, the text encoder's spelling is the layout."""
    old = "text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_linear_layer.down.weight"
    assert identify(header_of({old: (4, 768)})).layout == "diffusers"
    assert identify(header_of(_lora(TEXT, 3072, 768, 8))).layout == "kohya"


def test_peft_adapter_names_may_be_anything(header_of: HeaderOf) -> None:
    """peft writes its adapter's name between the parts, mostly "default"."""
    shapes = {"base_model.model.a.lora_A.my-style.weight": (4, 8), "base_model.model.a.lora_B.my-style.weight": (6, 4)}
    info = examine(header_of(shapes))
    assert (info.network, info.layout, info.rank, info.full_parameters) == ("lora", "peft", 4, 48)


def test_a_locon_without_convolutions_is_told_by_its_trainer_only(header_of: HeaderOf) -> None:
    """Such weights are a LoRA's; LyCORIS says in its arguments that it meant a LoCon. It cannot rename a LoHa."""
    lycoris = {"ss_network_module": "lycoris.kohya", "ss_network_args": '{"algo": "locon", "preset": "attn-mlp"}'}
    assert identify(header_of(LORA)).network == "lora"
    assert identify(header_of(LORA, lycoris)).network == "locon"
    assert identify(header_of(ALGORITHMS["LoHa"][0], lycoris)).network == "loha"


@pytest.mark.parametrize(
    ("shapes", "kind", "family"),
    [
        ({"emb_params": (4, 768)}, "embedding", "sd1"),
        ({"emb_params": (1, 1024)}, "embedding", "sd2"),
        ({"emb_params": (2, 64)}, "embedding", None),
        ({"clip_l": (8, 768), "clip_g": (8, 1280)}, "embedding", "sdxl"),
        ({"<cat-toy>": (768,)}, "embedding", "sd1"),
        ({"<mr.cat>": (2, 768)}, "embedding", "sd1"),
        ({"string_to_param.*": (4, 768), "string_to_token.*": (1,)}, "embedding", "sd1"),
        ({"hidden_state1": (77, 768), "hidden_state2": (77, 1280)}, "other", None),
        ({"clip_l": (2, 768), "t5xxl": (2, 4096)}, "embedding", "flux1"),
        ({"model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (320, 768),
          "cond_stage_model.transformer.text_model.encoder.layers.0.mlp.fc1.weight": (3072, 768)}, "checkpoint", "sd1"),
        ({"model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (320, 1024),
          "cond_stage_model.model.ln_final.weight": (1024,)}, "checkpoint", "sd2"),
        ({"down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight": (320, 768)}, "checkpoint", "sd1"),
        ({"double_blocks.0.img_attn.qkv.weight": (9216, 3072), "single_blocks.0.linear1.weight": (21504, 3072),
          "double_blocks.0.img_mod.lin.weight": (18432, 3072)}, "checkpoint", "flux1"),
        ({"model.diffusion_model.blocks.0.self_attn.q.weight": (5120, 5120)}, "checkpoint", "wan"),
        ({"transformer_blocks.0.attn.add_q_proj.weight": (1536, 1536)}, "checkpoint", "sd3"),
        ({"control_model.input_blocks.0.0.weight": (320, 4, 3, 3)}, "other", None),
        ({"controlnet_cond_embedding.conv_in.weight": (16, 3, 3, 3), "down_blocks.0.a.weight": (4, 4)}, "other", None),
        ({"lora_controlnet": (0,), "input_blocks.1.1.proj_in.down": (4, 320)}, "other", None),
        ({"image_proj.proj.weight": (3072, 1024), "ip_adapter.1.to_k_ip.weight": (320, 768)}, "other", None),
        ({"lllite_unet_input_blocks_4_1.down.0.weight": (4, 640)}, "other", None),
        ({"decoder.conv_in.weight": (512, 4, 3, 3), "encoder.down_blocks.0.a.weight": (8, 8)}, "other", None),
        ({"text_model.encoder.layers.0.mlp.fc1.weight": (3072, 768)}, "other", None),
        ({"model.layers.0.self_attn.q_proj.weight": (2048, 2048)}, "other", None),
        ({"conv_first.weight": (64, 3, 3, 3), "body.0.weight": (64, 64)}, "other", None),
        ({}, "other", None),
    ],
)  # fmt: skip
def test_what_is_no_lora_is_called_by_its_name(
    header_of: HeaderOf, shapes: Shapes, kind: str, family: str | None
) -> None:
    """Embeddings, checkpoints, ControlNets, VAEs and text encoders in a LoRA folder are told apart."""
    info = examine(header_of(shapes))
    assert (info.kind, info.family) == (kind, family)
    assert (info.network, info.layout, info.rank, info.modules) == (None, None, None, 0)
    assert info.full_parameters == info.parameters == sum(int(np.prod(shape)) for shape in shapes.values())


def test_a_flux_control_lora_is_no_style(header_of: HeaderOf) -> None:
    """Norm scales beside the LoRA mark a control LoRA, which changes the model's input."""
    block = "double_blocks.0.img_attn"
    shapes = {f"{block}.norm.query_norm.scale": (128,), f"{block}.qkv.lora_A.weight": (128, 3072)}
    info = identify(
        header_of(shapes | {f"{block}.qkv.lora_B.weight": (9216, 128), f"{block}.qkv.lora_B.bias": (9216,)})
    )
    assert (info.kind, info.network, info.layout, info.family) == ("other", "lora", "bfl", "flux1")


def test_names_may_hold_anything(header_of: HeaderOf) -> None:
    """A line break in a name neither makes a module of its second half nor ends in a crash."""
    info = examine(header_of({"x\na.lora_down.weight": (4, 8), "x\na.lora_up.weight": (6, 4), "\n.alpha": ()}))
    assert (info.kind, info.network, info.modules, info.full_parameters) == ("lora", "lora", 1, 48)


def test_examine_says_all_that_identify_says(header_of: HeaderOf) -> None:
    """The quick answer for a scan is part of the full one."""
    header = header_of(LORA)
    assert asdict(identify(header)).items() <= asdict(examine(header)).items()


FAMILIES = {"sd15": "sd1", "hunyuan-video": "hunyuan_video"}
NETWORKS = {"lycoris__sd15_glora": "glora", "lycoris__sd15_oft": "oft"}
RANKS = {
    "lycoris__sd15_locon_conv_tucker": 4
}  # the manifest has the linear layers' 8; most modules are convolutions of 4


def test_recorded_files_are_classified(shared_data: Path, tmp_path: Path) -> None:
    """Every recorded header, grown to its full size, is sound and classified as its manifest says."""
    with (shared_data / "formats" / "manifest.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) >= 19
    for row in rows:
        path, name = tmp_path / row["file"], row["file"].partition(".")[0]
        shutil.copyfile(shared_data / "formats" / row["file"], path)
        os.truncate(path, int(row["full_size_bytes"]))
        header = read_header(path)
        info = examine(header, path=path)
        told, family = row["true_format"].lower(), row["base_family"]
        network = NETWORKS.get(name, "locon" if "locon" in told else "lora")
        layout = next(
            (word for word in ("xlabs", "kohya", "diffusers") if word in told), "peft" if "peft" in told else "kohya"
        )
        assert (name, len(header.tensors), info.family) == (name, int(row["n_keys"]), FAMILIES.get(family, family))
        if "checkpoint" in told:
            assert (name, info.kind, info.network) == (name, "checkpoint", None)
            continue
        assert (name, info.kind, info.network, info.layout) == (name, "lora", network, layout)
        assert (name, info.rank) == (name, RANKS.get(name, int(row["rank"])))


def test_the_real_lora_is_classified(shared_data: Path) -> None:
    """A real LoRA of Stable Diffusion 2.1 at rank 4, by its tensors alone: its metadata says nothing."""
    path = shared_data / "real_lora_sd21.safetensors"
    info = examine(read_header(path), path=path)
    assert (info.kind, info.network, info.layout, info.family) == ("lora", "lora", "diffusers", "sd2")
    assert (info.rank, info.rank_max, info.modules) == (4, 4, 128)
