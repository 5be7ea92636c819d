"""Fetching one file: what it takes, what it says meanwhile, what comes of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hubsync.domain import Download
from hubsync.errors import BadBytes
from hubsync.files.hashes import Hashes
from hubsync.files.opening import disk_errors
from hubsync.files.transfer.part import Part
from hubsync.limiter import Limiter

if TYPE_CHECKING:
    import httpx2


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """How a download stands: bytes done and in all (None if unknown), bytes a second, seconds left, connections."""

    done: int
    total: int | None
    rate: float = 0.0
    eta: float | None = None
    connections: int = 0


Progress = Callable[[Flow], object]
"""Called at most ten times a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What came: the hashes of the whole file, bytes fetched now, and how many were here before."""

    hashes: Hashes
    size: int
    bytes_downloaded: int
    resumed_from: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Downloads files.

    check: raises the hub's own error for a refusal.
    retries: further tries in a row that bring nothing.
    connections: the most that one file gets; beyond its first it takes them from `spare`, which all downloads share.
    patience: seconds in which a connection must bring 1 KiB each, or counts as stalled.
    clock: seconds, for tests.
    """

    client: httpx2.Client
    limiter: Limiter
    check: Callable[[httpx2.Response], object]
    retries: int = 3
    connections: int = 16
    spare: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(16))
    patience: float = 10.0
    clock: Callable[[], float] = time.monotonic

    def fetch(
        self, download: Download, part: Part, *, progress: Progress, cancel: threading.Event, whole: bool = False
    ) -> Received:
        """Bring the file to `part`, going on with what is there; its hash is told, not judged.

        `whole` asks for it afresh on one connection: what came in pieces turned out wrong. The caller holds the part.

        Raises:
            Cancelled: `cancel` was set; what came stays.
            SizeMismatch, NotAModel, NotSafetensors: something else than a model came; nothing stays.
            NoSpace, NoPermission: the disk. HubsyncError: whatever the hub answered; what came stays.
        """
        from hubsync.files.transfer.job import Job

        if whole or download.sha256 is None:
            # Old and new bytes can only be told to belong together by the hash of the whole.
            part.discard()
        try:
            with disk_errors(part.data.parent):
                return Job(self, download, part, progress, cancel, 1 if whole else self.connections).run()
        except BadBytes:
            part.discard()
            raise
