"""The answer of `inspect`, for sound, damaged and foreign files."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import fields
from pathlib import Path

import msgspec
import numpy as np
import pytest
from safetensors.numpy import save_file

from hubsync.errors import Cancelled, NotFound
from hubsync.files.inspection import Inspection, inspect

CONTRACT = {
    *("path", "valid", "kind", "network", "layout", "family", "rank", "rank_max", "alpha", "modules", "parameters"),
    *("targets", "full_parameters", "compression", "size", "sha256", "autov1", "autov2", "autov3", "alias"),
    *("trigger_words", "suggestions", "metadata"),
}

BLOCK = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    """A real little LoRA with kohya's metadata."""
    path = tmp_path / "pencil.safetensors"
    tensors = {
        f"{BLOCK}.lora_down.weight": np.zeros((4, 768), np.float16),
        f"{BLOCK}.lora_up.weight": np.zeros((320, 4), np.float16),
        f"{BLOCK}.alpha": np.array(2, np.float16),
    }
    metadata = {
        "ss_output_name": "pencil_v2",
        "modelspec.title": "Pencil",
        "modelspec.trigger_phrase": "pencil drawing, hatching",
        "ss_tag_frequency": json.dumps({"5_pencil": {"1girl": 9, "hatching": 9}}),
    }
    save_file(tensors, path, metadata)
    return path


def test_every_key_of_the_contract_is_there() -> None:
    """`inspect --json` prints these keys; more are allowed, none may be missing."""
    assert {field.name for field in fields(Inspection)} == CONTRACT | {"problem", "title", "blake3", "crc32"}


def test_a_sound_lora_is_told_whole(lora: Path) -> None:
    """Everything but the hashes is what was written; the hashes are those of the bytes."""
    found = inspect(lora)
    content = lora.read_bytes()
    assert (found.path, found.size, found.valid, found.problem) == (lora, len(content), True, "")
    assert (found.kind, found.network, found.layout, found.family) == ("lora", "lora", "kohya", "sd1")
    assert (found.rank, found.alpha, found.modules, found.parameters) == (4, 2.0, 1, 4 * 768 + 320 * 4)
    assert (found.alias, found.title, found.trigger_words) == ("pencil_v2", "Pencil", ("pencil drawing", "hatching"))
    assert found.suggestions[0].text == "hatching"
    assert found.metadata["ss_output_name"] == "pencil_v2"
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert (found.autov1, found.autov2) == (None, found.sha256[:10])
    data = content[8 + int.from_bytes(content[:8], "little") :]
    assert found.autov3 == hashlib.sha256(data).hexdigest()[:12]
    assert msgspec.json.decode(msgspec.json.encode(found, enc_hook=str))["suggestions"][0]["text"] == "hatching"


def test_a_damaged_file_tells_what_is_left(lora: Path) -> None:
    """A file cut in its data is not valid, and is still known as what it was."""
    content = lora.read_bytes()
    lora.write_bytes(content[:-100])
    found = inspect(lora)
    assert (found.valid, found.size) == (False, len(content) - 100)
    assert "truncated: 100 of its" in found.problem
    assert (found.network, found.family, found.rank, found.alias) == ("lora", "sd1", 4, "pencil_v2")


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04" + b"x" * 100])
def test_a_foreign_file_is_described(tmp_path: Path, content: bytes) -> None:
    """What is no safetensors file at all has a problem, hashes, a size, and nothing else."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    found = inspect(path)
    assert (found.valid, found.kind, found.modules, found.parameters) == (False, "other", 0, 0)
    assert found.problem
    assert (found.size, found.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert (found.alias, found.trigger_words, found.suggestions, found.metadata) == (None, (), (), {})


def test_the_data_hash_of_an_endless_header_is_civitais(tmp_path: Path) -> None:
    """From 16 MiB on Civitai takes the header for data, and only its hash finds the file there."""
    raw = b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'.ljust(16 << 20)
    path = tmp_path / "a.safetensors"
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + b"x")
    found = inspect(path)
    assert (found.valid, found.autov3) == (True, hashlib.sha256(raw + b"x").hexdigest()[:12])


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    """There is nothing to describe."""
    with pytest.raises(NotFound):
        inspect(tmp_path / "none.safetensors")


def test_inspecting_can_be_stopped(lora: Path) -> None:
    """Hashing a large file ends when the user asks."""
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        inspect(lora, cancel=cancel)


def test_the_sandbox_loras_fit_no_real_family() -> None:
    """The embedded LoRAs are LoRAs of a family of their own, whatever their metadata says to other tools."""
    folder = Path(__file__).parents[3] / "hubsync" / "sandbox" / "data" / "loras"
    found = [inspect(path) for path in sorted(folder.glob("*.safetensors"))]
    loras = [info for info in found if info.kind == "lora"]
    assert len(loras) >= 3
    assert {(info.valid, info.family) for info in found} == {(True, None)}
    for info in loras:
        stated = info.metadata.get("ss_network_dim")
        assert (info.path.name, info.network) == (info.path.name, "lora")
        assert (info.path.name, info.layout in {"kohya", "diffusers"}) == (info.path.name, True)
        assert stated is None or int(stated) == info.rank
