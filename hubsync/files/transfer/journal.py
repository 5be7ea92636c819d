"""What is known of a part file: what it is a part of, and which bytes of it are here.

A line of JSON, padded so that it can be rewritten in place, then a line for each segment, written by whoever fetches
it after every block: one small write, which a kill cannot tear, so that nothing that arrived is fetched twice.
No address is kept: signed ones are secrets, and others are asked for anew.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path

_HEAD = 1024
_LINE = 34  # two numbers of 16 hex digits, a space, a line end
_LONGEST_VALIDATOR = 256
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The whole that a part belongs to. `validator` is its strong ETag, `size` its length in bytes."""

    sha256: str | None
    size: int | None = None
    validator: str = ""

    def head(self) -> bytes:
        """The padded first line."""
        facts = {"format": _FORMAT, "sha256": self.sha256, "size": self.size, "validator": self.validator}
        return json.dumps(facts).encode().ljust(_HEAD - 1) + b"\n"


class Journal:
    """The journal of one part file, open for writing by all who fetch its segments."""

    def __init__(self, path: Path, known: Known, *, lines: int) -> None:
        """Go on after `lines` lines that stay true; with none, begin anew."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("r+b" if lines else "w+b", buffering=0)
        self._lock = threading.Lock()
        self._lines = lines
        self.learn(known)

    def learn(self, known: Known) -> None:
        """Write down what the file is."""
        if len(known.validator) <= _LONGEST_VALIDATOR:
            self._write(0, known.head())

    def line(self) -> int:
        """A line for a segment, to be given to `note`."""
        self._lines += 1
        return self._lines - 1

    def note(self, line: int, start: int, position: int) -> None:
        """The bytes from `start` up to `position` are in the part file."""
        self._write(_HEAD + line * _LINE, b"%016x %016x\n" % (start, position))

    def sync(self) -> None:
        """Make it survive a power cut; the part file must have been synced before."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    def _write(self, offset: int, line: bytes) -> None:
        with self._lock:
            self._file.seek(offset)
            self._file.write(line)


def read_journal(path: Path) -> tuple[Known, list[tuple[int, int]]]:
    """What a journal says, and the ranges it says are here; of a missing or damaged one, nothing."""
    nothing = Known(sha256=None)
    try:
        content = path.read_bytes()
        facts = json.loads(content[:_HEAD])
        if facts["format"] != _FORMAT:
            return nothing, []
        known = Known(sha256=facts["sha256"], size=facts["size"], validator=facts["validator"])
        lines = content[_HEAD:].decode("ascii").split("\n")
        ranges = [(int(start, 16), int(stop, 16)) for start, stop in (line.split(" ") for line in lines if line)]
    except (OSError, ValueError, KeyError, TypeError):
        return nothing, []
    return known, ranges
