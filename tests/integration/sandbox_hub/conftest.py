"""A sandbox hub over a small data folder of its own, so that these tests need no trained weights."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from hubsync.sandbox.hub import SandboxHub

STEMS = ("add_detail", "add_saturation", "add_brightness", "sks_frame", "mona_outfits", "pytorch_lora_weights", "extra")


def safetensors(path: Path, size: int) -> None:
    """Write a valid file with one alpha and one matrix of `size` bytes that follow from its name."""
    entries = {
        "__metadata__": {"ss_output_name": path.stem},
        "lora_unet_mid.alpha": {"dtype": "F16", "shape": [], "data_offsets": [0, 2]},
        "lora_unet_mid.lora_down.weight": {"dtype": "U8", "shape": [size], "data_offsets": [2, 2 + size]},
    }
    header = json.dumps(entries).encode()
    body = struct.pack("<e", 4.0) + random.Random(path.stem).randbytes(size)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(header)) + header + body)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder laid out like the packaged one, with one LoRA no catalogue names and one preview."""
    from PIL import Image

    root = tmp_path_factory.mktemp("data")
    for stem in STEMS:
        safetensors(root / "loras" / f"{stem}.safetensors", 3 << 20 if stem == "sks_frame" else 40_000)
    safetensors(root / "embeddings" / "blue_ring.safetensors", 512)
    safetensors(root / "shapes.safetensors", 9000)
    (root / "previews").mkdir()
    for stem in ("add_saturation", "pytorch_lora_weights"):
        Image.new("RGB", (512, 256), "teal").save(root / "previews" / f"{stem}.png")
    return root


@pytest.fixture
def hub(data: Path) -> Iterator[SandboxHub]:
    """A running hub that nobody leaks a token to."""
    with SandboxHub.start(data) as hub:
        yield hub


@pytest.fixture
def civitai(hub: SandboxHub) -> Iterator[httpx2.Client]:
    """A plain client of the Civitai side."""
    with httpx2.Client(base_url=hub.civitai_url, headers={"User-Agent": "hubsync/1.0"}) as client:
        yield client
