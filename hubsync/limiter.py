"""One limiter for the whole process: how many questions a host gets at once, and when a busy host is asked again."""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LONGEST_WAIT = 60.0
"""Seconds hubsync waits because a hub says so; where more is asked, it gives up at once and says how long."""

_AT_ONCE = 8  # a browser opens six connections a host; neither hub publishes a limit


def host_of(url: str) -> str:
    """Host and port of an address, without what may stand before them: what limits are kept for."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


@dataclass(slots=True)
class _Host:
    """What is known of one host. `until` is when it may be asked again, `since` when that was last decided."""

    turns: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(_AT_ONCE))
    until: float = float("-inf")
    since: float = float("-inf")
    failures: int = 0


class Limiter:
    """Shared by every thread that asks a hub or downloads; hosts are told apart by name and port.

    A host in trouble is left alone by all until the wait it asks for is over, or else 1, 2, 4, … times `first`
    seconds with jitter. `sleep`, `clock` and `jitter` (0 to 1) are for tests.
    """

    def __init__(
        self,
        *,
        first: float = 1.0,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._first, self._sleep, self._clock, self._jitter = first, sleep, clock, jitter
        self._lock = threading.Lock()
        self._hosts: defaultdict[str, _Host] = defaultdict(_Host)

    @contextmanager
    def turn(self, host: str) -> Iterator[float]:
        """Wait until the host may be asked, then hold one of its places; gives the time the question began."""
        with self._lock:
            known = self._hosts[host]
        with known.turns:
            seen = None
            # A wait that grew meanwhile is kept too.
            while (until := known.until) != seen and (left := until - self._clock()) > 0:
                self._sleep(left)
                seen = until
            yield self._clock()

    def delay(self, host: str) -> float:
        """Seconds until the host may be asked again, 0 if now."""
        with self._lock:
            return max(0.0, self._hosts[host].until - self._clock())

    def now(self) -> float:
        """The time, as `busy` wants to be told when a question began."""
        return self._clock()

    def busy(self, host: str, *, began: float, asked: float | None = None) -> None:
        """A question that began then came to nothing; `asked` is the wait the host wants, in seconds.

        Questions that were under way together count as one failure: ten threads must not wait 2 to the 10th seconds.
        """
        with self._lock:
            known, now = self._hosts[host], self._clock()
            if began >= known.since:
                known.failures += 1
                known.since = now
            wait = self._first * 2.0 ** (known.failures - 1) if asked is None else asked
            # Jitter keeps clients that failed together from coming back together.
            known.until = max(known.until, now + min(wait, LONGEST_WAIT) + self._first * self._jitter())

    def well(self, host: str, *, began: float) -> None:
        """A question that began then was answered: whatever trouble there was before is over."""
        with self._lock:
            known = self._hosts[host]
            if began >= known.since:
                known.failures, known.until = 0, float("-inf")
