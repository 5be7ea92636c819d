"""Hashes of the library's files: computed when there is time, compared when asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from hubsync.domain import Stamp
from hubsync.errors import Cancelled, HubsyncError
from hubsync.events import Advanced, Sink, Started
from hubsync.files.hashes import Hashes, hash_file
from hubsync.store.records import Records
from hubsync.store.scanning import Problem, Row, ScanRecords

HASH = "hash"
"""The key of its events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HashService:
    """Hashes files of one library."""

    records: Records
    rows: ScanRecords

    def hash(self, files: Mapping[Path, int], *, sink: Sink, cancel: threading.Event) -> None:
        """Compute and note all hashes of these files of the library, given with their sizes in bytes.

        Raises:
            Cancelled: what was hashed so far is noted.
        """
        for path, hashes in hashed(files, sink=sink, cancel=cancel):
            self.note(path, hashes)

    def by_the_way(self, cancel: threading.Event) -> None:
        """Compute the hashes that are not known yet, the newest files first, until told to stop."""
        with suppress(Cancelled, HubsyncError, OSError):
            self.hash(self.rows.unhashed(partly=True), sink=_nobody, cancel=cancel)

    def again(self, rows: Sequence[Row], *, sink: Sink, cancel: threading.Event) -> list[Problem]:
        """Hash these files again; the problems are those whose bytes are other ones though nobody wrote the file.

        What the library knew of them stays: it is what `verify` compares with.

        Raises:
            Cancelled: what was hashed so far is noted.
        """
        by_path = {self.records.database.absolute(row.path): row for row in rows}
        problems = []
        for path, hashes in hashed({path: row.size for path, row in by_path.items()}, sink=sink, cancel=cancel):
            row = by_path[path]
            if row.sha256 in {None, hashes.sha256}:
                self.note(path, hashes)
            else:
                message = f"its bytes changed: SHA-256 was {row.sha256}, is {hashes.sha256}"
                problems.append(Problem(path=row.path, code="hash_mismatch", message=message))
        return problems

    def note(self, path: Path, hashes: Hashes) -> None:
        """Note the hashes of a file as it is now."""
        status = path.stat()
        self.rows.set_hashes(path, Stamp(size=status.st_size, mtime_ns=status.st_mtime_ns), asdict(hashes))


def hashed(
    files: Mapping[Path, int], *, sink: Sink, cancel: threading.Event, doing: str = "hashing"
) -> Iterator[tuple[Path, Hashes]]:
    """Files, given with their sizes in bytes, and their hashes; one that cannot be read is left out.

    Raises:
        Cancelled: `cancel` was set.
    """
    total, done = sum(files.values()), 0
    if files:
        sink(Started(key=HASH, label=f"{doing} {len(files)} files", total=total))
    for path, size in files.items():

        def advance(count: int, before: int = done) -> None:
            sink(Advanced(key=HASH, done=before + count, total=total))

        with suppress(HubsyncError):
            yield path, hash_file(path, progress=advance, cancel=cancel)
        done += size


def _nobody(_: object) -> None:
    """Nobody is told."""
