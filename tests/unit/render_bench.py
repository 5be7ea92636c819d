"""A library of small files and a renderer that paints, for tests of renders above the renderer itself."""

from __future__ import annotations

import json
import struct
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from hubsync import config
from hubsync.roots import find_root
from hubsync.services.app import Hubsync

PAINTER = """
import json, sys
from PIL import Image
def say(type, **fields):
    print(json.dumps({"type": type, **fields}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    request = asked.get("request", asked)
    if "broken" in request["checkpoint"]:
        say("failure", code="not_found", message="there is no checkpoint " + request["checkpoint"])
        continue
    say("loaded", device="cpu", dtype="float32", sampler="DDIM")
    if "odd" in request["loras"]:
        say("refused", lora="odd", code="wrong_family", message="'odd' fits nothing here")
    if asked["type"] == "probe":
        say("scores", scores=[0.9 if word == "ohwx" else 0.01 * len(word) for word in asked["words"]])
    for index, row in enumerate(request["rows"] if asked is request else ()):
        if any(use["lora"] == "odd" for use in row["loras"]):
            continue
        level = sum(round(50 * abs(use["unet"])) for use in row["loras"]) + (100 if "ohwx" in row["prompt"] else 0)
        path = f"{request['folder']}/{index}.png"
        Image.new("RGB", (64, 64), (level, level, level)).save(path)
        say("picture", row=index, path=path)
    say("done")
"""
"""A LoRA of weight 1 adds 50 levels, the word ohwx 100; `odd` fits nothing; a checkpoint called broken cannot load.

Of words tried out the LoRAs react to ohwx alone."""

WIDTHS = {"sd1": 768, "sd2": 1024, "sdxl": 2048}
KEY = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"
XL = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k"


def write_lora(path: Path, family: str = "sd1", **metadata: str) -> None:
    """A LoRA of one module, whose width tells its family."""
    module = XL if family == "sdxl" else KEY
    shapes = {f"{module}.lora_down.weight": (4, WIDTHS[family]), f"{module}.lora_up.weight": (640, 4)}
    write(path, shapes, **metadata)


def write(path: Path, shapes: dict[str, tuple[int, int]], **metadata: str) -> None:
    """A safetensors file of zeros."""
    header: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    end = 0
    for name, (rows, columns) in shapes.items():
        begin, end = end, end + 2 * rows * columns
        header[name] = {"dtype": "F16", "shape": [rows, columns], "data_offsets": [begin, end]}
    raw = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + bytes(end))


class Bench:
    """A library root, filled by tests, and hubsync opened on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.loras = root / "models" / "Lora"
        for family in ("sd1", "sdxl"):
            (root / family).mkdir(parents=True, exist_ok=True)
        self.environ = {
            "HUBSYNC_ROOT": str(root),
            "HUBSYNC_CONFIG": str(root / "hubsync.toml"),
            "HUBSYNC_CHECKPOINT__SD1": str(root / "sd1"),
        }

    def open(self, **environ: str) -> Hubsync:
        """The services, on what lies on the disk."""
        settings = config.load(environ={**self.environ, **environ})
        hubsync = Hubsync(
            settings,
            find_root(settings, cwd=self.root, home=self.root),
            renderer=(sys.executable, "-c", PAINTER),
            now=lambda: datetime(2026, 6, 1, tzinfo=UTC),
        )
        hubsync.scanning.scan(identify=False, sink=id, cancel=threading.Event())
        return hubsync
