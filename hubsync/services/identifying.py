"""Recognises files by their hashes: Civitai says which version holds them, and everything that goes with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from hubsync.domain import Installed, Lora, LoraFile, Version
from hubsync.errors import Cancelled, NotFound
from hubsync.events import Advanced, Sink, Started
from hubsync.refs import CivitaiRef, HashRef, Ref
from hubsync.services import describing
from hubsync.services.shelf import Shelf
from hubsync.store.scanning import ScanRecords

IDENTIFY = "identify"
"""The key of its events."""

_ASK_AGAIN = timedelta(days=7)
_MOST_SINGLE = 100
"""Files one run looks up by AutoV3, which takes a request each; the others have their turn next time."""


class Catalogue(Protocol):
    """What a hub does that knows files by their hashes."""

    def identify(self, sha256: Sequence[str]) -> Mapping[str, CivitaiRef]:
        """The version that holds a file, by SHA-256; files it does not know are absent."""

    def loras(self, models: Sequence[int]) -> Mapping[int, Lora]:
        """Models by their numbers, all versions of each; those it does not list are absent."""

    def lora(self, ref: Ref) -> Lora:
        """Everything of one model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifyService:
    """Asks about files of one library that nobody has named yet. `now` decides when to ask again."""

    catalogue: Catalogue
    rows: ScanRecords
    shelf: Shelf
    now: Callable[[], datetime]

    def identify(self, *, sink: Sink, cancel: threading.Event) -> int:
        """Name what can be named: by SHA-256, ten thousand at once; then by AutoV3, which survives an edited header.

        Returns the number of files named.

        Raises:
            HubError, AccessDenied: Civitai does not answer; nothing is lost, the next call asks again.
            Cancelled: what was named so far is kept.
        """
        waiting = self.rows.unidentified(asked_before=self.now() - _ASK_AGAIN)
        if not waiting:
            return 0
        sink(Started(key=IDENTIFY, label="asking Civitai", total=len(waiting)))
        refs = self.catalogue.identify([sha256 for _, sha256, _ in waiting])
        named = {path: refs[sha256] for path, sha256, _ in waiting if sha256 in refs}
        models = self._models(named.values())
        count = 0
        for path, ref in named.items():
            if cancel.is_set():
                raise Cancelled
            count += self._keep(path, ref, models.get(ref.model or 0))
            sink(Advanced(key=IDENTIFY, done=count, total=len(waiting)))
        self.rows.asked(list(named), self.now())
        others = [(path, autov3) for path, _, autov3 in waiting if path not in named]
        return count + self._by_autov3(others, cancel=cancel)

    def _models(self, refs: Iterable[CivitaiRef]) -> Mapping[int, Lora]:
        return self.catalogue.loras(sorted({ref.model for ref in refs if ref.model is not None}))

    def _by_autov3(self, files: Sequence[tuple[Path, str | None]], *, cancel: threading.Event) -> int:
        count = 0
        for path, autov3 in files[:_MOST_SINGLE]:
            if cancel.is_set():
                raise Cancelled
            if autov3 is not None:
                try:
                    lora = self.catalogue.lora(HashRef(kind="autov3", value=autov3))
                    count += self._keep(path, lora.versions[0].ref, lora)
                except (NotFound, IndexError):
                    pass
            self.rows.asked([path], self.now())
        return count

    def _keep(self, path: Path, ref: Ref, lora: Lora | None) -> bool:
        """Note what the hub says of a file; False where it has named a version it does not show."""
        if lora is None or not any(_is(ref, version) for version in lora.versions):
            # Lists lag behind: the model's own page is asked.
            try:
                lora = self.catalogue.lora(ref)
            except NotFound:
                return False
        version = next((version for version in lora.versions if _is(ref, version)), None)
        if version is None:
            return False
        page, right = lora, version
        try:
            self.shelf.change(
                path,
                lambda entry: describing.from_hub(entry, page, right, _file(right, entry.lora)),
                info=describing.info_of(lora, version),
            )
        except NotFound:
            return False
        return True


def _is(ref: Ref, version: Version) -> bool:
    return isinstance(ref, CivitaiRef) and isinstance(version.ref, CivitaiRef) and ref.version == version.ref.version


def _file(version: Version, lora: Installed) -> LoraFile:
    """The file of a version with these bytes, else with these weights, else one that stands for the version."""
    same = [file for file in version.files if file.sha256 == lora.sha256]
    alike = [file for file in version.files if file.autov3 and lora.autov3 and file.autov3.startswith(lora.autov3)]
    return next(iter((*same, *alike)), LoraFile(ref=version.ref, name=""))
