"""What is installed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hubsync.domain.hub import LoraType
from hubsync.domain.words import Suggestion, TriggerGroup, TriggerWords
from hubsync.refs import Ref

DEFAULT_WEIGHT = 0.8
"""Weight of a LoRA nobody suggested one for: the median of 93,111 example prompts (reference: conventions)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A LoRA or embedding in the library. `path` is absolute; `name` is the stem used in `<lora:name:1>`."""

    name: str
    path: Path
    title: str
    alias: str | None = None
    ref: Ref | None = None
    type: LoraType = LoraType.LORA
    base_model: str | None = None
    family: str | None = None
    network: str | None = None
    rank: int | None = None
    alpha: float | None = None
    size: int = 0
    sha256: str | None = None
    autov2: str | None = None
    autov3: str | None = None
    groups: tuple[TriggerGroup, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    weight: float | None = None
    negative: str | None = None
    notes: str | None = None
    creator: str | None = None
    tags: tuple[str, ...] = ()
    nsfw_level: int | None = None
    preview: Path | None = None
    installed_at: datetime | None = None
    missing: bool = False
    outdated: bool | None = None
    renders: int = 0

    @property
    def trigger_words(self) -> TriggerWords:
        """The enabled words of every group."""
        return tuple(group.texts for group in self.groups if group.texts)

    @property
    def inserted_words(self) -> TriggerWords:
        """The enabled words of the groups that are switched on: what goes into a prompt."""
        return tuple(group.texts for group in self.groups if group.enabled and group.texts)
