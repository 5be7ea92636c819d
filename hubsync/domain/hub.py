"""What hubs offer: LoRAs, their versions, files and previews; what a search asks and gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from hubsync.domain.words import TriggerWords
from hubsync.errors import HubsyncError
from hubsync.refs import Ref, Source


class LoraType(StrEnum):
    """What kind of network a hub says a model is. Hubs add kinds freely: others are kept as `OTHER`."""

    LORA = "lora"
    LOCON = "locon"
    DORA = "dora"
    EMBEDDING = "embedding"
    CHECKPOINT = "checkpoint"
    OTHER = "other"


LORA_TYPES = (LoraType.LORA, LoraType.LOCON, LoraType.DORA)
"""The LoRA filter: what a search shows unless asked otherwise."""


class Sort(StrEnum):
    """Orders both hubs can be asked for."""

    RELEVANCE = "relevance"
    DOWNLOADS = "downloads"
    LIKES = "likes"
    RATING = "rating"
    NEWEST = "newest"


class Period(StrEnum):
    """How far back a search looks."""

    ALL = "all"
    YEAR = "year"
    MONTH = "month"
    WEEK = "week"
    DAY = "day"


class Nsfw(StrEnum):
    """Ceiling of what a search may show. `mask` is Civitai's level bits: 1 PG, 2 PG-13, 4 R, 8 X, 16 XXX."""

    NONE = "none"
    SOFT = "soft"
    MATURE = "mature"
    X = "x"

    @property
    def mask(self) -> int:
        """The level bits this ceiling lets through."""
        return {"none": 1, "soft": 1 | 2, "mature": 1 | 2 | 4, "x": 1 | 2 | 4 | 8 | 16}[self.value]

    def allows(self, level: int) -> bool:
        """Whether all bits of a level lie under this ceiling; 0, unrated, does."""
        return not level & ~self.mask


class Availability(StrEnum):
    """Whether a version's files can be had."""

    PUBLIC = "public"
    EARLY_ACCESS = "early_access"
    PRIVATE = "private"
    ARCHIVED = "archived"
    TAKEN_DOWN = "taken_down"


class Scan(StrEnum):
    """The hub's own malware verdict on a file."""

    OK = "ok"
    DANGER = "danger"
    PENDING = "pending"
    UNKNOWN = "unknown"


FileKind = Literal["model", "embedding", "training_data", "config", "other"]
FileFormat = Literal["safetensors", "pickle", "archive", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One example picture (or video) of a version. `nsfw_level` as in `Nsfw.mask`, 0 = unrated."""

    url: str
    kind: Literal["image", "video"] = "image"
    width: int | None = None
    height: int | None = None
    nsfw_level: int = 0
    prompt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraFile:
    """One file a version offers. `size` in bytes, exact only where the hub states bytes (`exact_size`)."""

    ref: Ref
    name: str
    size: int | None = None
    exact_size: bool = False
    kind: FileKind = "model"
    format: FileFormat = "safetensors"
    primary: bool = False
    sha256: str | None = None
    autov3: str | None = None
    scan: Scan = Scan.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One release of a LoRA. `raw_words` is the hub's own list, verbatim; `trigger_words` what is used of it."""

    ref: Ref
    name: str
    base_model: str | None = None
    family: str | None = None
    published_at: datetime | None = None
    availability: Availability = Availability.PUBLIC
    early_access_ends_at: datetime | None = None
    downloadable: bool = True
    requires_token: bool | None = None
    raw_words: tuple[str, ...] = ()
    trigger_words: TriggerWords = ()
    suggested_weight: float | None = None
    suggested_negative: str | None = None
    files: tuple[LoraFile, ...] = ()
    previews: tuple[Preview, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """What a hub's page shows. A search fills the first version only; `show` fills everything."""

    ref: Ref
    source: Source
    name: str
    type: LoraType = LoraType.LORA
    creator: str | None = None
    base_models: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    nsfw: bool = False
    nsfw_level: int | None = None
    downloads: int | None = None
    likes: int | None = None
    updated_at: datetime | None = None
    page_url: str = ""
    description: str = ""
    license: str | None = None
    versions: tuple[Version, ...] = ()
    installed: bool = False

    @property
    def trigger_words(self) -> TriggerWords:
        """Trigger words of the newest version."""
        return self.versions[0].trigger_words if self.versions else ()

    @property
    def preview_url(self) -> str | None:
        """The first still picture of the newest version that has one, else its first video."""
        previews = [preview for version in self.versions for preview in version.previews]
        stills = [preview for preview in previews if preview.kind == "image"]
        return next((preview.url for preview in (*stills, *previews)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A search both hubs understand. `cursors` continues an earlier page, per source."""

    text: str = ""
    sources: tuple[Source, ...] = (Source.CIVITAI, Source.HUGGINGFACE)
    types: tuple[LoraType, ...] = LORA_TYPES
    base_models: tuple[str, ...] = ()
    tag: str | None = None
    creator: str | None = None
    sort: Sort = Sort.RELEVANCE
    period: Period = Period.ALL
    nsfw: Nsfw = Nsfw.SOFT
    limit: int = 20
    cursors: Mapping[Source, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One hub's answer to a query; `next` is that hub's opaque cursor, None at the end."""

    items: tuple[Lora, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """Both hubs' answers merged; a hub that failed is in `errors`, the other's rows still stand."""

    items: tuple[Lora, ...]
    errors: Mapping[Source, HubsyncError] = field(default_factory=dict)
    next: Mapping[Source, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """Where a file's bytes come from and what they must be. `size` in bytes when the hub states it exactly.

    `autov3` tells that it is wanted: a hub that states it beside a SHA-256 has computed it of the very same bytes.
    """

    url: str
    sha256: str | None = None
    size: int | None = None
    safetensors: bool = True
    autov3: bool = True
