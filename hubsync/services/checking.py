"""Is every file what it was, and is nothing there twice."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hubsync.domain import Installed
from hubsync.events import Sink
from hubsync.files.hashes import Hashes
from hubsync.services.hashing import HashService, hashed
from hubsync.store.records import Records
from hubsync.store.scanning import ScanRecords

Status = Literal["ok", "changed", "missing", "unknown"]
Kind = Literal["same_file", "same_lora", "same_stem", "alias_collision"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a file: `unknown` where nothing was known to compare with, or it cannot be read."""

    lora: Installed
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """LoRAs that are, or are called, the same."""

    kind: Kind
    loras: tuple[Installed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckService:
    """Checks one library. Nothing on disk is changed, and no hash that was known is replaced."""

    records: Records
    rows: ScanRecords
    hashing: HashService

    def verify(self, loras: Iterable[Installed], *, sink: Sink, cancel: threading.Event) -> list[Verdict]:
        """Hash files again and compare; of a file nobody hashed before the hashes are noted.

        Raises:
            Cancelled: `cancel` was set.
        """
        chosen = list(loras)
        here = {lora.path: lora.size for lora in chosen if lora.path.exists()}
        found = dict(hashed(here, sink=sink, cancel=cancel, doing="verifying"))
        for lora in chosen:
            if lora.sha256 is None and lora.path in found:
                self.hashing.note(lora.path, found[lora.path])
        return [Verdict(lora=lora, status=_status(lora, found, here)) for lora in chosen]

    def duplicates(self, *, sink: Sink, cancel: threading.Event) -> list[Duplicates]:
        """The same bytes, the same LoRA under another header, one stem twice, a stem that is another file's alias.

        Files of one size that nobody hashed yet are hashed for it.

        Raises:
            Cancelled: `cancel` was set.
        """
        waiting = self.rows.unhashed()
        sizes = Counter(lora.size for lora in self.records.all())
        self.hashing.hash({path: size for path, size in waiting.items() if sizes[size] > 1}, sink=sink, cancel=cancel)
        loras = [lora for lora in self.records.all() if not lora.missing]
        files = _alike("same_file", loras, lambda lora: lora.sha256)
        weights = [
            group
            for group in _alike("same_lora", loras, lambda lora: lora.autov3)
            if len({lora.sha256 for lora in group.loras}) > 1
        ]
        stems = _alike("same_stem", loras, lambda lora: lora.name.casefold())
        return [*files, *weights, *stems, *_aliases(loras)]


def _status(lora: Installed, found: Mapping[Path, Hashes], here: Collection[Path]) -> Status:
    if lora.path not in here:
        return "missing"
    if lora.sha256 is None or lora.path not in found:
        return "unknown"
    return "ok" if found[lora.path].sha256 == lora.sha256 else "changed"


def _alike(kind: Kind, loras: Sequence[Installed], key: Callable[[Installed], str | None]) -> list[Duplicates]:
    groups: dict[str | None, list[Installed]] = defaultdict(list)
    for lora in loras:
        groups[key(lora)].append(lora)
    return [Duplicates(kind=kind, loras=tuple(group)) for value, group in groups.items() if value and len(group) > 1]


def _aliases(loras: Sequence[Installed]) -> Iterator[Duplicates]:
    """AUTOMATIC1111 looks a tag up by alias as well: the first LoRA's card writes the other's name."""
    by_stem = defaultdict(list)
    for lora in loras:
        by_stem[lora.name].append(lora)
    for lora in loras:
        others = [other for other in by_stem.get(lora.alias or "", ()) if other.path != lora.path]
        if lora.alias != lora.name and others:
            yield Duplicates(kind="alias_collision", loras=(lora, *others))
