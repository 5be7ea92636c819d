"""`GET /api/models`: filters, order, cursor pages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping

from hubsync.sandbox.hub.faults import FaultKind
from hubsync.sandbox.hub.huggingface.cards import hub_tags
from hubsync.sandbox.hub.huggingface.records import Repository
from hubsync.sandbox.hub.huggingface.repositories import Repo
from hubsync.sandbox.hub.huggingface.shapes import EXPANDABLE, FULL, ROW, repository
from hubsync.sandbox.hub.messages import Json, Reply, Request, as_json

SORTS: Mapping[str, str] = {
    "createdAt": "created",
    "downloads": "downloads",
    "lastModified": "modified",
    "likes": "likes",
    "trendingScore": "likes",
}
# The Hub caps its pages at some hundreds; this cap is low so that every client has to follow the links.
LARGEST_PAGE = 5


def listing(request: Request, repos: Iterable[Repo]) -> Reply:
    """A page of repositories with a `Link` to the next one."""
    fields = wanted_fields(request)
    sort = request.one("sort") or "trendingScore"
    unknown = [name for name in fields if name not in EXPANDABLE | {"modelId"}]
    if sort not in SORTS or unknown:
        return as_json({"error": f"Invalid option: {unknown or sort}"}, status=400)
    found = [repo for repo in repos if matches(request, repo.record)]
    found.sort(key=lambda repo: (getattr(repo.record, SORTS[sort]), repo.record.id), reverse=True)
    start, size = position(request), min(int(request.one("limit") or LARGEST_PAGE), LARGEST_PAGE)
    stop = start if request.fault(FaultKind.EMPTY_PAGE) else start + size
    first = start - 1 if start and request.fault(FaultKind.DUPLICATE) else start
    rows: list[Json] = [repository(repo, fields) for repo in found[first:stop]]
    if request.fault(FaultKind.MALFORMED):
        rows.insert(1, {"_id": 7, "likes": "many", "siblings": [{}], "createdAt": "yesterday"})
    return as_json(rows, headers=link(request, stop) if stop < len(found) else {})


def wanted_fields(request: Request) -> list[str]:
    """The fields of a row: exactly those expanded, or those of a short or a full row."""
    expanded = request.all("expand") + request.all("expand[]")
    if expanded:
        return expanded
    return [*(FULL if request.flag("full") else ROW), *(["cardData"] if request.flag("cardData") else [])]


def matches(request: Request, record: Repository) -> bool:
    """Whether a repository is listed: all tags asked for, its name holds the text, and it is public."""
    tags = {*hub_tags(record.card), record.author}
    asked = [tag for value in request.all("filter") for tag in value.split(",")]
    gated = request.one("gated")
    return (
        not record.private
        and tags.issuperset(asked)
        and (request.one("search") or "").lower() in record.id.lower()
        and request.one("author") in {None, record.author}
        and request.one("pipeline_tag") in {None, record.card.get("pipeline_tag")}
        and (gated is None or (gated.lower() == "true") == bool(record.gated))
    )


def position(request: Request) -> int:
    """Where the page begins; a cursor nobody gave out begins at the start."""
    try:
        return int(base64.urlsafe_b64decode(request.one("cursor") or "MA=="))
    except (ValueError, binascii.Error):
        return 0


def link(request: Request, start: int) -> dict[str, str]:
    """The header that names the next page by its absolute address."""
    cursor = base64.urlsafe_b64encode(str(start).encode()).decode()
    return {"Link": f'<{request.site}{request.path}?{request.with_query(cursor=cursor)}>; rel="next"'}
