"""Moves a LoRA with everything that belongs to it: all of its files or, if one cannot be moved, none.

What is under way is written down first, so that after a kill the next start finishes it.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hubsync.errors import HubsyncError, UnsafeName
from hubsync.files.opening import disk_errors
from hubsync.files.placement import sync_folder, write_aside


@dataclass(frozen=True, slots=True, kw_only=True)
class Relocation:
    """Files with the places they go to, the LoRA itself first. `trashed` is when it was removed, in ISO 8601."""

    pairs: tuple[tuple[Path, Path], ...]
    trashed: str | None = None


Settle = Callable[[Relocation], object]
"""Makes the library follow; called when every file lies at its new place."""


def relocate(relocation: Relocation, *, journals: Path, settle: Settle) -> None:
    """Move files and let the library follow. Nothing is overwritten.

    Args:
        relocation: what goes where.
        journals: folder for notes of what is under way.
        settle: as said there; if it fails, the files go back.

    Raises:
        UnsafeName: something lies at a target. NoSpace, NoPermission: the disk does not let it happen.
    """
    from filelock import FileLock

    for _, target in relocation.pairs:
        if os.path.lexists(target):
            raise UnsafeName(f"{target} is there already", hint="choose another name")
    with disk_errors(journals):
        journals.mkdir(parents=True, exist_ok=True)
    journal = journals / f"{uuid.uuid4().hex}.json"
    try:
        with FileLock(journal.with_suffix(".lock")):
            _carry_out(relocation, journal, settle)
    finally:
        journal.with_suffix(".lock").unlink(missing_ok=True)


def _carry_out(relocation: Relocation, journal: Path, settle: Settle) -> None:
    pairs = [[str(source), str(target)] for source, target in relocation.pairs]
    write_aside(journal, json.dumps({"pairs": pairs, "trashed": relocation.trashed}).encode())
    try:
        with disk_errors(relocation.pairs[0][1].parent):
            _carry(relocation.pairs)
        settle(relocation)
    except (OSError, HubsyncError):
        _carry_back(relocation.pairs)
        journal.unlink()
        raise
    # Whatever else ends this, Ctrl-C too, leaves the note: the next start finishes the move.
    journal.unlink()


def unfinished(journals: Path) -> bool:
    """Whether something is, or was, under way."""
    return journals.is_dir() and any(journals.glob("*.json"))


def finish(journals: Path, *, settle: Settle) -> None:
    """Carry on with what a killed process had begun; what another process is doing now is left to it.

    What cannot be done now, on a full disk or one that cannot be written, waits for the next start.
    """
    from filelock import FileLock

    for journal in sorted(journals.glob("*.json")):
        # A lock that another process holds is an OSError too.
        with suppress(OSError, HubsyncError):
            with FileLock(journal.with_suffix(".lock")).acquire(blocking=False):
                if (relocation := _read(journal)) is not None:
                    _carry(relocation.pairs)
                    settle(relocation)
                journal.unlink(missing_ok=True)
            journal.with_suffix(".lock").unlink(missing_ok=True)


def _read(journal: Path) -> Relocation | None:
    try:
        content = json.loads(journal.read_text("utf-8"))
        pairs = tuple((Path(source), Path(target)) for source, target in content["pairs"])
        return Relocation(pairs=pairs, trashed=content["trashed"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _carry(pairs: Iterable[tuple[Path, Path]]) -> None:
    folders = set[Path]()
    for source, target in pairs:
        # After a kill some are there already.
        if source.exists() and not target.exists():
            move_file(source, target)
            folders |= {source.parent, target.parent}
    for folder in folders:
        sync_folder(folder)


def _carry_back(pairs: Iterable[tuple[Path, Path]]) -> None:
    for source, target in _moved(pairs):
        with suppress(OSError):
            move_file(target, source)


def _moved(pairs: Iterable[tuple[Path, Path]]) -> Iterator[tuple[Path, Path]]:
    return (pair for pair in reversed([*pairs]) if pair[1].exists() and not pair[0].exists())


def move_file(source: Path, target: Path) -> None:
    """Move a file, also to another file system, where it gets its name only when all of it is there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        aside = target.with_name(f".{target.name}.new")
        shutil.copy2(source, aside)
        aside.replace(target)
        source.unlink()
