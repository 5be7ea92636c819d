"""Civitai's JSON as its routes shape it: list item, model, version and light version differ, as the real ones do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hubsync.sandbox.hub.civitai.catalogue import Catalogue, listed
from hubsync.sandbox.hub.civitai.parts import air, meta, primary_file, shown, stats, without_empty
from hubsync.sandbox.hub.civitai.records import File, Image, Model, Version
from hubsync.sandbox.hub.messages import Json
from hubsync.sandbox.hub.storage.pictures import Gallery

SCANS = {"Success": "No Pickle imports", "Danger": "**Detected Pickle imports (1)**\n`os.system`", "Pending": None}
# Without `nsfw=true` a list shows models that have this bit, and their pictures that have it.
PG = 1


class Shapes:
    """Builds answers; `site` is the origin that download addresses name, `pictures` the one that serves previews."""

    def __init__(self, catalogue: Catalogue, gallery: Gallery, *, pictures: str, clock: Callable[[], float]) -> None:
        self._catalogue = catalogue
        self._gallery = gallery
        self._pictures = pictures
        self._clock = clock

    def item(self, model: Model, versions: tuple[Version, ...], *, site: str, nsfw: bool) -> Json:
        """A row of `/models`: only the versions that match, empty values kept, images with an id."""
        shaped = [
            {
                **self._version(model, version, site),
                "supportsGeneration": False,
                "images": [
                    {"id": image.id, **self._image(image)} for image in version.images or () if nsfw or image.level & PG
                ],
                **version.raw,
            }
            for version in versions
        ]
        return {**self._model(model), "modelVersions": shaped, **model.raw}

    def model(self, model: Model, *, site: str) -> Json:
        """`/models/:id`: every version, with nulls and empty lists left out, and images of every level."""
        shaped = [
            without_empty(
                {
                    **self._version(model, version, site),
                    "createdAt": version.published,
                    "status": "Published",
                    "covered": True,
                    "images": [self._image(image) for image in shown(model, version)],
                    **version.raw,
                }
            )
            for version in model.versions
        ]
        return {**self._model(model), "modelVersions": shaped, **model.raw}

    def version(self, model: Model, version: Version, *, site: str) -> Json:
        """`/model-versions/:id` and by-hash: the model as a stub, images with their generation data."""
        shape = self._version(model, version, site)
        del shape["availability"], shape["index"]
        stub = {"name": model.name, "type": model.type, "nsfw": model.raw.get("nsfw", False), "poi": False}
        return {
            **shape,
            "modelId": model.id,
            "createdAt": version.published,
            "updatedAt": version.published,
            "status": "Published",
            "earlyAccessEndsAt": self.deadline(version),
            "trainingStatus": None,
            "trainingDetails": None,
            "uploadType": "Created",
            "usageControl": version.usage,
            "air": air(model, version),
            "model": {**stub, **({"mode": model.mode} if model.mode else {})},
            "images": [{**self._image(image), "meta": meta(image)} for image in shown(model, version)[:10]],
            **version.raw,
        }

    def mini(self, model: Model, version: Version, file: File, *, site: str) -> Json:
        """`/model-versions/mini/:id`: what a generator needs, `requireAuth` among it."""
        return {
            "air": air(model, version),
            "versionName": version.name,
            "modelName": model.name,
            "baseModel": version.base_model,
            "availability": "Public",
            "publishedAt": version.published,
            "size": self._catalogue.blob(file).size / 1024,
            "fileType": file.type,
            "fileName": file.name,
            "hashes": self._catalogue.hashes(file),
            "downloadUrls": [f"{site}/api/download/models/{version.id}"],
            "format": file.format,
            "canGenerate": False,
            "requireAuth": version.login,
            "checkPermission": version.paid is not None,
        }

    def gallery_item(self, model: Model, version: Version, image: Image, *, with_meta: bool) -> Json:
        """A row of `/images`, where the level is a word and the bits are called `browsingLevel`."""
        words = {1: "None", 2: "Soft", 4: "Mature"}
        return {
            "id": image.id,
            **self._image(image),
            "nsfwLevel": words.get(image.level, "X"),
            "nsfw": image.level > 2,
            "browsingLevel": image.level,
            "createdAt": version.published,
            "postId": 5_000_000 + version.id,
            "stats": dict.fromkeys(("cryCount", "laughCount", "likeCount", "dislikeCount", "heartCount"), 0),
            "meta": meta(image) if with_meta else None,
            "username": model.creator,
            "baseModel": version.base_model,
            "modelVersionIds": [version.id],
        }

    def deadline(self, version: Version) -> str | None:
        """When early access ends, to the day; None where it never does."""
        if not version.paid:
            return None
        ends = datetime.fromtimestamp(self._clock(), UTC) + timedelta(days=version.paid)
        return ends.strftime("%Y-%m-%dT00:00:00.000Z")

    def _model(self, model: Model) -> Json:
        return {
            "id": model.id,
            "name": model.name,
            "description": model.description,
            "allowNoCredit": True,
            "allowCommercialUse": ["Image", "RentCivit"],
            "allowDerivatives": True,
            "allowDifferentLicense": True,
            "type": model.type,
            "minor": False,
            "sfwOnly": False,
            "poi": False,
            "nsfw": False,
            "nsfwLevel": model.level,
            "availability": "Public",
            "supportsGeneration": False,
            **({"mode": model.mode} if model.mode else {}),
            "stats": {**stats(model.downloads, model.likes), "commentCount": 0, "tippedAmountCount": 0},
            "creator": {"username": model.creator, "image": None},
            "tags": list(model.tags),
        }

    def _version(self, model: Model, version: Version, site: str) -> Json:
        files = listed(model, version)
        paid = None if version.paid is None else {"permanent": version.paid == 0, "endsAt": self.deadline(version)}
        shape = {
            "id": version.id,
            "index": model.versions.index(version),
            "name": version.name,
            "baseModel": version.base_model,
            "baseModelType": "Standard",
            "publishedAt": version.published,
            "availability": "Public",
            "nsfwLevel": model.level,
            "description": version.description,
            "trainedWords": list(version.words),
            "vaeId": None,
            "paidAccess": paid,
            "stats": stats(model.downloads // len(model.versions), model.likes // len(model.versions)),
            "files": [self._file(version, file, site) for file in files],
        }
        return {**shape, "downloadUrl": f"{site}/api/download/models/{version.id}"} if files else shape

    def _file(self, version: Version, file: File, site: str) -> Json:
        primary = file is primary_file(version)
        shape = {
            "id": file.id,
            "sizeKB": self._catalogue.blob(file).size / 1024,
            "name": file.name,
            "type": file.type,
            "pickleScanResult": file.scan,
            "pickleScanMessage": SCANS[file.scan],
            "virusScanResult": file.scan,
            "virusScanMessage": None,
            "scannedAt": None if file.scan == "Pending" else version.published,
            "metadata": {"format": file.format, "size": None, "fp": None},
            "hashes": self._catalogue.hashes(file),
            "downloadUrl": f"{site}/api/download/models/{version.id}?fileId={file.id}",
            **file.raw,
        }
        return {**shape, "primary": True} if primary else shape

    def _image(self, image: Image) -> Json:
        width, height = self._gallery.size(image)
        return {
            "url": self._pictures + self._gallery.path(image),
            "nsfwLevel": image.level,
            "width": width,
            "height": height,
            "hash": "U5IiO6s-4Vn+0~EO^5xa00VsL#IU_O?E7yWC",
            "type": image.kind,
            "minor": False,
            "poi": False,
            "hasMeta": bool(image.prompt),
            "hasPositivePrompt": bool(image.prompt),
            "onSite": False,
            "remixOfId": None,
        }
