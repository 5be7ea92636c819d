"""One segment being fetched on one connection, in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from hubsync.files.transfer.segments import Segment
from hubsync.files.transfer.stream import Stream
from hubsync.files.transfer.threads import spawn

_SLOWEST = 1024  # bytes a second: a line that slow would take a day for a LoRA of 100 MB


@dataclass(slots=True, eq=False, kw_only=True)
class Connection:
    """A thread and its segment. `line` is the segment's line in the journal, `began` the limiter's time.

    `extra` tells that the file had another one already. `url` is what it asks, `host` an address of whoever answered:
    storage, where the hub redirects there.

    The thread is a daemon: nobody waits for one that hangs in a silent server, and one whose segment was taken away
    writes no more.
    """

    segment: Segment
    url: str
    line: int
    began: float
    extra: bool
    host: str = ""
    stream: Stream | None = None
    stalled: bool = False
    mark: tuple[float, int] | None = None
    first: int = 0
    ended: Future[None] = field(default_factory=Future)

    def start(self, work: Callable[[Connection], None], *, then: Callable[[], object]) -> None:
        """Do `work` in a thread; `then` is called from there when it ended, well or not."""
        self.segment.owner = self
        self.first = self.segment.position
        self.host = self.url
        self.ended = spawn(lambda: work(self), then=then)

    @property
    def brought(self) -> int:
        """Bytes that came on it."""
        return self.segment.position - self.first

    def stop(self) -> None:
        """Take the segment away and wake the thread; what it still receives is dropped."""
        with self.segment.lock:
            if self.segment.owner is self:
                self.segment.owner = None
        if self.stream is not None and not self.ended.done():
            self.stream.abort()

    def watch(self, now: float, *, patience: float) -> None:
        """Stop it if it brought less than 1 KiB a second for `patience` seconds; it is `stalled` then."""
        if self.stream is None or self.stalled:
            return
        since, position = self.mark or (now, self.segment.position)
        if now - since >= patience:
            if self.segment.position - position < patience * _SLOWEST:
                self.stalled = True
                self.stop()
            since, position = now, self.segment.position
        self.mark = (since, position)
