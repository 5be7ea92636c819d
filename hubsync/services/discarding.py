"""Removing pictures of tests to the trash, and bringing them back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from hubsync.domain import Render, RenderKind
from hubsync.errors import HubsyncError, NotFound, UsageError
from hubsync.files.opening import disk_errors
from hubsync.files.placement import write_aside
from hubsync.files.relocation import Relocation, relocate
from hubsync.roots import Root
from hubsync.store.renders import RenderRecords

_MANIFEST = "pictures.json"
"""In a folder of the trash with pictures: LoRAs have another, so that neither is taken for the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Pictures to be removed from one test; the files also hold its contact sheet where no picture stays."""

    renders: tuple[Render, ...]
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """What lies in one folder of the trash. `order` is that of the whole test, so that it comes back as it was."""

    removed_at: datetime
    renders: tuple[Render, ...]
    files: tuple[Path, ...]
    order: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardService:
    """Removes what tests of one library have drawn. Previews are copies, and stay."""

    root: Root
    renders: RenderRecords
    now: Callable[[], datetime]

    def plan(self, render: Render, *, whole: bool) -> Removal:
        """What the removal of a picture takes along, or of the whole test it belongs to.

        Raises:
            NotFound: it is not recorded any more. UsageError: others of its seed are measured against it.
        """
        test = self._test(render)
        gone = test if whole else [one for one in test if one.path == render.path]
        stay = [one for one in test if one not in gone]
        if not gone:
            raise NotFound(f"nothing is known of the picture {render.path}")
        if any(one.kind is RenderKind.BASE for one in gone) and any(one.seed == render.seed for one in stay):
            raise UsageError("the other pictures are measured against this one", hint="delete in the list takes all")
        folder = render.path.parent
        # A folder of the user's own may hold sheets of other tests.
        own = not stay and folder.is_relative_to(self.root.renders)
        sheets = sorted(folder.glob("sheet*.png")) if own else []
        return Removal(renders=tuple(gone), files=(*(one.path for one in gone), *sheets))

    def remove(self, removal: Removal) -> None:
        """Move pictures to the trash; what is gone already leaves the list.

        Raises:
            NoSpace, NoPermission: they stay where they are.
        """
        moment = self.now()
        folder = self._new_folder(f"{moment:%Y%m%dT%H%M%S}-pictures")
        order = tuple(one.path for one in self._test(removal.renders[0]))
        kept = Discarded(removed_at=moment, renders=removal.renders, files=removal.files, order=order)
        with disk_errors(folder):
            folder.mkdir(parents=True)
            write_aside(folder / _MANIFEST, msgspec.json.encode(kept, enc_hook=self.renders.database.stored))
        try:
            self._move((path, folder / path.name) for path in removal.files)
        except HubsyncError:
            # Whatever could not go back stays, with the note of what it is.
            if [path.name for path in folder.iterdir()] == [_MANIFEST]:
                shutil.rmtree(folder)
            raise
        self.renders.forget(removal.renders)
        self._sweep(removal.files[0].parent)

    def restore(self) -> tuple[Render, ...]:
        """Bring back the pictures that were removed last.

        Raises:
            NotFound: none are in the trash. UnsafeName: others have their places now.
        """
        if not (found := [*self._trash()]):
            raise NotFound("no picture is in the trash")
        folder, kept = max(found, key=lambda one: (one[1].removed_at, len(one[0].name), one[0].name))
        self._move((folder / path.name, path) for path in kept.files)
        here = {one.path: one for tests in self.renders.tests(kept.renders[:1]) for one in tests}
        here |= {one.path: one for one in kept.renders}
        self.renders.save(sorted(here.values(), key=lambda one: kept.order.index(one.path)))
        shutil.rmtree(folder)
        return kept.renders

    def _test(self, render: Render) -> Sequence[Render]:
        (test,) = self.renders.tests([render])
        return test

    def _move(self, pairs: Iterator[tuple[Path, Path]]) -> None:
        if there := tuple(pair for pair in pairs if pair[0].exists()):
            relocate(Relocation(pairs=there), journals=self.root.moves, settle=lambda _: None)

    def _sweep(self, folder: Path) -> None:
        """Folders of hubsync's own that hold nothing any more."""
        with suppress(OSError):
            while folder.is_relative_to(self.root.renders) and folder != self.root.renders:
                folder.rmdir()
                folder = folder.parent

    def _new_folder(self, name: str) -> Path:
        names = (name, *(f"{name}-{number}" for number in range(2, 1000)))
        return next(path for one in names if not (path := self.root.trash / one).exists())

    def _trash(self) -> Iterator[tuple[Path, Discarded]]:
        for folder in pictures_in(self.root.trash):
            with suppress(OSError, msgspec.DecodeError):
                content = (folder / _MANIFEST).read_bytes()
                yield folder, msgspec.json.decode(content, type=Discarded, dec_hook=self._path)

    def _path(self, _: type[object], stored: str) -> Path:
        return self.renders.database.absolute(stored)


def pictures_in(trash: Path) -> Sequence[Path]:
    """The folders of the trash that hold pictures of tests."""
    return [manifest.parent for manifest in trash.glob(f"*/{_MANIFEST}")]
