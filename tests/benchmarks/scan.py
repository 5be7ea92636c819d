"""How long it takes to read a library of 10,000 files, beside the least it can take.

The floors: every header read and its metadata decoded with msgspec, tensors skipped, for a first scan; every folder
listed and every file's state asked for, for a scan of what did not change. All of it in one process, taking turns.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from hubsync.config import Settings
from hubsync.services.opening import open_hubsync
from tests.benchmarks.table import Bar, Row
from tests.benchmarks.workplace import Summary, Workplace

COUNT = 10_000
FIRST, AGAIN = 2.0, 3.0
FOLDER = 250  # files in one folder


def scan(place: Workplace) -> list[Row]:
    """A first scan and one of the same files again; then a first scan of files of which no two are alike."""
    count = int(COUNT * place.scale)
    with place.fresh() as root:
        fill(root, count, alike=True)
        took = race(root, place.rounds)
    with place.fresh() as root:
        fill(root, count, alike=False)
        strange = race(root, place.rounds)
    first, again = took["first"] / took["headers"], took["again"] / took["states"]
    return [
        line("reading headers raw", took["headers"]),
        line("first scan", took["first"], took["headers"], Bar(f"≤ {FIRST:g} x floor", first <= FIRST)),
        line("listing and stat", took["states"]),
        line("unchanged scan", took["again"], took["states"], Bar(f"≤ {AGAIN:g} x floor", again <= AGAIN)),
        line("reading headers raw, all different", strange["headers"]),
        line("first scan, all different", strange["first"], strange["headers"]),
    ]


def race(root: Path, rounds: int) -> Mapping[str, float]:
    """The median seconds of each, taking turns."""
    took: dict[str, list[float]] = {"headers": [], "first": [], "states": [], "again": []}
    for _ in range(max(3, rounds)):
        took["headers"].append(timed(lambda: read_headers(root)))
        shutil.rmtree(root / ".hubsync", ignore_errors=True)
        took["first"].append(timed(lambda: hubsync_scan(root)))
        took["states"].append(timed(lambda: list_states(root)))
        took["again"].append(timed(lambda: hubsync_scan(root)))
    return {name: statistics.median(values) for name, values in took.items()}


def hubsync_scan(root: Path) -> None:
    """What `hubsync scan --no-identify` does."""
    with open_hubsync(Settings(root=str(root))) as hubsync:
        hubsync.scanning.scan(identify=False, sink=lambda _: None, cancel=threading.Event())


class Metadata(msgspec.Struct):
    """What is decoded of a header."""

    texts: dict[str, str] = msgspec.field(name="__metadata__", default_factory=dict)


def read_headers(root: Path) -> None:
    """Every header's metadata, as fast as msgspec gives them."""
    decoder = msgspec.json.Decoder(Metadata)
    for folder, _, names in os.walk(root / "models"):
        for name in names:
            file = os.open(f"{folder}/{name}", os.O_RDONLY)
            decoder.decode(os.read(file, int.from_bytes(os.read(file, 8), "little")))
            os.close(file)


def list_states(root: Path) -> None:
    """Size and time of every file."""
    waiting = [os.fspath(root / "models")]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    waiting.append(entry.path)
                else:
                    entry.stat()


def timed(job: Callable[[], object]) -> float:
    """Seconds it takes."""
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


def line(tool: str, seconds: float, floor: float = float("nan"), *bars: Bar) -> Row:
    """A row of the table."""
    return Row(case="scan, 10,000 files", summary=Summary(tool=tool, seconds=seconds), floor=floor, bars=bars)


def fill(root: Path, count: int, *, alike: bool) -> None:
    """A library of LoRAs as kohya's trainers write them: 30 kinds of network, or a rank for every file.

    Headers are 95 KB in the mean, from 78 to 112, a tenth of it metadata; the data are holes.
    """
    chance = random.Random(1)
    kinds = [list(tensors(*kind)) for kind in KINDS]
    for number in range(count):
        folder = root / "models" / "Lora" / f"shelf {number // FOLDER}"
        folder.mkdir(parents=True, exist_ok=True)
        entries = dict(chance.choice(kinds) if alike else tensors(number + 1, text_encoder=number % 3 > 0))
        header = json.dumps({"__metadata__": metadata(number, chance), **entries}, separators=(",", ":")).encode()
        with (folder / f"lora_{number}.safetensors").open("xb") as file:
            file.write(len(header).to_bytes(8, "little") + header)
            file.truncate(8 + len(header) + max(entry["data_offsets"][1] for entry in entries.values()))


KINDS = [
    (rank, text_encoder, dtype) for rank in (4, 8, 16, 32, 64) for text_encoder in (True, False) for dtype in (2, 4, 8)
]
"""Rank, whether the text encoder is trained too, bytes of a number."""

_DTYPES = {2: "F16", 4: "F32", 8: "F64"}


def tensors(rank: int, text_encoder: bool = True, width: int = 2) -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: FBT001, FBT002
    """A Stable Diffusion 1.5 LoRA's tensors: 264 modules, 192 without the text encoder."""
    start = 0
    for name, inputs, outputs in modules(text_encoder=text_encoder):
        for part, shape in (
            ("alpha", []),
            ("lora_down.weight", [rank, inputs]),
            ("lora_up.weight", [outputs, rank]),
        ):
            end = start + width * (shape[0] * shape[1] if shape else 1)
            yield f"{name}.{part}", {"dtype": _DTYPES[width], "shape": shape, "data_offsets": [start, end]}
            start = end


def modules(*, text_encoder: bool) -> Iterator[tuple[str, int, int]]:
    """Name, inputs and outputs of what a LoRA adapts."""
    for layer in range(12 if text_encoder else 0):
        for part, inputs, outputs in (
            ("mlp_fc1", 768, 3072),
            ("mlp_fc2", 3072, 768),
            *((f"self_attn_{one}_proj", 768, 768) for one in ("k", "out", "q", "v")),
        ):
            yield f"lora_te_text_model_encoder_layers_{layer}_{part}", inputs, outputs
    for block in (
        "down_blocks_0",
        "down_blocks_1",
        "down_blocks_2",
        "mid_block",
        *(f"up_blocks_{n}" for n in (1, 2, 3)),
    ):
        for attention in range(3 if block.startswith("up") else 1 if block.startswith("mid") else 2):
            name = f"lora_unet_{block}_attentions_{attention}"
            yield f"{name}_proj_in", 320, 320
            for one in ("attn1", "attn2"):
                for part in ("to_k", "to_out_0", "to_q", "to_v"):
                    text = one == "attn2" and part in {"to_k", "to_v"}
                    yield f"{name}_transformer_blocks_0_{one}_{part}", 768 if text else 320, 320
            yield f"{name}_transformer_blocks_0_ff_net_0_proj", 320, 2560
            yield f"{name}_transformer_blocks_0_ff_net_2", 1280, 320
            yield f"{name}_proj_out", 320, 320


def metadata(number: int, chance: random.Random) -> dict[str, str]:
    """What kohya writes, the captions' tags above all."""
    tags = {f"tag {chance.randrange(10_000)}": chance.randrange(1, 60) for _ in range(chance.randrange(20, 500))}
    return {
        "ss_output_name": f"lora_{number}",
        "ss_network_module": "networks.lora",
        "ss_base_model_version": "sd_v1",
        "ss_network_alpha": "8.0",
        "ss_tag_frequency": json.dumps({"10_subject": tags}),
        "ss_dataset_dirs": json.dumps({"10_subject": {"n_repeats": 10, "img_count": 60}}),
        "sshs_model_hash": f"{number:064x}",
    }
