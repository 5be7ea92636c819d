"""Pictures as they are published: what their infotext says of the LoRAs in them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from hubsync.config import Settings
from hubsync.domain import LoraType
from hubsync.families import load_families
from hubsync.render import wire
from hubsync.render.gallery import publish
from hubsync.render.plan import RenderOptions, make_plan
from tests.unit.render.conftest import Plan, installed

LOADED = wire.Loaded(device="cpu", dtype="float32", sampler="Euler", schedule="SGM Uniform")


def test_hashes_stand_by_the_names_the_prompt_holds(tmp_path: Path) -> None:
    """A tag may call a LoRA by the name in its header: that is what AUTOMATIC1111 looks for when it mends a prompt."""
    called, tested = installed("stem", autov3="a" * 64), installed("tested", "sks", autov3="b" * 64)
    ring = installed("ring", type=LoraType.EMBEDDING, sha256="c" * 64)
    made = make_plan(
        [(tested, None)],
        RenderOptions(prompt="a cat <lora:alias:0.5>", negative="ring", out=tmp_path),
        settings=Settings(checkpoint={"sd1": "/models/model, v1: final.safetensors"}),
        families=load_families(),
        library={"alias": called}.__getitem__,
        embeddings=[ring],
    )
    assert set(made.loras) == {"stem", "tested"}
    picture = tmp_path / "drawn.png"
    Image.new("RGB", (64, 64)).save(picture)
    renders = publish(made, dict.fromkeys(made.drawn, picture), LOADED, datetime(2026, 1, 1, tzinfo=UTC))
    texts = []
    for render in renders:
        with Image.open(render.path) as image:
            texts.append(image.info["parameters"])
    assert [re.findall('Lora hashes: "(.*?)"', text) for text in texts] == [
        ["alias: aaaaaaaaaaaa"],
        *[["alias: aaaaaaaaaaaa, tested: bbbbbbbbbbbb"]] * 2,
    ]
    assert texts[0].startswith("a cat <lora:alias:0.5>\nNegative prompt: ring\nSteps: ")
    assert "Sampler: Euler, Schedule type: SGM Uniform, " in texts[0]
    assert renders[0].sampler == "Euler SGM Uniform"
    assert 'Model: "/models/model, v1: final.safetensors", ' in texts[0]
    assert 'TI hashes: "ring: cccccccccccc"' in texts[0]


def test_pictures_of_several_groups_have_names_of_their_own(plan: Plan) -> None:
    """The group's number tells them apart; the only group of a LoRA needs none."""
    made = plan("outfits", "mona")
    made.out.mkdir()
    picture = made.out / "drawn.png"
    Image.new("RGB", (64, 64)).save(picture)
    renders = publish(made, dict.fromkeys(made.drawn, picture), LOADED, datetime(2026, 1, 1, tzinfo=UTC))
    assert [render.path.name for render in renders if render.trigger_words] == [
        "outfits.w0.8.s1.words1.png", "outfits.w0.8.s1.words3.png", "mona.w0.6.s1.words.png",
    ]  # fmt: skip
    assert [replace(render).trigger_effect for render in renders if render.trigger_words] == [0.0] * 3
