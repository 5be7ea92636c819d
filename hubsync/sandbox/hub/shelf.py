"""The sandbox's files on disk, as blobs: what a catalogue names by its path under the data folder."""

from __future__ import annotations

import threading
from pathlib import Path

from hubsync.sandbox.hub.blobs import Blob
from hubsync.sandbox.hub.variants import scaled


class Shelf:
    """Finds files under a data folder and keeps one blob for each, so that nothing is hashed twice."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._blobs: dict[tuple[str, float], Blob] = {}

    def has(self, source: str) -> bool:
        """Whether a file is there."""
        return (self.root / source).is_file()

    def blob(self, source: str, strength: float = 1.0) -> Blob:
        """A file, or the same LoRA at another strength."""
        with self._lock:
            return self._blobs.setdefault((source, strength), self._make(source, strength))

    def others(self, named: frozenset[str]) -> list[str]:
        """The LoRA files nobody has named, as paths under the data folder in order of name."""
        found = (path.relative_to(self.root).as_posix() for path in (self.root / "loras").glob("*.safetensors"))
        return sorted(set(found) - named)

    def _make(self, source: str, strength: float) -> Blob:
        path = self.root / source
        return Blob(path) if strength == 1 else Blob(lambda: scaled(path.read_bytes(), strength))
