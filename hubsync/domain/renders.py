"""What was rendered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOutcome:
    """What one `render` gave. Seconds are wall time; `seconds` excludes loading the checkpoint."""

    renders: tuple[Render, ...]
    sheet: Path | None
    device: str
    dtype: str
    load_seconds: float
    seconds: float
