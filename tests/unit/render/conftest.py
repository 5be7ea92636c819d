"""A small library, a checkpoint that is a name, and a renderer that paints each row in a colour of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from hubsync.config import Settings
from hubsync.domain import Installed, LoraType, TriggerGroup, TriggerWord, WordSource
from hubsync.errors import UnknownLora
from hubsync.families import load_families
from hubsync.render.plan import RenderOptions, RenderPlan, make_plan

PAINTER = """
import json, sys, time
from PIL import Image
request = json.loads(sys.stdin.readline())
def say(type, **fields):
    print(json.dumps({"type": type, **fields}), flush=True)
say("loaded", device="cpu", dtype="float32", sampler="DDIM", schedule="")
say("note", message="one module left out")
for index, row in enumerate(request["rows"]):
    say("progress", pictures=index + 0.5)
    level = 10 * row["seed"] + (51 if row["loras"] else 0) + (102 if "sks" in row["prompt"] else 0)
    path = f"{request['folder']}/{index:04}.png"
    Image.new("RGB", tuple(request["size"] or (64, 64)), (level, level, level)).save(path)
    say("picture", row=index, path=path)
say("done")
"""
"""Stands in for the renderer: a LoRA adds 0.2 of the scale, the word sks 0.4, a seed shifts both."""

COMMAND = (sys.executable, "-c", PAINTER)


def installed(name: str, *words: str, family: str | None = "sd1", **fields: Any) -> Installed:
    """A LoRA of the library with one enabled group of words."""
    texts = tuple(TriggerWord(text=word, source=WordSource.CIVITAI) for word in words)
    groups = (TriggerGroup(index=1, words=texts, enabled=True),) if words else ()
    path = Path(f"/library/{name}.safetensors")
    return Installed(name=name, path=path, title=name, family=family, groups=groups, **fields)


LIBRARY = {
    lora.name: lora
    for lora in (
        installed("add_detail"),
        installed("sks_frame", "sks", weight=1.0, autov3="0123456789ABCDEF"),
        installed("mona", "mona", "day outfit", weight=0.6),
        installed("flat", family="sdxl"),
        installed("unknown", family=None),
        installed("lost", missing=True),
        installed("a:b"),
        replace(
            installed("outfits"),
            groups=tuple(
                TriggerGroup(
                    index=index,
                    enabled=index != 2,
                    words=tuple(TriggerWord(text=text, source=WordSource.CIVITAI) for text in ("lily", outfit)),
                )
                for index, outfit in enumerate(("day", "dusk", "night"), start=1)
            ),
        ),
        installed("grim", "grim", negative="sunny"),
        installed("blue_ring", "blue_ring", type=LoraType.EMBEDDING, sha256="f" * 64),
    )
}

PICKLED = replace(installed("old_ring", type=LoraType.EMBEDDING), path=Path("/library/old_ring.pt"))


def find(name: str) -> Installed:
    """The library's lookup: case does not matter."""
    found = {known.casefold(): lora for known, lora in LIBRARY.items()}.get(name.casefold())
    if found is None:
        raise UnknownLora(f"'{name}' is not installed")
    return found


Plan: TypeAlias = Callable[..., RenderPlan]


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Plans a render of LoRAs by name, `NAME` or `(NAME, weight)`, with options by keyword."""
    (tmp_path / "sd1").mkdir()

    def make(*names: str | tuple[str, float], settings: Settings | None = None, **options: Any) -> RenderPlan:
        wishes = [(name, None) if isinstance(name, str) else name for name in names]
        chosen = {"prompt": "a red circle", "out": tmp_path / "out", **options}
        return make_plan(
            [(LIBRARY[name], weight) for name, weight in wishes],
            RenderOptions(**chosen),
            settings=settings or Settings(checkpoint={"sd1": str(tmp_path / "sd1")}),
            families=load_families(),
            library=find,
            embeddings=[LIBRARY["blue_ring"], PICKLED],
        )

    return make
