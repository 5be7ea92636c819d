"""Civitai's routes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from hubsync.sandbox.hub.civitai.catalogue import Catalogue
from hubsync.sandbox.hub.civitai.downloads import Downloads
from hubsync.sandbox.hub.civitai.parts import primary_file
from hubsync.sandbox.hub.civitai.queries import find, limit_of, refusal
from hubsync.sandbox.hub.civitai.records import Image, Model, Version
from hubsync.sandbox.hub.civitai.shapes import Shapes
from hubsync.sandbox.hub.civitai.vocabulary import ENUMS
from hubsync.sandbox.hub.faults import FaultKind
from hubsync.sandbox.hub.messages import Json, Reply, Request, as_json, as_text
from hubsync.sandbox.hub.router import Router
from hubsync.sandbox.hub.storage.files import Storage

API = "GET /api/v1"
BAD_HASHES = "Request must include an array of SHA256 Hashes. Each hash must be 64 characters long."


class CivitaiSite:
    """The site: answers from a catalogue, knows one key, sends downloads to the storage origin."""

    def __init__(
        self, url: str, catalogue: Catalogue, shapes: Shapes, storage: Storage, *, key: str, clock: Callable[[], float]
    ) -> None:
        self._url = url
        self._catalogue = catalogue
        self._shapes = shapes
        self._key = key
        self._clock = clock
        self._downloads = Downloads(catalogue, shapes, storage)
        self._router = Router(
            (f"{API}/models", self._search),
            (f"{API}/models/([^/]+)", self._model),
            (f"{API}/model-versions/mini/([^/]+)", self._mini),
            (f"{API}/model-versions/by-hash/([^/]+)", self._by_hash),
            ("POST /api/v1/model-versions/by-hash", self._by_hashes),
            ("POST /api/v1/model-versions/by-hash/ids", self._ids_by_hash),
            (f"{API}/model-versions/([^/]+)", self._version),
            (f"{API}/images", self._images),
            (f"{API}/tags", self._tags),
            (f"{API}/enums", self._enums),
            (f"{API}/me", self._me),
            ("(?:GET|HEAD) /api/download/models/([^/]+)", self._download),
            (r"GET /(?:login|models/\d+.*|model-versions/\d+)", self._page),
        )

    def answer(self, request: Request) -> Reply:
        """The answer to any request."""
        return self._router.answer(request) or as_json({"error": "Not Found"}, status=404)

    def _signed_in(self, request: Request) -> bool:
        # The header wins over the query where both are there; a wrong key is nobody, not an error.
        return (request.bearer or request.one("token")) == self._key

    def _search(self, request: Request) -> Reply:
        refused = refusal(request, signed_in=self._signed_in(request))
        if refused:
            return refused
        creators = {model.creator.lower() for model in self._catalogue.models.values()}
        creator = request.one("username") or request.one("user")
        if creator and creator.lower() not in creators:
            return as_json({"message": "User not found"}, status=404)
        page = find(request, self._catalogue, now=self._clock())
        items: list[Json] = [
            self._shapes.item(model, versions, site=request.site, nsfw=request.flag("nsfw"))
            for model, versions in page.rows
        ]
        if request.fault(FaultKind.MALFORMED):
            items.insert(1, {"id": None, "name": 7, "modelVersions": {"files": "none"}, "tags": None})
        return as_json({"items": items, "metadata": pagination(request, page.cursor)})

    def _model(self, _request: Request, number: str) -> Reply:
        if not number.isdecimal():
            return as_json({"error": "✖ Invalid input: expected number, received NaN\n  → at id"}, status=400)
        model = self._catalogue.models.get(int(number))
        if model is None:
            return as_json({"error": f"No model with id {number}"}, status=404)
        return as_json(self._shapes.model(model, site=self._url))

    def _version(self, request: Request, number: str) -> Reply:
        found = self._catalogue.versions.get(int(number)) if number.isdecimal() else None
        if found is None:
            return as_json({"error": "Model not found"}, status=404)
        return as_json(self._shapes.version(*found, site=request.site))

    def _mini(self, request: Request, number: str) -> Reply:
        found = self._catalogue.versions.get(int(number)) if number.isdecimal() else None
        if found is None or not found[1].files:
            return as_json({"error": "Model not found"}, status=404)
        return as_json(self._shapes.mini(*found, primary_file(found[1]), site=request.site))

    def _by_hash(self, request: Request, digest: str) -> Reply:
        found = next(self._catalogue.by_hash(digest), None)
        if found is None:
            return as_json({"error": "Model not found"}, status=404)
        return as_json(self._shapes.version(*found, site=request.site))

    def _by_hashes(self, request: Request) -> Reply:
        digests = hashes_of(request, most=100)
        if digests is None:
            return as_json({"error": BAD_HASHES}, status=400)
        found = [next(self._catalogue.by_hash(digest), None) for digest in digests]
        return as_json([self._shapes.version(*pair, site="https://undefined") for pair in found if pair])

    def _ids_by_hash(self, request: Request) -> Reply:
        digests = hashes_of(request, most=10_000)
        if digests is None:
            return as_json({"error": BAD_HASHES}, status=400)
        found = [(digest, pair) for digest in digests for pair in self._catalogue.by_hash(digest)]
        return as_json(
            [
                {"modelVersionId": version.id, "modelId": model.id, "hash": digest.upper()}
                for digest, (model, version) in found
            ]
        )

    def _images(self, request: Request) -> Reply:
        limit, start = limit_of(request), int(request.one("cursor") or 0)
        rows = list(self._shown(request))
        items = [
            self._shapes.gallery_item(model, version, image, with_meta=request.flag("withMeta"))
            for model, version, image in rows[start : start + limit]
        ]
        more = str(start + limit) if start + limit < len(rows) else None
        return as_json({"items": items, "metadata": pagination(request, more)})

    def _shown(self, request: Request) -> Iterator[tuple[Model, Version, Image]]:
        asked = {name: request.one(name) for name in ("modelId", "modelVersionId", "imageId", "username")}
        for model, version in self._catalogue.versions.values():
            for image in version.images or ():
                has: dict[str, Any] = {"modelId": model.id, "modelVersionId": version.id, "imageId": image.id}
                has["username"] = model.creator
                level = request.one("nsfw") not in {None, "false", "None"} or image.level == 1
                if level and all(value in {None, str(has[name])} for name, value in asked.items()):
                    yield model, version, image

    def _tags(self, request: Request) -> Reply:
        text, limit = (request.one("query") or "").lower(), int(request.one("limit") or 20)
        names = sorted({tag for model in self._catalogue.models.values() for tag in model.tags})
        found = [name for name in names if text in name.lower()]
        items = [{"name": name, "link": f"{request.site}/api/v1/models?tag={name}"} for name in found[:limit]]
        metadata = {"totalItems": len(found), "currentPage": 1, "pageSize": limit, "totalPages": 1}
        return as_json({"items": items, "metadata": metadata})

    def _enums(self, _request: Request) -> Reply:
        return as_json(ENUMS)

    def _me(self, request: Request) -> Reply:
        if not self._signed_in(request):
            return as_json({"error": "Unauthorized"}, status=401)
        return as_json({"id": 77, "username": "sandbox", "tier": "free", "status": "active", "isMember": False})

    def _download(self, request: Request, number: str) -> Reply:
        return self._downloads.answer(request, number, signed_in=self._signed_in(request))

    def _page(self, request: Request) -> Reply:
        text = f"<!doctype html><html><head><title>Sandbox</title></head><body>{request.path}</body></html>"
        return as_text(text, kind="text/html")


def pagination(request: Request, cursor: str | None) -> Json:
    """The `metadata` of a page; the last page names no next one, and a numbered page names none at all."""
    if page := request.one("page"):
        return {"currentPage": int(page), "pageSize": limit_of(request)}
    if cursor is None:
        return {}
    return {"nextCursor": cursor, "nextPage": f"{request.site}{request.path}?{request.with_query(cursor=cursor)}"}


def hashes_of(request: Request, *, most: int) -> list[str] | None:
    """The SHA-256 digests a body lists, None where it does not."""
    try:
        value = json.loads(request.body)
    except ValueError:
        return None
    good = isinstance(value, list) and len(value) <= most
    return value if good and all(isinstance(item, str) and len(item) == 64 for item in value) else None
