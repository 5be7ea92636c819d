"""Civitai over its public REST API."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from msgspec.structs import replace as replaced

from hubsync.config import Settings
from hubsync.domain import Download, Lora, LoraFile, Page, Query, Version
from hubsync.errors import NotFound
from hubsync.families import Families
from hubsync.hubs.base import MOST_PAGES
from hubsync.hubs.civitai import shapes as wire
from hubsync.hubs.civitai.api import Api
from hubsync.hubs.civitai.query import base_names, ordered, params, shown
from hubsync.hubs.civitai.read import Reader
from hubsync.hubs.http import Http
from hubsync.lenient import read, rows, utc_now
from hubsync.refs import CivitaiRef, HashRef, Ref, Source
from hubsync.text import clean

_AUTOV3_DIGITS = 12
# Some trainers wrote it into every file, so that it matches models that have nothing to do with them.
_OF_NOTHING = hashlib.sha256(b"").hexdigest()
_MOST_MODELS = 100


class Civitai:
    """The hub."""

    source = Source.CIVITAI

    def __init__(
        self,
        http: Http,
        settings: Settings,
        families: Families,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        site = settings.civitai.url.rstrip("/")
        self._api = Api(http, site=site)
        self._families = families
        self._now = now
        self._learning = threading.Lock()
        self._base_models: tuple[str, ...] = ()

    def search(self, query: Query, *, patience: float | None = None) -> Page:
        """One page of models, filled from up to `MOST_PAGES` of the server's, without repetitions.

        Raises:
            UsageError: the cursor belongs to another search.
            HubsyncError: Civitai refuses or cannot be reached.
        """
        found: dict[str, Lora] = {}
        bases = base_names(query.base_models, self._families, self.base_models)
        cursor = query.cursors.get(Source.CIVITAI)
        for _ in range(MOST_PAGES):
            # Asking for no more than what is still missing keeps every cursor at a place where nothing is lost.
            asked = params(query, limit=query.limit - len(found), cursor=cursor, bases=bases)
            page = self._page(asked, patience)
            for lora in self._rows(page, query, bases):
                found.setdefault(lora.page_url.partition("?")[0], lora)
            before, cursor = cursor, _next_cursor(page)
            if cursor in {None, before} or len(found) >= query.limit:
                break
        return Page(items=tuple(ordered(list(found.values()), query)), next=cursor)

    def lora(self, ref: Ref) -> Lora:
        """Everything Civitai shows of a model: what `ref` names first, then versions newest first.

        A bare number is a model, else a version.

        Raises:
            NotFound: there is no such model, version or file, or they do not belong together.
            HubsyncError: Civitai refuses or cannot be reached.
        """
        model, detail = self._found(ref)
        versions = [version for version in rows(model.model_versions, wire.Version) if version.id]
        if detail is None and (wanted := _wanted(ref, versions)) is not None:
            detail = self._detail(wanted, model, versions)
        if detail is not None:
            versions = [detail, *(version for version in versions if version.id != detail.id)]
        lora = self._reader.lora(model, versions)
        if not lora.versions:
            return lora
        first = self._with_requirements(_file_first(lora.versions[0], ref, page=lora.page_url))
        return replace(lora, versions=(first, *lora.versions[1:]))

    def download(self, file: LoraFile) -> Download:
        """The address of a file, by its own number: without one an account's preferences choose the file."""
        ref = file.ref
        if not isinstance(ref, CivitaiRef) or ref.version is None:
            raise NotFound(f"{ref} names no version to download")
        chosen = "" if ref.file is None else f"?fileId={ref.file}"
        url = f"{self._api.site}/api/download/models/{ref.version}{chosen}"
        return Download(url=url, sha256=file.sha256, size=file.size if file.exact_size else None)

    def identify(self, sha256: Sequence[str]) -> Mapping[str, CivitaiRef]:
        """The version that holds a file, by its SHA-256 in lower case; files Civitai does not know are absent."""
        asked, known = set(sha256) - {_OF_NOTHING}, dict[str, CivitaiRef]()
        for match in self._api.matches([digest.upper() for digest in sha256 if digest in asked]):
            digest = match.hash.lower()
            if digest in asked and match.model_id and match.model_version_id:
                known.setdefault(digest, CivitaiRef(model=match.model_id, version=match.model_version_id))
        return known

    def loras(self, models: Sequence[int]) -> Mapping[int, Lora]:
        """Models by their numbers, a hundred a request, all versions of each; those it does not list are absent."""
        found: dict[int, Lora] = {}
        for start in range(0, len(models), _MOST_MODELS):
            numbers = ",".join(map(str, models[start : start + _MOST_MODELS]))
            page = self._api.models([("ids", numbers), ("limit", str(_MOST_MODELS)), ("nsfw", "true")])
            for model in rows(page.items, wire.Model):
                versions = [version for version in rows(model.model_versions, wire.Version) if version.id]
                if model.id and versions:
                    found[model.id] = self._reader.lora(model, versions)
        return found

    def base_models(self) -> tuple[str, ...]:
        """The names of base models a search can ask for, in Civitai's order; asked for once.

        Those of the shipped table where Civitai does not tell: then too they are most of them.
        """
        with self._learning:
            if not self._base_models:
                shipped = (name for family in self._families.table.values() for name in family.civitai)
                self._base_models = tuple(self._api.base_models() or shipped)
            return self._base_models

    def account(self) -> str:
        """The user the stored key belongs to: the only honest check of a key, since other routes ignore a bad one.

        Raises:
            TokenRequired: no key is stored.
            TokenInvalid: the key is not valid.
        """
        return clean(self._api.account().username)

    @property
    def _reader(self) -> Reader:
        return Reader(families=self._families, site=self._api.site, now=self._now())

    def _page(self, asked: Sequence[tuple[str, str]], patience: float | None) -> wire.Page:
        """A page; empty for a creator nobody knows, which the server calls not found."""
        try:
            return self._api.models(asked, patience=patience)
        except NotFound:
            return wire.Page()

    def _rows(self, page: wire.Page, query: Query, bases: Sequence[str]) -> Iterator[Lora]:
        reader = self._reader
        for model in rows(page.items, wire.Model):
            versions = [version for version in rows(model.model_versions, wire.Version) if version.id]
            matching = [version for version in versions if not bases or version.base_model in bases]
            if model.id and (matching or not bases) and (lora := shown(reader.lora(model, matching), query)):
                yield lora

    def _found(self, ref: Ref) -> tuple[wire.Model, wire.Version | None]:
        """The model a reference leads to, and its version where that was the way."""
        if isinstance(ref, HashRef):
            if _OF_NOTHING.startswith(ref.value.lower()):
                raise NotFound(f"{ref} is the hash of nothing", hint="the tool that stated it hashed no file")
            value = ref.value[:_AUTOV3_DIGITS] if ref.kind == "autov3" else ref.value
            return self._by_version(f"by-hash/{value}")
        if not isinstance(ref, CivitaiRef):
            raise NotFound(f"{ref} is not on Civitai")
        if ref.model is None:
            return self._by_version(str(ref.version))
        try:
            return self._api.model(ref.model), None
        except NotFound:
            if not ref.guess:
                raise
            return self._by_version(str(ref.model))

    def _by_version(self, path: str) -> tuple[wire.Model, wire.Version]:
        """A version and its model; a model that is not served yet is what the version says of it."""
        version = self._api.version(path)
        try:
            model = self._api.model(version.model_id)
        except NotFound:
            stub = read(version.model, wire.Model) or wire.Model()
            return replaced(stub, id=version.model_id), version
        return model, _merged(rows(model.model_versions, wire.Version), version)

    def _detail(self, number: int, model: wire.Model, versions: Sequence[wire.Version]) -> wire.Version:
        """A version's own answer, which adds how its pictures were made; as the model lists it if it has none yet.

        Raises:
            NotFound: the model does not list it, and it is of another model or does not exist.
        """
        try:
            version = self._api.version(str(number))
        except NotFound:
            if listed := next((version for version in versions if version.id == number), None):
                return listed
            raise
        if version.model_id != model.id:
            right = CivitaiRef(model=version.model_id, version=number)
            raise NotFound(f"version {number} is not one of model {model.id}", hint=f"use {right}")
        return _merged(versions, version)

    def _with_requirements(self, version: Version) -> Version:
        """Whether a key is needed, where a public version's answer leaves it open."""
        ref = version.ref
        if version.requires_token is not None or not isinstance(ref, CivitaiRef) or not (ref.version and version.files):
            return version
        return replace(version, requires_token=self._api.needs_key(ref.version))


def _next_cursor(page: wire.Page) -> str | None:
    """The next page's cursor; one that cannot be shown and typed is none."""
    metadata = read(page.metadata, wire.Metadata)
    cursor = "" if metadata is None or metadata.next_cursor is None else str(metadata.next_cursor)
    return cursor if cursor.isprintable() and cursor else None


def _wanted(ref: Ref, versions: Sequence[wire.Version]) -> int | None:
    """The version a reference means: the one it names, the one that holds its file, else the newest."""
    if isinstance(ref, CivitaiRef) and ref.version is not None:
        return ref.version
    file = ref.file if isinstance(ref, CivitaiRef) else None
    holding = (v.id for v in versions if file and any(shape.id == file for shape in rows(v.files, wire.File)))
    return next(holding, versions[0].id if versions else None)


def _merged(versions: Sequence[wire.Version] | Iterator[wire.Version], detail: wire.Version) -> wire.Version:
    """A version's own answer with what only the model's says: availability, and pictures beyond the first ten."""
    listed = next((version for version in versions if version.id == detail.id), wire.Version())
    seen = {image.url for image in rows(detail.images, wire.Image)}
    more = [raw for raw in listed.images if (image := read(raw, wire.Image)) and image.url not in seen]
    return replaced(detail, availability=listed.availability, images=[*detail.images, *more])


def _file_first(version: Version, ref: Ref, *, page: str) -> Version:
    """The version with the file a reference names before the others.

    Raises:
        NotFound: the version does not hold it.
    """
    named = [file for file in version.files if _names(ref, file)]
    if isinstance(ref, CivitaiRef) and ref.file is not None and not named:
        raise NotFound(f"{version.ref} has no file {ref.file}", hint=f"open {page}")
    return replace(version, files=(*named, *(file for file in version.files if file not in named)))


def _names(ref: Ref, file: LoraFile) -> bool:
    if isinstance(ref, HashRef):
        full = file.autov3 if ref.kind == "autov3" else file.sha256
        return bool(full) and (str(full).startswith(ref.value) or ref.value.startswith(str(full)))
    if not isinstance(ref, CivitaiRef) or not isinstance(file.ref, CivitaiRef):
        return False
    return ref.file is not None and file.ref.file == ref.file
