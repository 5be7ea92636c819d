"""A glance says what reading the whole header says, of every file."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from hubsync.errors import NotFound
from hubsync.files.glance import Glance, Glancer
from hubsync.files.header import Header, partial_header
from hubsync.files.metadata import alias, title, trigger_phrase
from hubsync.files.network import identify

METADATA = {"ss_output_name": "me", "modelspec.title": "A title", "modelspec.trigger_phrase": "ohwx, hat"}
LORA = {
    "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight": (4, 768),
    "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_up.weight": (320, 4),
    "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.alpha": (),
}


def _check(path: Path, glancer: Glancer | None = None) -> Glance:
    """Look at a file twice, and hold both against the whole header."""
    glancer = glancer or Glancer()
    size = path.stat().st_size
    found, problem = partial_header(path)
    header = found or Header(tensors={}, metadata={}, length=0, file_size=0)
    identity = identify(header)
    first, second = glancer.glance(path, size), glancer.glance(str(path), size)
    assert first == second
    if problem:
        assert (first.code, first.problem) == ("not_safetensors", problem)
    assert (first.kind, first.network, first.layout, first.family, first.rank, first.rank_max) == (
        identity.kind, identity.network, identity.layout, identity.family, identity.rank, identity.rank_max,
    )  # fmt: skip
    assert (first.alias, first.title) == (alias(header.metadata), title(header.metadata))
    assert first.trigger_words == trigger_phrase(header.metadata)
    return first


def _whole(path: Path, content: bytes, data: bytes) -> Path:
    path.write_bytes(content + data)
    return path


def test_a_lora_is_told_in_full(tmp_path: Path, file_of: Callable[..., bytes]) -> None:
    """What its tensors say, what its author wrote, and one module's alpha."""
    data = bytes(2 * (4 * 768 + 320 * 4)) + b"\x00\x40"  # 2.0 as fp16
    found = _check(_whole(tmp_path / "a.safetensors", file_of(LORA, METADATA), data))
    assert (found.code, found.kind, found.network, found.family, found.rank) == (None, "lora", "lora", "sd1", 4)
    assert (found.alpha, found.alias, found.title) == (2.0, "me", "A title")
    assert found.trigger_words == ("ohwx", "hat")


def test_metadata_decide_what_equal_tensors_leave_open(tmp_path: Path, file_of: Callable[..., bytes]) -> None:
    """Tensors are remembered without the metadata that stood beside them."""
    glancer = Glancer()
    data = bytes(2 * (4 * 768 + 320 * 4) + 2)
    args = {"ss_network_args": '{"algo": "locon"}', "ss_network_alpha": "8"}
    plain = _check(_whole(tmp_path / "a.safetensors", file_of(LORA, METADATA), data), glancer)
    locon = _check(_whole(tmp_path / "b.safetensors", file_of(LORA, args), data), glancer)
    assert (plain.network, plain.alpha) == ("lora", None)
    assert (locon.network, locon.alpha, locon.alias) == ("locon", 8.0, None)


def test_half_a_file_of_a_known_kind_is_half_a_file(tmp_path: Path, file_of: Callable[..., bytes]) -> None:
    """Its tensors are those of a sound file; its size is its own."""
    glancer, data = Glancer(), bytes(2 * (4 * 768 + 320 * 4) + 2)
    assert _check(_whole(tmp_path / "a.safetensors", file_of(LORA, METADATA), data), glancer).code is None
    cut = _check(_whole(tmp_path / "b.safetensors", file_of(LORA, METADATA), data[:-7]), glancer)
    assert cut.problem.startswith("truncated: 7 of its")
    long = _check(_whole(tmp_path / "c.safetensors", file_of(LORA, METADATA), data + b"\0"), glancer)
    assert long.problem == "1 bytes follow its data"


@pytest.mark.parametrize("damage", ["flip", "cut", "double", "insert"])
def test_damaged_headers_are_judged_alike(tmp_path: Path, file_of: Callable[..., bytes], damage: str) -> None:
    """Wherever a byte is wrong: 150 places of a header that was seen whole before."""
    whole, data, chance = file_of(LORA, METADATA), bytes(2 * (4 * 768 + 320 * 4) + 2), random.Random(7)
    path, glancer = tmp_path / "a.safetensors", Glancer()
    _check(_whole(path, whole, data), glancer)
    for _ in range(150):
        at, raw = chance.randrange(8, len(whole)), bytearray(whole)
        if damage == "flip":
            raw[at] = chance.choice(b'"{}[]:,0a \\')
        elif damage == "cut":
            del raw[at : at + chance.randrange(1, 40)]
        elif damage == "double":
            raw[at:at] = raw[chance.randrange(8, at + 1) : at]
        else:
            raw[at:at] = b'"__metadata__":{"a":"b"},'
        raw[:8] = (len(raw) - 8 + chance.choice([0, 0, 0, 5, -5])).to_bytes(8, "little")
        _check(_whole(path, bytes(raw), data), glancer)


ENTRY = b'"a.alpha":{"dtype":"F16","shape":[],"data_offsets":[0,2]%s}'


@pytest.mark.parametrize(
    "metadata", [b'{"a":"b"}', b'{"shape":"x"}', b"{}", b'{"a":1}', b'{"a":"\xff"}', b'{"a":"\\u0022"}']
)
@pytest.mark.parametrize(
    "odd",
    [
        *(b"", b',"x":"\xff"', b',"\xff":0', b',"x":1e999', b',"x":NaN', b',"x":"\\ud800"', b',"dtype":"F16"'),
        b',"x":' + b"[" * 2000,
    ],
)
def test_what_decoders_skip_is_judged_alike(tmp_path: Path, metadata: bytes, odd: bytes) -> None:
    """Numbers and texts under keys that safetensors does not have, beside metadata of several kinds."""
    raw = b'{"__metadata__":%s,%s}' % (metadata, ENTRY % odd)
    _check(_whole(tmp_path / "a.safetensors", len(raw).to_bytes(8, "little") + raw, b"\0\0"))


@pytest.mark.parametrize("before", [0, 3, 99_850, 99_861, 200_000])
def test_alpha_is_found_wherever_it_lies(tmp_path: Path, before: int) -> None:
    """In the bytes read with the header, across their end, or far behind."""
    raw = b'{"__metadata__":{"a":"b"},"b":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]},' % (before, before)
    raw += b'"a.alpha":{"dtype":"F16","shape":[],"data_offsets":[%d,%d]}}' % (before, before + 2)
    content = len(raw).to_bytes(8, "little") + raw
    assert _check(_whole(tmp_path / "a.safetensors", content, bytes(before) + b"\x00\x40")).alpha == 2.0


@pytest.mark.parametrize("padding", [0, 1, 7, 63, 64, 65, 500])
def test_padding_changes_nothing(tmp_path: Path, file_of: Callable[..., bytes], padding: int) -> None:
    """Spaces after the JSON are part of the header's length."""
    header = file_of(LORA, METADATA) + b" " * padding
    header = (len(header) - 8).to_bytes(8, "little") + header[8:]
    assert _check(_whole(tmp_path / "a.safetensors", header, bytes(2 * (4 * 768 + 320 * 4) + 2))).code is None


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.ckpt", b"PK\x03\x04", "unsafe_file"),
        ("a.PT", b"\x80\x02", "unsafe_file"),
        ("a.safetensors", b"", "not_safetensors"),
        ("a.safetensors", b"<html>", "not_safetensors"),
        ("a.safetensors", (1 << 40).to_bytes(8, "little") + b"{}", "not_safetensors"),
        ("a.safetensors", (2).to_bytes(8, "little") + b"{}", "misfiled"),
    ],
)
def test_what_is_no_lora_has_a_code(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    """Pickles, pages, nothing at all, and sound files of something else."""
    path = tmp_path / name
    path.write_bytes(content)
    found = Glancer().glance(path, len(content))
    assert found.code == code
    assert found.problem


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("model.diffusion_model.input_blocks.0.0.weight", "a checkpoint"),
        ("control_model.input_blocks.0.0.weight", "a ControlNet"),
        ("lllite_unet_input_blocks_4_1.down.0.weight", "a ControlNet"),
        ("image_proj.proj.weight", "an IP-Adapter"),
        ("down_blocks.0.motion_modules.0.norm.weight", "a motion module"),
        ("first_stage_model.encoder.conv_in.weight", "a checkpoint"),
        ("decoder.mid.attn_1.q.weight", "a VAE"),
        ("shared.weight", "a text encoder"),
        ("text_model.encoder.layers.0.mlp.fc1.weight", "a text encoder"),
        ("vision_model.embeddings.weight", "an image encoder"),
        ("model.layers.0.self_attn.q_proj.weight", "a language model"),
        ("conv_first.weight", "an upscaler"),
        ("something", "a model of another kind"),
    ],
)
def test_what_is_misfiled_is_named(tmp_path: Path, file_of: Callable[..., bytes], name: str, what: str) -> None:
    """A user who put a file in the wrong folder reads which file it is."""
    found = _check(_whole(tmp_path / "a.safetensors", file_of({name: (3, 5)}, METADATA), bytes(30)))
    assert (found.code, found.problem.partition(",")[0]) == ("misfiled", what)


def test_a_lora_that_controls_is_named(tmp_path: Path, file_of: Callable[..., bytes]) -> None:
    """It draws no style: it changes what the model sees."""
    block = "double_blocks.0.img_attn"
    shapes = {f"{block}.norm.query_norm.scale": (128,), f"{block}.qkv.lora_A.weight": (4, 8)}
    found = _check(_whole(tmp_path / "a.safetensors", file_of(shapes, METADATA), bytes(2 * (128 + 32))))
    assert (found.code, found.kind, found.problem.partition(",")[0]) == ("misfiled", "other", "a LoRA that controls")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """A folder may end like a file."""
    assert Glancer().glance(tmp_path, 4096).code == "not_safetensors"


def test_a_file_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    """It may vanish between the listing and the look."""
    with pytest.raises(NotFound):
        Glancer().glance(tmp_path / "a.safetensors", 1)


def test_real_headers_are_told_alike(shared_data: Path, tmp_path: Path) -> None:
    """Of many networks and families, at their full size and cut short."""
    glancer = Glancer()
    for source in sorted((shared_data / "formats").glob("*.safetensors")):
        target = tmp_path / source.name
        header, _ = partial_header(source)
        assert header
        end = header.length + max(tensor.end for tensor in header.tensors.values())
        target.write_bytes(source.read_bytes()[: header.length])
        _check(target, glancer)
        with target.open("r+b") as file:
            file.truncate(end)
        assert _check(target, glancer).code in {None, "misfiled"}
