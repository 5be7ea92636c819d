"""From Civitai's JSON to the nouns of `hubsync.domain`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Literal

from hubsync.domain import Availability, Lora, LoraType, Preview, Version
from hubsync.families import Families
from hubsync.hubs.civitai import shapes as wire
from hubsync.hubs.civitai.examples import metas, usual_negative, usual_weight
from hubsync.hubs.civitai.files import TYPES, files_of
from hubsync.lenient import count, moment, read, rows, texts
from hubsync.prompts.words import groups, weight_hint
from hubsync.refs import CivitaiRef, Source
from hubsync.text import clean, clean_lines, plain

_LEVELS: dict[object, int] = {"None": 1, "Soft": 2, "Mature": 4, "X": 8, False: 1, True: 8}
_ALL_LEVELS = 63
_MODES = {"archived": Availability.ARCHIVED, "takendown": Availability.TAKEN_DOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Turns answers into LoRAs. `site` is the page address people open, `now` an aware time."""

    families: Families
    site: str
    now: datetime

    def lora(self, model: wire.Model, versions: Sequence[wire.Version]) -> Lora:
        """A model with the versions given, in their order."""
        built = tuple(self.version(model, version) for version in versions)
        stats = read(model.stats, wire.Stats) or wire.Stats()
        creator = read(model.creator, wire.Creator)
        ref = CivitaiRef(model=model.id, version=versions[0].id if versions else None)
        bases = dict.fromkeys(version.base_model for version in built if version.base_model)
        parts = (plain(model.description), plain(versions[0].description) if versions else "")
        return Lora(
            ref=ref,
            source=Source.CIVITAI,
            name=clean(model.name) or f"model {model.id}",
            type=TYPES.get(model.type, LoraType.OTHER),
            creator=clean(creator.username) or None if creator else None,
            base_models=tuple(bases),
            families=tuple(dict.fromkeys(version.family for version in built if version.family)),
            tags=tuple(_tags(model.tags)),
            nsfw=model.nsfw,
            nsfw_level=None if model.nsfw_level is None else model.nsfw_level & _ALL_LEVELS,
            downloads=count(stats.download_count),
            likes=count(stats.favorite_count if stats.thumbs_up_count is None else stats.thumbs_up_count),
            updated_at=max((version.published_at for version in built if version.published_at), default=None),
            page_url=page_url(self.site, ref),
            description="\n\n".join(part for part in parts if part),
            license=_license(model),
            versions=built,
        )

    def version(self, model: wire.Model, version: wire.Version) -> Version:
        """One version of a model."""
        availability, ends = self._availability(model, version)
        files = files_of(model, version)
        raw = tuple(clean_lines(word) for word in texts(version.trained_words))
        base = clean(version.base_model) or None
        images = list(rows(version.images, wire.Image))
        examples = metas([image.meta for image in images])
        stems = {PurePosixPath(file.name).stem for file in files if file.kind == "model"}
        weight = usual_weight(examples, stems=stems, version=version.id)
        return Version(
            ref=CivitaiRef(model=model.id, version=version.id),
            name=clean(version.name) or str(version.id),
            base_model=base,
            family=self.families.of(base),
            published_at=moment(version.published_at) or moment(version.created_at),
            availability=availability,
            early_access_ends_at=ends,
            downloadable=version.usage_control in {"", "Download"},
            requires_token=True if availability is Availability.EARLY_ACCESS else None,
            raw_words=raw,
            trigger_words=groups(raw),
            suggested_weight=weight_hint(raw) if weight is None else weight,
            suggested_negative=usual_negative(examples),
            files=files,
            previews=tuple(_previews(images)),
        )

    def _availability(self, model: wire.Model, version: wire.Version) -> tuple[Availability, datetime | None]:
        """Early access has three eras: days after publishing, a date beside `EarlyAccess`, and `paidAccess`."""
        if closed := _MODES.get(model.mode.casefold()):
            return closed, None
        published = moment(version.published_at) or moment(version.created_at)
        days = version.early_access_time_frame
        ends = moment(version.early_access_ends_at) or moment(version.early_access_deadline)
        if ends is None and published and 0 < days < 10_000:
            ends = published + timedelta(days=days)
        paid = read(version.paid_access, wire.Paid) or wire.Paid()
        until = moment(paid.ends_at)
        if paid.permanent or (paid.permanent is False and until is None):
            return Availability.EARLY_ACCESS, None
        ends = until or ends
        if (ends and ends > self.now) or (version.availability == "EarlyAccess" and ends is None):
            return Availability.EARLY_ACCESS, ends
        return (Availability.PRIVATE if version.availability == "Private" else Availability.PUBLIC), None


def page_url(site: str, ref: CivitaiRef) -> str:
    """The page a person opens."""
    if ref.model is None:
        return f"{site}/model-versions/{ref.version}"
    return f"{site}/models/{ref.model}" + (f"?modelVersionId={ref.version}" if ref.version else "")


def _tags(raw: Iterable[object]) -> Iterable[str]:
    for item in raw:
        tag = read(item, wire.Tag)
        if name := clean(item if isinstance(item, str) else tag.name if tag else ""):
            yield name


def _license(model: wire.Model) -> str | None:
    """What may be done with it, in words; three shapes of `allowCommercialUse` occur."""
    if model.allow_commercial_use is None and model.allow_no_credit is None:
        return None
    uses = [use for text in texts(model.allow_commercial_use) for use in re.findall(r"\w+", text)]
    commercial = ", ".join(use for use in uses if use != "None") or "none"
    credit = "not required" if model.allow_no_credit else "required"
    changes = {None: "", True: "; derivatives allowed", False: "; no derivatives"}[model.allow_derivatives]
    return f"commercial use: {commercial}; credit {credit}{changes}"


def _previews(images: Iterable[wire.Image]) -> Iterable[Preview]:
    for image in images:
        kind: Literal["image", "video"] = "video" if image.type == "video" or image.url.endswith(".mp4") else "image"
        if image.type == "audio" or not re.match(r"https?://", image.url):
            continue
        meta = metas([image.meta])
        yield Preview(
            url=clean(image.url),
            kind=kind,
            width=image.width,
            height=image.height,
            nsfw_level=level_of(image),
            prompt=clean(meta[0].prompt) or None if meta else None,
        )


def level_of(image: wire.Image) -> int:
    """A picture's level bit; 0 where it is not rated."""
    if isinstance(image.nsfw_level, int):
        return image.nsfw_level & _ALL_LEVELS
    return _LEVELS.get(image.nsfw if image.nsfw_level is None else image.nsfw_level, 0)
