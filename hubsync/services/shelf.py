"""Where an entry is kept: its row in the library, and the sidecars that show other tools what hubsync knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hubsync.domain import Entry, Installed, WordSource
from hubsync.errors import NotFound
from hubsync.files import sidecars
from hubsync.files.walking import stamp_of
from hubsync.prompts.sources import resolved, said_by
from hubsync.store.records import Records


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Keeps entries. `sidecars` False leaves the disk alone; the library remembers all the same."""

    records: Records
    sidecars: bool

    def change(
        self, path: Path, change: Callable[[Entry], Entry], *, info: Mapping[str, Any] | None = None
    ) -> Installed:
        """Keep what `change` makes of an entry; nobody else changes it meanwhile.

        Raises:
            NotFound: no LoRA of the library lies at `path`. Else as `keep`.
        """
        with self.records.alone():
            entry = self.records.entry(path)
            if entry is None:
                raise NotFound(f"{path} is not in the library", hint="hubsync scan")
            return self.keep(change(entry), info=info)

    def keep(self, entry: Entry, *, info: Mapping[str, Any] | None = None) -> Installed:
        """Write the sidecars, then the row, so that a user's words are on disk before the database says so.

        `info` is a Civitai version for `.civitai.info`, which is written only where there is none.

        Raises:
            NoSpace, NoPermission: a sidecar cannot be written. DatabaseTrouble: the row cannot.
        """
        entry = resolved(entry)
        path = entry.lora.path
        if self.sidecars and path.exists():
            user = said_by(entry.statements, WordSource.USER)
            written = sidecars.write(entry.lora, user=user, before=entry.written, description=entry.description)
            if info is not None:
                sidecars.write_info(path, info)
            entry = replace(entry, written=written)
        if path.exists():
            entry = replace(entry, stamp=stamp_of(path))
        return self.records.save(entry)
