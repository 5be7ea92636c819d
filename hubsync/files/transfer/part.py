"""A file that is not all here yet: its bytes, its journal, and the lock of whoever fetches it.

All three are named after what the file is, not after what it will be called, so that any later command for the same
file goes on with it. The bytes lie where the file will, for a rename cannot leave a file system.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hubsync.errors import Cancelled
from hubsync.files.opening import disk_errors
from hubsync.files.transfer.journal import read_journal
from hubsync.files.transfer.segments import SegmentMap

SUFFIX = ".part"
_KEY_DIGITS = 16
_LOOK_SECONDS = 0.2  # how often a process looks whether another one is done


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Where the three lie. `lock` outlives them while anybody waits for it."""

    data: Path
    journal: Path
    lock: Path

    @classmethod
    def of(cls, identity: str, *, folder: Path, state: Path) -> Part:
        """The part of a file that will lie in `folder`; `identity` is its SHA-256, else its reference."""
        key = hashlib.sha256(identity.lower().encode()).hexdigest()[:_KEY_DIGITS]
        return cls(
            data=folder / f".hubsync-{key}{SUFFIX}", journal=state / f"{key}.journal", lock=state / f"{key}.lock"
        )

    @property
    def done(self) -> int:
        """Bytes that are here, as the journal says and the next run will find."""
        if not self.data.exists():
            return 0
        known, here = read_journal(self.journal)
        return SegmentMap(known.size, here).done

    def discard(self) -> None:
        """Forget the bytes and the journal."""
        self.data.unlink(missing_ok=True)
        self.journal.unlink(missing_ok=True)

    @contextmanager
    def held(self, cancel: threading.Event, *, waiting: Callable[[], object]) -> Iterator[None]:
        """Be the only one who fetches this file; `waiting` is called once if somebody else does already.

        Raises:
            Cancelled: `cancel` was set while waiting.
            NoSpace, NoPermission: the lock cannot be made.
        """
        from filelock import FileLock, Timeout

        lock, told = FileLock(self.lock), False
        while True:
            try:
                with disk_errors(self.lock.parent):
                    self.lock.parent.mkdir(parents=True, exist_ok=True)
                    lock.acquire(blocking=False)
                break
            except Timeout:
                if not told:
                    waiting()
                told = True
            if cancel.wait(_LOOK_SECONDS):
                raise Cancelled
        try:
            yield
        finally:
            lock.release()

    @property
    def busy(self) -> bool:
        """Whether somebody fetches it now."""
        from filelock import FileLock, Timeout

        if not self.lock.exists():
            return False
        try:
            with FileLock(self.lock).acquire(blocking=False):
                return False
        except Timeout:
            return True
