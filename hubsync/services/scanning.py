"""Reads the disk into the library: what is new, changed, moved or gone; then hashes and recognises what it can."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hubsync.domain import Entry
from hubsync.errors import AccessDenied, Cancelled, HubError, NotFound
from hubsync.events import Advanced, Sink, Started
from hubsync.families import Families
from hubsync.files.glance import Glance, Glancer
from hubsync.files.hashes import hash_file
from hubsync.files.walking import Found, found_at, walk
from hubsync.roots import Root
from hubsync.services import describing
from hubsync.services.hashing import HashService
from hubsync.services.identifying import IdentifyService
from hubsync.services.moves import match
from hubsync.store.records import Records
from hubsync.store.scanning import Problem, ScanRecords

SCAN = "scan"
"""The key of a scan's events."""

_AT_ONCE = 2 << 30
"""Bytes of new files that a scan hashes before it ends: about two seconds. More is hashed by the way, later."""

_BATCH = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What a scan found. `removed` counts files that vanished; `unhashed` those whose hashes come later."""

    added: int
    updated: int
    removed: int
    unchanged: int
    identified: int
    unhashed: int
    problems: tuple[Problem, ...]
    seconds: float


@dataclass(slots=True)
class _Differences:
    """How the disk differs from the library."""

    new: list[Found] = field(default_factory=list)
    changed: list[Found] = field(default_factory=list)
    moved: dict[str, Found] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    unchanged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanService:
    """Scans one library root."""

    root: Root
    records: Records
    rows: ScanRecords
    hashing: HashService
    identifying: Callable[[], IdentifyService]
    families: Callable[[], Families]
    clock: Callable[[], float] = time.monotonic

    def scan(
        self,
        paths: Sequence[Path] = (),
        *,
        identify: bool = True,
        rehash: bool = False,
        sink: Sink,
        cancel: threading.Event,
    ) -> Scanned:
        """Bring the library in line with the disk; nothing on disk is changed but sidecars of what is recognised.

        Args:
            paths: folders or files to look at; by default every folder of the root.
            identify: ask Civitai about hashes nobody knows yet. That it does not answer is a problem, no end.
            rehash: hash every file now, and compare.
            sink: gets the progress.
            cancel: stops it; what was read so far is kept.

        Raises:
            NotFound: a path that is not there. DatabaseTrouble: the library cannot be written. Cancelled.
        """
        started = self.clock()
        differences, problems = self._compare(paths)
        read, updated = self._read(differences, problems, sink=sink, cancel=cancel)
        troubles = [*problems.values(), *self.rows.collisions()]
        troubles += self._hash(read, paths=paths, rehash=rehash, sink=sink, cancel=cancel)
        identified = 0
        if identify:
            try:
                identified = self.identifying().identify(sink=sink, cancel=cancel)
            except (HubError, AccessDenied) as error:
                troubles.append(Problem(path=self._stored(self.root.loras), code=error.code, message=error.message))
        return Scanned(
            added=len(read) - updated,
            updated=updated,
            removed=len(differences.gone),
            unchanged=differences.unchanged,
            identified=identified,
            unhashed=self.rows.count_unhashed(),
            problems=tuple(troubles),
            seconds=self.clock() - started,
        )

    def _compare(self, paths: Sequence[Path]) -> tuple[_Differences, dict[str, Problem]]:
        """The differences, and the known problems that still hold."""
        known, wrong = self.rows.states(), self.rows.problems()
        differences, holding = _Differences(), dict[str, Problem]()
        within = [self._stored(path.absolute()) for path in paths]
        seen = set[str]()
        for found in self._walk(paths):
            path = self._stored(found.path)
            if path in seen:
                continue
            seen.add(path)
            if (problem := wrong.get(path)) and (problem.size, problem.mtime_ns) == (found.size, found.mtime_ns):
                holding[path] = problem
                if path not in known:
                    continue
            if path not in known:
                differences.new.append(found)
            elif known[path] == [found.size, found.mtime_ns, found.sidecars]:
                differences.unchanged += 1
            else:
                differences.changed.append(found)
        vanished = self.rows.rows(path for path in known.keys() - seen if _lies_in(path, within))
        differences.moved = match(vanished, differences.new, hashed=lambda path: hash_file(path).sha256)
        arrived = {found.path for found in differences.moved.values()}
        differences.new = [found for found in differences.new if found.path not in arrived]
        differences.gone = [row.path for row in vanished if not row.missing and row.path not in differences.moved]
        # A problem whose file is gone, or another now, is none any more.
        self.rows.note(
            missing=differences.gone,
            problems=(),
            settled=[path for path in wrong if path not in holding and _lies_in(path, within)],
        )
        return differences, holding

    def _walk(self, paths: Sequence[Path]) -> Iterator[Found]:
        if not paths:
            for folder in self.root.folders:
                yield from walk(folder)
        for path in (path.absolute() for path in paths):
            if path.is_dir():
                yield from walk(path)
            elif found := found_at(path):
                yield found
            elif not path.exists():
                raise NotFound(f"there is no {path}", hint="name folders or files of the library")

    def _read(
        self, differences: _Differences, problems: dict[str, Problem], *, sink: Sink, cancel: threading.Event
    ) -> tuple[dict[Path, int], int]:
        """Read what is new, changed or moved into the library, a batch a transaction.

        Returns the LoRAs among it with their sizes in bytes, and how many of them were known before.
        """
        self._relocate(differences.moved)
        todo = [*differences.new, *differences.changed, *differences.moved.values()]
        if todo:
            sink(Started(key=SCAN, label="reading headers", total=len(todo)))
        glancer, read, updated = Glancer(), dict[Path, int](), 0
        for start in range(0, len(todo), _BATCH):
            if cancel.is_set():
                raise Cancelled
            batch = todo[start : start + _BATCH]
            entries, wrong = self._look_at(batch, glancer)
            right = [path for found in batch if problems and (path := self._stored(found.path)) in problems]
            updated += self._save(entries, wrong, right)
            for path in right:
                del problems[path]
            problems.update({problem.path: problem for problem in wrong})
            read |= {entry.lora.path: entry.stamp.size for entry in entries}
            sink(Advanced(key=SCAN, done=start + len(batch), total=len(todo)))
        return read, updated

    def _look_at(self, batch: Iterable[Found], glancer: Glancer) -> tuple[list[Entry], list[Problem]]:
        """What the disk says of a batch of files: rows, and files that need a human."""
        entries: list[Entry] = []
        wrong: list[Problem] = []
        embeddings = self.root.embedding_places
        for found in batch:
            glance, embedding = glancer.glance(found.path, found.size), found.path.startswith(embeddings)
            if problem := self._problem(found, glance, embedding=embedding):
                wrong.append(problem)
            if _belongs(glance):
                told = describing.from_sidecars(found)
                wrong += [self._noted(found, "bad_sidecar", sentence) for sentence in told.problems[:1]]
                entries.append(describing.from_disk(found, glance, told, embedding=embedding))
        return entries, wrong

    def _save(self, entries: Sequence[Entry], wrong: Sequence[Problem], right: Sequence[str]) -> int:
        """Save a batch, with what the library knows of it besides; how many it knew."""
        with self.records.alone():
            known = {entry.lora.path: entry for entry in self.records.entries(entry.lora.path for entry in entries)}
            self.records.save_all([self._whole(entry, known.get(entry.lora.path)) for entry in entries])
            self.rows.note(missing=(), problems=wrong, settled=right)
        return len(known)

    def _whole(self, fresh: Entry, known: Entry | None) -> Entry:
        """What the disk says, with what the library knows besides."""
        if fresh.lora.family is None and fresh.lora.base_model:
            fresh = replace(fresh, lora=replace(fresh.lora, family=self.families().of(fresh.lora.base_model)))
        if known is None:
            return fresh
        entry = describing.carried(fresh, known)
        if known.lora.ref is None or entry.lora.sha256 is not None or known.lora.sha256 is None:
            return entry
        # Other bytes under a name that came from a hub: with the weights of before it is the same LoRA.
        entry = describing.with_hashes(entry, hash_file(entry.lora.path))
        return entry if entry.lora.autov3 == known.lora.autov3 else describing.forgotten(entry)

    def _relocate(self, moved: Mapping[str, Found]) -> None:
        if moved:
            absolute = self.records.database.absolute
            self.records.relocate({absolute(old): Path(found.path) for old, found in moved.items()})

    def _problem(self, found: Found, glance: Glance, *, embedding: bool) -> Problem | None:
        code, message = glance.code, glance.problem
        if code is None and glance.kind == "embedding" and not embedding:
            code, message = "misfiled", f"it is an embedding: tools look for those in {self.root.embeddings}"
        # Pickled embeddings are common, and listed; nothing here ever opens one.
        if code is None or (code == "unsafe_file" and embedding):
            return None
        return self._noted(found, code, message)

    def _noted(self, found: Found, code: str, message: str) -> Problem:
        path = self._stored(found.path)
        return Problem(path=path, code=code, message=message, size=found.size, mtime_ns=found.mtime_ns)

    def _hash(
        self, read: Mapping[Path, int], *, paths: Sequence[Path], rehash: bool, sink: Sink, cancel: threading.Event
    ) -> list[Problem]:
        """Hash new files if they are few, or every file; the problems are files whose bytes changed by themselves."""
        if rehash:
            within = [self._stored(path.absolute()) for path in paths]
            every = self.rows.rows(path for path in self.rows.states() if _lies_in(path, within))
            return self.hashing.again([row for row in every if not row.missing], sink=sink, cancel=cancel)
        if read and sum(read.values()) <= _AT_ONCE:
            waiting = self.rows.unhashed()
            self.hashing.hash({path: read[path] for path in read if path in waiting}, sink=sink, cancel=cancel)
        return []

    def _stored(self, path: str | Path) -> str:
        return self.records.database.stored(path)


def _belongs(glance: Glance) -> bool:
    """Whether a file gets a row: a LoRA, an embedding, or a pickle, of which nobody can say."""
    return glance.code == "unsafe_file" or (glance.code is None and glance.kind in {"lora", "embedding"})


def _lies_in(path: str, places: Sequence[str]) -> bool:
    return not places or any(path == place or path.startswith(f"{place}/") for place in places)
