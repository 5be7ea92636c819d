"""Which models and versions a search matches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hubsync.sandbox.hub.civitai.catalogue import Catalogue
from hubsync.sandbox.hub.civitai.records import Model, Version
from hubsync.sandbox.hub.civitai.shapes import PG
from hubsync.sandbox.hub.messages import Request

# Days back from now; a century is all time.
PERIODS = {"AllTime": 36_500, "Year": 365, "Month": 30, "Week": 7, "Day": 1}


def indexed(request: Request, model: Model, text: str) -> bool:
    """Whether the search index itself gives a model: words, type, level and mode, before any page is cut."""
    told = " ".join((model.name, model.creator, *model.tags, *(word for v in model.versions for word in v.words)))
    types = request.all("types")
    return (
        all(word in told.lower() for word in text.split())
        and (not types or model.type in types)
        and (request.flag("nsfw") or bool(model.level & PG))
        and (model.mode == "" or (model.mode == "Archived" and request.flag("archived")))
    )


class Matches:
    """The filters that are applied to a model's own fields and to its versions."""

    def __init__(self, request: Request, catalogue: Catalogue, *, now: float) -> None:
        tag = request.one("tag") or request.one("tagname")
        tags = {name for model in catalogue.models.values() for name in model.tags}
        # A tag nobody uses filters nothing: the parameter is dropped.
        self._tag = tag if tag in tags else None
        self._creator = (request.one("username") or request.one("user") or "").lower()
        self._ids = numbers(request, "ids")
        self._version_ids = numbers(request, "modelVersionIds")
        self._bases = set(request.all("baseModels"))
        since = datetime.fromtimestamp(now, UTC) - timedelta(days=PERIODS[request.one("period") or "AllTime"])
        self._since = since.isoformat()

    def model(self, model: Model) -> bool:
        """Whether a model is shown."""
        return (
            (self._tag is None or self._tag in model.tags)
            and self._creator in {"", model.creator.lower()}
            and (not self._ids or model.id in self._ids)
            and (not model.published or model.published >= self._since)
            and (bool(self.versions(model)) or not (self._bases or self._version_ids))
        )

    def versions(self, model: Model) -> tuple[Version, ...]:
        """The versions of a model that are shown: those of a base model or number asked for."""
        return tuple(
            version
            for version in model.versions
            if (not self._bases or version.base_model in self._bases)
            and (not self._version_ids or version.id in self._version_ids)
        )


def numbers(request: Request, name: str) -> set[int]:
    """A comma-separated list of ids; what is no number is dropped."""
    return {int(part) for value in request.all(name) for part in value.split(",") if part.isdecimal()}
