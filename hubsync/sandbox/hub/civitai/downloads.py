"""`GET /api/download/models/:versionId`: the checks in the real order, then a redirect to a signed address."""

from __future__ import annotations

from urllib.parse import quote

from hubsync.sandbox.hub.civitai.catalogue import Catalogue
from hubsync.sandbox.hub.civitai.parts import primary_file
from hubsync.sandbox.hub.civitai.records import File, Model, Version
from hubsync.sandbox.hub.civitai.shapes import Shapes
from hubsync.sandbox.hub.messages import Reply, Request, as_json, as_text, redirect
from hubsync.sandbox.hub.storage.files import Storage

FORMATS = {"SafeTensor", "PickleTensor", "GGUF", "Diffusers", "Core ML", "ONNX", "Other"}
LOGIN = "The creator of this asset requires you to be logged in to download it"
DISABLED = "The creator of this asset has disabled downloads on this file"
EARLY = "This asset is in Early Access. You can use Buzz access it now!"


class Downloads:
    """The download route; `owned` says whether a request carries a good key."""

    def __init__(self, catalogue: Catalogue, shapes: Shapes, storage: Storage) -> None:
        self._catalogue = catalogue
        self._shapes = shapes
        self._storage = storage

    def answer(self, request: Request, number: str, *, signed_in: bool) -> Reply:
        """The redirect, or why there is none."""
        if request.method == "HEAD":
            return as_json({"error": "Unauthorized"}, status=401)
        if not number.isdecimal():
            return as_json({"error": "✖ Invalid input: expected number\n  → at modelVersionId"}, status=400)
        if (wrong := request.one("format")) is not None and wrong not in FORMATS:
            return as_json({"error": "✖ Invalid option\n  → at format"}, status=400)
        model, version = self._catalogue.versions.get(int(number), (None, None))
        if model is None or version is None or model.mode == "TakenDown":
            return as_json({"error": "File not found"}, status=404)
        if closed := self._closed(request, model, version, signed_in=signed_in):
            return closed
        file = chosen(request, version)
        return self._granted(file) if file else as_json({"error": "File not found"}, status=404)

    def _closed(self, request: Request, model: Model, version: Version, *, signed_in: bool) -> Reply | None:
        if model.mode == "Archived":
            return as_json({"error": "Model archived, not available for download"}, status=410)
        if version.usage != "Download":
            return denied(request, 401, {"error": "Unauthorized", "message": DISABLED})
        if version.login and not signed_in:
            page = f"/login?returnUrl=/model-versions/{version.id}&reason=download-auth"
            return denied(request, 401, {"error": "Unauthorized", "message": LOGIN}, page=page)
        if version.paid is not None:
            deadline = self._shapes.deadline(version)
            body = {"error": "Early Access", **({"deadline": deadline} if deadline else {}), "message": EARLY}
            return denied(request, 403, body, page=f"/models/{model.id}?modelVersionId={version.id}")
        return None

    def _granted(self, file: File) -> Reply:
        name = quote(file.name.replace("/", "_"))
        disposition = f"attachment; filename*=UTF-8''{quote(file.name)}"
        if file.name.isascii() and file.name.isprintable():
            disposition = f'attachment; filename="{file.name}"'
        blob = self._catalogue.blob(file)
        return redirect(self._storage.offer(blob, f"civitai/{file.id}/{name}", disposition=disposition))


def chosen(request: Request, version: Version) -> File | None:
    """The file asked for: by number, else the first that has the stated type and format, else the primary one."""
    if number := request.one("fileId"):
        return next((file for file in version.files if str(file.id) == number), None)
    kind, form = request.one("type"), request.one("format")
    if not version.files or (kind is None and form is None):
        return primary_file(version) if version.files else None
    return next((file for file in version.files if kind in {None, file.type} and form in {None, file.format}), None)


def denied(request: Request, status: int, body: dict[str, str], *, page: str = "") -> Reply:
    """A refusal: JSON for programs; text or a page for what looks like a browser."""
    if not request.from_browser:
        return as_json(body, status=status)
    return redirect(page) if page else as_text(body["message"], status=status)
