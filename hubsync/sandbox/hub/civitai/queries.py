"""`GET /models`: its parameters refused as strictly as the real route does, then filters, order and cursors."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from hubsync.sandbox.hub.civitai.catalogue import Catalogue
from hubsync.sandbox.hub.civitai.matches import PERIODS, Matches, indexed
from hubsync.sandbox.hub.civitai.records import Model, Version
from hubsync.sandbox.hub.faults import FaultKind
from hubsync.sandbox.hub.messages import Reply, Request, as_json

TYPE_NAMES = (
    "Checkpoint TextualInversion Hypernetwork AestheticGradient LORA LoCon DoRA Controlnet Upscaler MotionModule VAE "
    "TextEncoder UNet CLIPVision Poses Wildcards Workflows ComfyWorkflows Detection VisionLanguage CLIP LLM Other"
)
TYPES = TYPE_NAMES.split()
Key = tuple[int | str, ...]


def by_likes(model: Model) -> Key:
    """Most liked, then most downloaded."""
    return model.likes, model.downloads, model.id


def by_downloads(model: Model) -> Key:
    """Most downloaded, then most liked."""
    return model.downloads, model.likes, model.id


def by_date(model: Model) -> Key:
    """Last published."""
    return model.published, model.id


SORTS: dict[str, Callable[[Model], Key]] = {
    "Highest Rated": by_likes,
    "Most Downloaded": by_downloads,
    "Most Liked": by_likes,
    "Most Discussed": by_likes,
    "Most Collected": by_likes,
    "Most Images": by_downloads,
    "Newest": by_date,
    "Oldest": by_date,
}
LIMITS = {str(number) for number in range(101)}
FLAGS = {"true", "false", "1", "0", "yes", "no", "on", "off", "y", "n", "enabled", "disabled"}
# Parameters whose values the route knows beforehand; any other value is a 400.
KNOWN: Mapping[str, Collection[str]] = {
    "sort": SORTS,
    "period": PERIODS,
    "types": TYPES,
    "limit": LIMITS,
    **dict.fromkeys(("nsfw", "archived", "primaryFileOnly", "supportsGeneration", "earlyAccess"), FLAGS),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page: models with the versions that match, and the cursor of the next page, None on the last."""

    rows: list[tuple[Model, tuple[Version, ...]]]
    cursor: str | None


def refusal(request: Request, *, signed_in: bool) -> Reply | None:
    """The answer to a request that the route does not take; None for one that it does."""
    for name, known in KNOWN.items():
        for value in request.all(name):
            if value not in known and not (known is FLAGS and value.lower() in FLAGS):
                return invalid(name, f"Invalid option: {value}")
    page = request.one("page")
    if page is not None and not (page.isdecimal() and int(page) > 0):
        return invalid("page", "Too small: expected number to be >=1")
    if page and request.one("query"):
        return as_json({"error": "Cannot use page param with query search. Use cursor-based pagination."}, status=400)
    if page and int(page) * limit_of(request) > 1000:
        return as_json({"error": "You've requested too many pages, please use cursors instead"}, status=429)
    if not signed_in and (request.one("favorites") is not None or request.one("hidden") is not None):
        return as_json({"error": "Unauthorized"}, status=401)
    return bad_cursor(request)


def bad_cursor(request: Request) -> Reply | None:
    """The answer to a cursor of another order or of no order; None for a good one."""
    cursor = request.one("cursor")
    if cursor is None:
        return None
    expected = 1 if request.one("query") else 2 if order(request) is by_date else 3
    received = len(cursor.split("|"))
    if received != expected or (expected == 1 and not cursor.isdecimal()):
        message = f"Invalid cursor: expected {expected} value(s) for this sort, received {received}"
        return as_json({"message": message}, status=400)
    return None


def invalid(name: str, message: str) -> Reply:
    """A validation error, whose `error` is an object."""
    issues = [{"code": "invalid_value", "path": [name], "message": message}]
    return as_json({"error": {"name": "ZodError", "message": json.dumps(issues, indent=2)}}, status=400)


def limit_of(request: Request) -> int:
    """How many rows a page has."""
    return int(request.one("limit") or 100)


def order(request: Request) -> Callable[[Model], Key]:
    """What the rows are sorted by."""
    return SORTS[request.one("sort") or "Highest Rated"]


def find(request: Request, catalogue: Catalogue, *, now: float) -> Found:
    """The page a request asks for.

    With `query`, base model, tag, creator and period are applied after the page is cut: hence short and empty
    pages that still have a cursor.
    """
    text, limit = (request.one("query") or "").lower(), limit_of(request)
    models = [model for model in catalogue.models.values() if indexed(request, model, text)]
    matches = Matches(request, catalogue, now=now)
    if text:
        models.sort(key=lambda model: (text not in model.name.lower(), -model.downloads, model.id))
        cursors = [str(position) for position in range(len(models))]
    else:
        key = order(request)
        models = sorted(filter(matches.model, models), key=key, reverse=request.one("sort") != "Oldest")
        cursors = ["|".join(map(str, key(model))) for model in models]
    start = place(request, cursors, limit)
    if request.fault(FaultKind.EMPTY_PAGE):
        return Found(rows=[], cursor=cursors[start] if start < len(cursors) else None)
    first = start - 1 if start and request.fault(FaultKind.DUPLICATE) else start
    page = filter(matches.model, models[first : start + limit])
    more = cursors[start + limit] if start + limit < len(cursors) else None
    return Found(rows=[(model, matches.versions(model)) for model in page], cursor=more)


def place(request: Request, cursors: list[str], limit: int) -> int:
    """Where the page begins."""
    if page := request.one("page"):
        return (int(page) - 1) * limit
    cursor = request.one("cursor")
    if cursor is None:
        return 0
    return cursors.index(cursor) if cursor in cursors else len(cursors)
