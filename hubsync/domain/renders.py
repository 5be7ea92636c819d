"""What was rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from hubsync.errors import HubsyncError


class RenderKind(StrEnum):
    """The three pictures of a test: without the LoRA, with it, and with it and its trigger words."""

    BASE = "base"
    LORA = "lora"
    TRIGGERED = "lora+triggers"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraUse:
    """A LoRA in a picture, at a weight."""

    name: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """One picture a checkpoint drew. `effect` and `trigger_effect` are mean absolute pixel differences, 0..1."""

    path: Path
    kind: RenderKind
    loras: tuple[LoraUse, ...] = ()
    trigger_words: tuple[str, ...] = ()
    prompt: str
    negative_prompt: str = ""
    seed: int
    steps: int
    cfg: float
    size: tuple[int, int]
    sampler: str
    checkpoint: str
    family: str | None = None
    effect: float | None = None
    trigger_effect: float | None = None
    created_at: datetime


class Finding(StrEnum):
    """What a test shows of a LoRA at one weight, in a few words."""

    NEEDS_WORDS = "works; needs its words"
    HELPED_BY_WORDS = "works; its words do more"
    WORKS_WITHOUT = "works without its words"
    WORKS = "works"
    NOTHING = "no visible effect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a test says of a LoRA at one weight, over all seeds and trigger groups.

    effect: mean change of the picture without its words; None where every picture has them.
    full_effect: the same with the words of the group that does most; None where none has any.
    sentence: the finding with its numbers and, where something is wrong, what to do.
    """

    lora: str
    weight: float
    finding: Finding
    effect: float | None = None
    full_effect: float | None = None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOutcome:
    """What one `render` gave. Seconds are wall time; `seconds` excludes loading the checkpoint.

    `refused` are the LoRAs of a batch that could not be drawn, by name, and why.
    """

    renders: tuple[Render, ...]
    sheet: Path | None
    device: str
    dtype: str
    load_seconds: float
    seconds: float
    refused: Mapping[str, HubsyncError] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
