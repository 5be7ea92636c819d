"""How fast a download is, told as often as a face can show it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from hubsync.files.transfer.transfer import Flow, Progress

_TELL_SECONDS = 0.1  # ten events a second a file are enough for any face
_MEMORY_SECONDS = 3.0  # the rate is that of the last seconds: a burst must not promise a wrong end


@dataclass(slots=True)
class Meter:
    """Tells `progress`, by `clock` in seconds."""

    progress: Progress
    clock: Callable[[], float]
    _samples: deque[tuple[float, int]] = field(default_factory=deque)
    _told: float = float("-inf")

    def tell(self, done: int, total: int | None, connections: int, *, force: bool = False) -> None:
        """Say how it stands, unless that was said just now."""
        now = self.clock()
        if not force and now - self._told < _TELL_SECONDS:
            return
        self._told = now
        if self._samples and done < self._samples[-1][1]:
            self._samples.clear()  # it started over
        self._samples.append((now, done))
        while now - self._samples[0][0] > _MEMORY_SECONDS:
            self._samples.popleft()
        began, before = self._samples[0]
        rate = (done - before) / (now - began) if now > began else 0.0
        eta = (total - done) / rate if rate and total is not None else None
        self.progress(Flow(done=done, total=total, rate=rate, eta=eta, connections=connections))
