"""Removing to the trash, restoring, renaming and moving: a LoRA with all that belongs to it, or nothing."""

from __future__ import annotations

import json
import os
import shutil
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from hubsync.domain import Entry, Installed, LoraType, WordSource
from hubsync.errors import HubsyncError, NotFound, UnsafeName
from hubsync.files import relocation
from hubsync.files.opening import disk_errors
from hubsync.files.placement import inside, safe_stem, write_aside
from hubsync.files.relocation import Relocation
from hubsync.files.sidecars import beside
from hubsync.prompts.sources import without
from hubsync.roots import Root
from hubsync.services import describing
from hubsync.services.discarding import pictures_in
from hubsync.services.shelf import Shelf
from hubsync.store.records import Records

_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trashed:
    """A removed LoRA: its folder in the trash, and where each file was, the LoRA itself first."""

    name: str
    removed_at: datetime
    folder: Path
    places: tuple[Path, ...]

    @property
    def usable(self) -> bool:
        """Whether the LoRA itself is there: of one whose file was gone already only what lay beside it is."""
        return (self.folder / self.places[0].name).exists()

    @property
    def size(self) -> int:
        """Bytes it takes in the trash."""
        return sum(path.stat().st_size for path in self.folder.iterdir() if path.name != _MANIFEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelocateService:
    """Moves files of one library. `read` reads one file into the library that it does not know."""

    root: Root
    records: Records
    shelf: Shelf
    read: Callable[[Path], object]
    now: Callable[[], datetime]

    def remove(self, lora: Installed) -> Trashed:
        """Move a LoRA to the trash, with every sidecar and preview. One whose file is gone leaves the library.

        Raises:
            NoSpace, NoPermission: it stays where it is.
        """
        moment = self.now()
        files = (lora.path, *beside(lora.path))
        folder = self._new_folder(f"{moment:%Y%m%dT%H%M%S}-{lora.name}")
        manifest = {
            "name": lora.name,
            "removed_at": moment.isoformat(),
            "files": [self._stored(path) for path in files],
        }
        with disk_errors(folder):
            folder.mkdir(parents=True)
            write_aside(folder / _MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False).encode())
        pairs = tuple((path, folder / path.name) for path in files)
        try:
            self._relocate(Relocation(pairs=pairs, trashed=moment.isoformat()))
        except HubsyncError:
            # Whatever could not go back stays, with the note of what it is.
            if [path.name for path in folder.iterdir()] == [_MANIFEST]:
                shutil.rmtree(folder)
            raise
        return Trashed(name=lora.name, removed_at=moment, folder=folder, places=files)

    def trash(self) -> Sequence[Trashed]:
        """What is in the trash, the newest first."""
        folders = self.root.trash.iterdir() if self.root.trash.is_dir() else ()
        found = [trashed for folder in folders if (trashed := self._trashed(folder))]
        return sorted(found, key=lambda trashed: trashed.removed_at, reverse=True)

    def restore(self, name: str) -> Installed:
        """Move the LoRA of that name that was removed last back to where it was, with all that belongs to it.

        Raises:
            NotFound: none is in the trash. UnsafeName: another has its name or its place now.
        """
        found = [
            trashed
            for trashed in self.trash()
            if name.casefold() in {trashed.name.casefold(), trashed.folder.name.casefold()}
        ]
        if not found:
            there = ", ".join(trashed.name for trashed in self.trash()[:10])
            raise NotFound(
                f"no '{name}' is in the trash", hint=f"there are: {there}" if there else "the trash is empty"
            )
        trashed = found[0]
        self._check_free(trashed.name, self.records.names().get(trashed.name.casefold()))
        pairs = tuple((trashed.folder / path.name, path) for path in trashed.places)
        # The LoRA itself comes back into the library even if its file was gone when it was removed.
        self._relocate(Relocation(pairs=tuple(pair for pair in pairs if pair == pairs[0] or pair[0].exists())))
        shutil.rmtree(trashed.folder)
        return self._here(trashed.places[0])

    def empty(self) -> int:
        """Delete what is in the trash for good, pictures of tests too; the number of LoRAs that were there."""
        trash = self.trash()
        for folder in pictures_in(self.root.trash):
            shutil.rmtree(folder)
        for trashed in trash:
            self.records.forget(trashed.folder / trashed.places[0].name)
            shutil.rmtree(trashed.folder)
        return len(trash)

    def check_move(self, loras: Sequence[Installed], to: str) -> None:
        """Refuse a target before anything is moved.

        Raises:
            UnsafeName: the name breaks tags or file systems, is taken, or leaves the library.
        """
        for lora in loras:
            self._free_target(lora, to)

    def move(self, lora: Installed, to: str) -> Installed:
        """Rename a LoRA, or move it to another folder (`to` ends in a slash then, or is FOLDER/STEM), with all of it.

        Folders are below the one LoRAs lie in; an absolute one must be below one of the library's.

        Raises:
            UnsafeName: the name breaks tags or file systems, is taken, or leaves the library.
            NotFound: its file is gone. NoSpace, NoPermission: it stays where it is.
        """
        if not lora.path.exists():
            raise NotFound(f"the file of {lora.name} is gone", hint="hubsync scan")
        target = self._free_target(lora, to)
        if target == lora.path:
            return lora
        pairs = [(lora.path, target)]
        pairs += [
            (path, target.parent / f"{target.stem}{path.name[len(lora.path.stem) :]}") for path in beside(lora.path)
        ]
        self._relocate(Relocation(pairs=tuple(pairs)))
        return self._here(target)

    def recover(self) -> None:
        """Finish what a killed process had begun."""
        relocation.finish(self.root.moves, settle=self._settle)

    def _relocate(self, wanted: Relocation) -> None:
        relocation.relocate(wanted, journals=self.root.moves, settle=self._settle)

    def _settle(self, done: Relocation) -> None:
        moment = datetime.fromisoformat(done.trashed) if done.trashed else None
        self.records.relocate(dict(done.pairs), trashed=moment)

    def _here(self, path: Path) -> Installed:
        """The row of a file that came to `path`; an embedding is called by its new name."""
        if not self.records.by_path(path):
            self.read(path)
        return self.shelf.change(path, _renamed)

    def _free_target(self, lora: Installed, to: str) -> Path:
        """Where a LoRA would go, if nothing else is called so."""
        target = self._target(lora, to)
        self._check_free(target.stem, self.records.names().get(target.stem.casefold()), besides=lora.path)
        return target

    def _target(self, lora: Installed, to: str) -> Path:
        if not to.strip():
            raise UnsafeName("a LoRA needs a name", hint="hubsync move NAME --to STEM")
        folder, slash, stem = to.replace("\\", "/").rpartition("/")
        stem = (stem or lora.path.stem).removesuffix(lora.path.suffix)
        safe = safe_stem(stem)
        if safe != unicodedata.normalize("NFC", stem):
            raise UnsafeName(f"'{stem}' breaks tags or file systems", hint=f"use '{safe}'")
        home = self._folder_of(lora.path) or lora.path.parent
        place = home / Path(folder or "/").expanduser() if slash else lora.path.parent
        base = self._folder_of(place) or home
        try:
            return inside(base, os.path.relpath(place / f"{safe}{lora.path.suffix}", base))
        except UnsafeName as error:
            raise UnsafeName(f"{place} is outside the library", hint=f"name a folder below {home}") from error

    def _folder_of(self, path: Path) -> Path | None:
        """The library's folder a path lies in."""
        return next((one for one in self.root.folders if path.is_relative_to(one)), None)

    def _check_free(self, stem: str, taken: Path | None, *, besides: Path | None = None) -> None:
        if taken is not None and taken != besides:
            raise UnsafeName(f"{taken} is called {stem} already", hint="tools look LoRAs up by name alone")

    def _new_folder(self, name: str) -> Path:
        names = (name, *(f"{name}-{number}" for number in range(2, 1000)))
        return next(path for one in names if not (path := self.root.trash / one).exists())

    def _trashed(self, folder: Path) -> Trashed | None:
        with suppress(OSError, ValueError, KeyError, TypeError):
            manifest = json.loads((folder / _MANIFEST).read_text("utf-8"))
            places = tuple(self.root.path / path for path in manifest["files"])
            # A process killed before the first file moved leaves its manifest behind.
            if any((folder / path.name).exists() for path in places):
                moment = datetime.fromisoformat(manifest["removed_at"])
                return Trashed(name=str(manifest["name"]), removed_at=moment, folder=folder, places=places)
        return None

    def _stored(self, path: Path) -> str:
        return self.records.database.stored(path)


def _renamed(entry: Entry) -> Entry:
    """The entry of a file that has another name now: an embedding is triggered by it."""
    if entry.lora.type is not LoraType.EMBEDDING:
        return entry
    others = without(entry.statements, WordSource.FILE_NAME)
    name = describing.statement(WordSource.FILE_NAME, (entry.lora.name,))
    return replace(entry, statements=(*others, name))
