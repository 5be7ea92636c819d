"""A download under way: one thread that decides, hashes and tells, and one for each connection."""

from __future__ import annotations

import os
import threading

from hubsync.domain import Download
from hubsync.errors import AccessDenied, BadBytes, Cancelled, HubsyncError, NotFound, UnexpectedResponse, Unreachable
from hubsync.files.hashes import Hasher
from hubsync.files.transfer.connection import Connection
from hubsync.files.transfer.content import ENOUGH, check_start
from hubsync.files.transfer.meter import Meter
from hubsync.files.transfer.part import Part
from hubsync.files.transfer.ramp import Ramp
from hubsync.files.transfer.reception import Beyond, Changed, Reception, Whole
from hubsync.files.transfer.segments import Segment
from hubsync.files.transfer.stream import Broken
from hubsync.files.transfer.threads import spawn
from hubsync.files.transfer.transfer import Progress, Received, Transfer
from hubsync.files.transfer.troubles import Troubles
from hubsync.limiter import host_of

_TICK = 0.005  # seconds between two looks at the connections
_BLOCK = 4 << 20  # hashed before looking again: 4 MiB take 3 ms
_CHECKPOINT_BYTES = 32 << 20
# What storage answers when a signed address is no longer good: it has to be asked for anew.
_EXPIRED = (AccessDenied, NotFound, UnexpectedResponse)


class Job:
    """The state of one download, and the loop that carries it on."""

    def __init__(
        self, transfer: Transfer, download: Download, part: Part, progress: Progress, cancel: threading.Event, most: int
    ) -> None:
        self._transfer, self._download, self._part, self._cancel = transfer, download, part, cancel
        self._limiter = transfer.limiter
        self._connections: list[Connection] = []
        self._bell = threading.Event()
        self._hasher = Hasher(autov3=download.autov3)
        self._block = memoryview(bytearray(min(_BLOCK, download.size or _BLOCK)))
        self._ramp = Ramp(most)
        self._meter = Meter(progress, transfer.clock)
        self._troubles = Troubles(limiter=transfer.limiter, retries=transfer.retries, patience=transfer.patience)
        self._reception = Reception(transfer, download, part)
        self._file = part.data.open("r+b", buffering=0)
        self._signed = ""
        self._expired: set[str] = set()
        self._ranges = True
        self._restarts = 0
        self._saved = self._reception.map.done
        self._saving = spawn(lambda: None)

    def run(self) -> Received:
        """Fetch what is missing; the end of the file is on disk when this returns."""
        resumed = self._reception.map.done
        with self._file:
            try:
                while not self._is_finished():
                    self._step()
            finally:
                self._close()
        self._tell(force=True)
        return Received(
            hashes=self._hasher.result(),
            size=self._hasher.done,
            bytes_downloaded=self._reception.received,
            resumed_from=0 if self._restarts else resumed,
        )

    def _close(self) -> None:
        self._stop_all()
        self._hasher.close()
        self._saving.exception()  # waits for it; what it failed of fails again here
        try:
            self._save()
        finally:
            self._reception.journal.close()

    def _is_finished(self) -> bool:
        segments = self._reception.map
        return segments.complete and self._hasher.done == segments.size

    def _step(self) -> None:
        if self._cancel.is_set():
            raise Cancelled
        while over := next((one for one in self._connections if one.ended.done()), None):
            self._drop(over)
            self._settle(over)
        self._staff()
        behind = self._hash()
        self._look()
        if not behind:
            self._bell.wait(_TICK)
            self._bell.clear()

    def _staff(self) -> None:
        """Open connections up to the number that is worth it."""
        segments = self._reception.map
        if not self._ranges and not self._connections and segments.done and not segments.complete:
            self._start_over(Whole())
            segments = self._reception.map
        url = self._signed or self._download.url
        most = self._ramp.wanted if self._ranges else 1
        while len(self._connections) < most and not self._limiter.delay(host_of(url)):
            idle = (one for one in segments.segments if not one.complete and one.owner is None)
            extra = bool(self._connections)
            if extra and not self._transfer.spare.acquire(blocking=False):
                return
            segment = next(idle, None) or segments.split()
            if segment is None:
                if extra:
                    self._transfer.spare.release()
                return
            self._open(segment, url, extra=extra)

    def _drop(self, connection: Connection) -> None:
        self._connections.remove(connection)
        if connection.extra:
            self._transfer.spare.release()

    def _stop_all(self) -> None:
        for connection in tuple(self._connections):
            connection.stop()
            self._drop(connection)

    def _open(self, segment: Segment, url: str, *, extra: bool) -> None:
        reception = self._reception
        line, began = reception.journal.line(), self._limiter.now()
        connection = Connection(segment=segment, url=url, line=line, began=began, extra=extra)
        self._connections.append(connection)
        connection.start(reception.fetch, then=self._bell.set)

    def _settle(self, connection: Connection) -> None:
        """A connection is over: nothing to do if it brought its segment."""
        segment = connection.segment
        segment.owner = None
        error = connection.ended.exception()
        if connection.stalled:
            self._stalled(connection)
        elif error is None:
            self._limiter.well(host_of(connection.host), began=connection.began)
        elif isinstance(error, Changed):
            self._start_over(error)
        elif isinstance(error, Whole):
            self._ranges = False
            self._reception.map.give_back(segment)
        elif isinstance(error, Beyond):
            self._end_at(connection, error)
        else:
            self._trouble(connection, error)

    def _end_at(self, connection: Connection, error: Beyond) -> None:
        """The end is nearer than was said; a server that says otherwise of a place before it is in trouble."""
        if error.size is not None and error.size < self._hasher.done:
            self._start_over(Changed())
            return
        try:
            self._reception.end_at(error.size)
        except Broken as broken:
            self._trouble(connection, broken)
            return
        if connection.segment in self._reception.map.segments and not connection.segment.complete:
            self._trouble(connection, Broken("the server has no bytes where some should be"))

    def _stalled(self, connection: Connection) -> None:
        if self._connections:
            self._ramp.back_off(len(self._connections))
            self._reception.map.give_back(connection.segment)
        else:
            self._troubles.stalled(connection, self._transfer.clock())

    def _trouble(self, connection: Connection, error: BaseException) -> None:
        """A connection failed. What is no fault of the line is raised; one that brought nothing was too many."""
        passes = isinstance(error, HubsyncError) and error.passes
        if not passes and not isinstance(error, (Broken, *_EXPIRED)):
            raise error
        if connection.url != self._download.url and isinstance(error, _EXPIRED):
            self._signed = ""
            self._expired.add(connection.url)
        elif self._connections:
            if not connection.brought:
                self._ramp.back_off(len(self._connections))
                self._reception.map.give_back(connection.segment)
        elif not self._is_all():
            self._troubles.broke(connection, error, self._reception.map.done)

    def _is_all(self) -> bool:
        """Whether what is here is the file, though the server announced more: its hash tells."""
        while self._hash():
            pass
        segments, sha256 = self._reception.map, self._download.sha256
        if not sha256 or self._hasher.done != segments.done or self._hasher.result().sha256 != sha256.lower():
            return False
        segments.end_at(self._hasher.done)
        return True

    def _start_over(self, why: Changed | Whole) -> None:
        """What is here is of no use.

        Raises:
            Unreachable: that happened too often.
        """
        self._restarts += 1
        if self._restarts > self._transfer.retries:
            what = "the file changed while it came" if isinstance(why, Changed) else "the connection broke"
            raise Unreachable(
                f"{what}, {self._restarts} times, and {host_of(self._download.url)} cannot go on in the middle",
                hint="try again later",
            )
        self._stop_all()
        self._reception.start_over()
        self._hasher.close()
        self._hasher = Hasher(autov3=self._download.autov3)

    def _hash(self) -> bool:
        """Hash what is here without a gap; whether there is more of it."""
        segments = self._reception.map
        frontier = segments.frontier
        if self._hasher.done == 0 and not self._has_good_start(frontier):
            return False
        wanted = min(_BLOCK, frontier - self._hasher.done)
        if wanted <= 0:
            return False
        self._file.seek(self._hasher.done)
        came = self._file.readinto(self._block[:wanted])
        self._hasher.update(self._block[:came])
        return frontier > self._hasher.done

    def _has_good_start(self, frontier: int) -> bool:
        """Whether enough is here to tell that it may be the model. One bad start is forgiven: a proxy's, mostly.

        Raises:
            NotAModel, NotSafetensors: it is something else.
        """
        if frontier < ENOUGH and not self._reception.map.complete:
            return False
        self._file.seek(0)
        try:
            check_start(self._file.read(min(ENOUGH, frontier)), safetensors=self._download.safetensors)
        except BadBytes:
            if self._restarts:
                raise
            self._start_over(Changed())
            return False
        return True

    def _look(self) -> None:
        """Tell how it stands, notice what stalls, decide about more connections."""
        now, segments = self._transfer.clock(), self._reception.map
        flowing = [one for one in self._connections if one.stream is not None]
        for connection in flowing:
            connection.watch(now, patience=self._transfer.patience)
            if connection.stream is not None and connection.stream.url not in self._expired:
                self._signed = connection.stream.url
        self._tell()
        if segments.size is not None and self._ranges:
            done = segments.done
            self._ramp.observe(now=now, done=done, flowing=len(flowing), missing=segments.size - done)
        least = 1 if segments.complete else _CHECKPOINT_BYTES
        if self._saving.done() and segments.done - self._saved >= least:
            # In a thread: the disk writes while more comes or is hashed, and little is left to wait for at the end.
            self._saved = segments.done
            self._saving = spawn(self._save)

    def _save(self) -> None:
        """Make what is here survive a power cut: the bytes first, then what says they are here."""
        os.fsync(self._file.fileno())
        self._reception.journal.sync()

    def _tell(self, *, force: bool = False) -> None:
        segments = self._reception.map
        self._meter.tell(segments.done, segments.size, len(self._connections), force=force)
