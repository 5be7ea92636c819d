"""What is installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from hubsync.domain.hub import LoraType
from hubsync.domain.words import Statement, TriggerGroup, TriggerWords
from hubsync.refs import Ref, Source

DEFAULT_WEIGHT = 0.8
"""Weight of a LoRA nobody suggested one for: the median of 93,111 example prompts (reference: conventions)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A LoRA or embedding in the library. `path` is absolute; `name` is the stem used in `<lora:name:1>`.

    Hashes are those of `files.hashes.Hashes`, None until they are computed. `newer` is a newer version that an update
    would bring, where one was looked for; `pinned` says that updates pass this LoRA over.
    """

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
    autov1: str | None = None
    autov2: str | None = None
    autov3: str | None = None
    blake3: str | None = None
    crc32: str | None = None
    groups: tuple[TriggerGroup, ...] = ()
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
    newer: Ref | None = None
    pinned: bool = False
    renders: int = 0

    @property
    def trigger_words(self) -> TriggerWords:
        """The enabled words of every group."""
        return tuple(group.texts for group in self.groups if group.texts)

    @property
    def inserted_words(self) -> TriggerWords:
        """The enabled words of the groups that are switched on: what goes into a prompt."""
        return tuple(group.texts for group in self.groups if group.enabled and group.texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """How a file looked when it was read: what a scan compares to know it unchanged.

    `mtime_ns` in nanoseconds; `sidecars` stands for names, sizes and times of all files beside it that belong to it.
    """

    size: int
    mtime_ns: int
    inode: int = 0
    sidecars: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """All the library keeps of one LoRA.

    `lora` holds what follows from the statements (groups, weight, negative, notes); a library that saves an entry works
    them out anew. `written` is what hubsync wrote into the sidecar `<stem>.json`.
    """

    lora: Installed
    stamp: Stamp
    statements: tuple[Statement, ...] = ()
    written: Mapping[str, Any]
    description: str = ""


class ListSort(StrEnum):
    """Orders of the library."""

    NAME = "name"
    NEWEST = "newest"
    SIZE = "size"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFilter:
    """What of the library to show; every condition given must hold. With a text, the best match comes first."""

    text: str = ""
    base: str | None = None
    family: str | None = None
    tag: str | None = None
    source: Source | None = None
    trigger: str | None = None
    missing: bool = False
    outdated: bool = False
    no_words: bool = False
    no_preview: bool = False
    sort: ListSort = ListSort.NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """What a library can be narrowed to, with the number of LoRAs each; families and tags: the most common first."""

    families: Mapping[str, int]
    tags: Mapping[str, int]
    missing: int
    outdated: int
    no_words: int
    no_preview: int
