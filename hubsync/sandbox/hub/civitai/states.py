"""Civitai records that exist to show a state a real one can be in, each with a LoRA of its own where it has one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubsync.sandbox.hub.civitai.records import PLAIN, File, Image, Model, Version, examples, lora


def state(
    number: int,
    name: str,
    stem: str,
    strength: float,
    *,
    file: str,
    version: Mapping[str, Any] | None = None,
    **model: Any,  # noqa: ANN401
) -> Model:
    """A record that exists to show a state: a trained LoRA at a strength of its own, under a name of its own."""
    fields: dict[str, Any] = {
        "files": (lora(number, stem, strength, name=file),),
        "images": examples(number, stem, f"{PLAIN} <lora:{file.removesuffix('.safetensors')}:0.7>"),
        **(version or {}),
    }
    return Model(id=1000 + number, name=name, versions=(Version(id=2000 + number, name="v1.0", **fields),), **model)


STATES = (
    state(
        11,
        "Frosted Glass (early)",
        "add_detail",
        1.5,
        file="frosted_glass.safetensors",
        version={"paid": 5, "base_model": "Pony", "raw": {"availability": "EarlyAccess"}},
        downloads=640,
        likes=410,
    ),
    state(
        12,
        "Add Detail, strong",
        "add_detail",
        2.0,
        file="add_detail_strong.safetensors",
        version={"login": True},
        tags=("slider", "detail"),
        downloads=5012,
        likes=388,
        raw={"allowCommercialUse": "{Image,RentCivit}"},
    ),
    state(
        13, "Retired Film Grain", "add_detail", 0.5, file="grain.safetensors", mode="Archived", downloads=900, likes=70
    ),
    state(
        14,
        "On-site Only Glow",
        "add_brightness",
        1.5,
        file="glow.safetensors",
        version={"usage": "InternalGeneration", "base_model": "Flux.1 D"},
        downloads=77,
        likes=52,
    ),
    state(15, "Taken Down", "add_saturation", 1.5, file="gone.safetensors", mode="TakenDown", downloads=310, likes=12),
    Model(
        id=1016,
        name="Old Pickle",
        creator="unknown_hand",
        tags=("style",),
        downloads=415,
        likes=9,
        versions=(
            Version(
                id=2016,
                name="v0",
                files=(
                    File(
                        id=3016,
                        name="old_pickle.pt",
                        content=b"\x80\x04}\x94.",
                        format="PickleTensor",
                        scan="Danger",
                    ),
                ),
            ),
        ),
    ),
    state(
        17,
        "Boudoir Light",
        "add_brightness",
        0.75,
        file="boudoir.safetensors",
        version={"images": (Image(id=4170, stem="", prompt=f"{PLAIN} <lora:boudoir:0.6>", level=4),)},
        level=4,
        downloads=7800,
        likes=911,
        raw={"nsfw": True},
    ),
    state(
        18,
        "Moving Preview",
        "add_saturation",
        0.5,
        file="moving.safetensors",
        version={
            "images": (
                Image(id=4180, stem="add_saturation", kind="video"),
                Image(id=4181, stem="add_saturation", prompt=f"{PLAIN} <lora:moving:0.8>", lies=True),
            ),
            "files": (lora(18, "add_saturation", 0.5, name="moving.safetensors", scan="Pending", raw={"hashes": {}}),),
        },
        downloads=150,
        likes=33,
    ),
    state(
        19,
        " [bold red]Sparkle[/] ✨ / ..\\ <script>alert(1)</script> ",
        "add_saturation",
        0.75,
        file="../../sparkle: \u202egnp.✨ [x].safetensors",
        version={
            "words": (
                "sprkl,,",
                " <lora:sparkle:0.8>",
                "kira \\(style\\)",
                ">_<",
                "[link=javascript:1]x[/link]",
                "\x1b[31mred",
            ),
        },
        creator="[b]marked[/b]",
        tags=("[i]tag[/i]", "emoji 🎨"),
        description="<p>&lt;b&gt;not bold&lt;/b&gt; \x1b[2J<script>alert(1)</script><img src=x onerror=alert(1)></p>",
        downloads=99,
        likes=7,
    ),
    Model(id=1020, name="Nothing Here Yet", downloads=0, likes=1),
    state(
        21,
        "Plain Old Upload",
        "sks_frame",
        0.75,
        file="lora.safetensors",
        version={
            "words": ("sks",),
            "images": None,
            "published": "2024-04-22T10:11:12.130",
            "files": (lora(21, "sks_frame", 0.75, name="lora.safetensors", long_autov3=True),),
        },
        downloads=205,
        likes=2,
        raw={
            "allowCommercialUse": "Sell",
            "creator": {"username": None, "image": None},
            "stats": {"downloadCount": None},
        },
    ),
    state(
        22, "Paid For Good", "add_detail", 1.25, file="paid.safetensors", version={"paid": 0}, downloads=20, likes=18
    ),
    state(
        23,
        "Wide Weave",
        "add_detail",
        0.75,
        file="wide_weave.safetensors",
        version={"base_model": "SDXL 1.0", "words": ("weave pattern",)},
        type="LoCon",
        downloads=3300,
        likes=240,
    ),
    state(
        24,
        "With Training Data",
        "sks_frame",
        1.25,
        file="crate.safetensors",
        version={
            "base_model": "Quasar 2",
            "words": ("crate", "wooden box"),
            "files": (
                File(
                    id=3124,
                    name="2024_trainingData.zip",
                    content=b"PK\x05\x06" + bytes(18),
                    type="Training Data",
                    format="Other",
                ),
                lora(24, "sks_frame", 1.25, name="crate.safetensors"),
            ),
        },
        downloads=1100,
        likes=95,
    ),
    state(25, "Of A New Kind", "sks_frame", 0.5, file="new_kind.safetensors", type="MegaLoRA", downloads=3, likes=3),
)
