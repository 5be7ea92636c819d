"""The Civitai catalogue as the routes look things up: by model, version, file, image and hash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from hubsync.sandbox.hub.blobs import Blob
from hubsync.sandbox.hub.civitai.records import File, Image, Model, Version, lora
from hubsync.sandbox.hub.civitai.states import STATES
from hubsync.sandbox.hub.civitai.trained import TRAINED
from hubsync.sandbox.hub.shelf import Shelf

MODELS = TRAINED + STATES
SOURCES = frozenset(file.source for model in MODELS for version in model.versions for file in version.files)
# Records of LoRA files that no catalogue names begin here: models 10001…, versions 12001…, files 13001….
UNNAMED = 10_000


class Catalogue:
    """The records whose files are on the shelf, and a plain one for each of the `others`, LoRA files named nowhere."""

    def __init__(self, shelf: Shelf, others: Iterable[str]) -> None:
        self._shelf = shelf
        present = [kept for model in MODELS if (kept := self._with_files(model)) is not None]
        self.models: Mapping[int, Model] = {model.id: model for model in [*present, *plain(others)]}
        self.versions: Mapping[int, tuple[Model, Version]] = {
            version.id: (model, version) for model in self.models.values() for version in model.versions
        }
        self.images: Mapping[int, Image] = {
            image.id: image for _model, version in self.versions.values() for image in version.images or ()
        }

    def blob(self, file: File) -> Blob:
        """The bytes of a file."""
        return self._shelf.blob(file.source, file.strength) if file.source else Blob(lambda: file.content)

    def hashes(self, file: File) -> dict[str, str]:
        """Every hash Civitai names, by its name there, in upper case."""
        blob = self.blob(file)
        found = {
            "AutoV1": blob.autov1,
            "AutoV2": blob.sha256[:10],
            "SHA256": blob.sha256,
            "CRC32": blob.crc32,
            "AutoV3": blob.autov3 if file.long_autov3 else blob.autov3[:12],
        }
        return {name: value.upper() for name, value in found.items() if value}

    def by_hash(self, digest: str) -> Iterator[tuple[Model, Version]]:
        """The versions that hold a file with that hash of any kind, the oldest first."""
        oldest_first = sorted(self.versions.values(), key=lambda found: found[1].published)
        for model, version in oldest_first:
            if any(digest.upper() in self.hashes(file).values() for file in listed(model, version)):
                yield model, version

    def _with_files(self, model: Model) -> Model | None:
        versions = tuple(version for version in model.versions if all(map(self._has, version.files)))
        return replace(model, versions=versions) if versions or not model.versions else None

    def _has(self, file: File) -> bool:
        return not file.source or self._shelf.has(file.source)


def listed(model: Model, version: Version) -> tuple[File, ...]:
    """The files a record shows: an archived model shows none."""
    return () if model.mode == "Archived" else version.files


def plain(sources: Iterable[str]) -> Iterator[Model]:
    """A record that says nothing but the name of its file, for each of these files."""
    for number, source in enumerate(sources, UNNAMED + 1):
        stem = source.removeprefix("loras/").removesuffix(".safetensors")
        version = Version(id=2000 + number, name="v1.0", files=(lora(number, stem),))
        yield Model(id=number, name=stem, versions=(version,))
