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

from hubsync.errors import HubError, RateLimited, Unreachable

LONGEST_WAIT = 60.0
"""Seconds hubsync waits because a hub says so; where more is asked, it gives up at once and says how long."""

_AT_ONCE = 8  # a browser opens six connections a host; neither hub publishes a limit


def host_of(url: str) -> str:
    """Host and port of an address, without what may stand before them: what limits are kept for."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


@dataclass(slots=True)
class _Host:
    """What is known of one host. `until` is when it may be asked again, `since` when that was last decided.

    `asked` tells that the host itself wants to be left alone until then.
    """

    turns: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(_AT_ONCE))
    until: float = float("-inf")
    since: float = float("-inf")
    failures: int = 0
    asked: bool = False


class Limiter:
    """Shared by every thread that asks a hub or downloads; hosts are told apart by name and port.

    A host in trouble is left alone by all until the wait it asks for is over, or else 1, 2, 4, … times `first`
    seconds with jitter; that begins anew when nobody was waiting for it. `sleep`, `clock` and `jitter` (0 to 1) are
    for tests.
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
    def turn(self, host: str, *, patience: float | None = None) -> Iterator[float]:
        """Wait until the host may be asked, then hold one of its places; gives the time the question began.

        Raises:
            HubError: that would be longer than `patience` seconds.
        """
        with self._lock:
            known = self._hosts[host]
        with known.turns:
            seen = None
            # A wait that grew meanwhile is kept too.
            while (until := known.until) != seen and (left := until - self._clock()) > 0:
                if patience is not None and left > patience:
                    raise _left_alone(host, left, asked=known.asked)
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
                # Whoever waited asks as soon as the wait is over: a later question goes on with no series of tries.
                known.failures = 1 if began > known.until + self._first else known.failures + 1
                known.since = now
            wait = self._first * 2.0 ** (known.failures - 1) if asked is None else asked
            # Jitter keeps clients that failed together from coming back together.
            until = now + min(wait, LONGEST_WAIT) + self._first * self._jitter()
            if until > known.until:
                # A wait the host asked for is not forgotten because it then failed as well.
                known.asked = asked is not None or (known.asked and known.until > now)
                known.until = until

    def well(self, host: str, *, began: float) -> None:
        """A question that began then was answered: whatever trouble there was before is over."""
        with self._lock:
            known = self._hosts[host]
            if began >= known.since:
                known.failures, known.until = 0, float("-inf")

    def forget(self) -> None:
        """Somebody wants to know now: hosts that failed may be asked at once, but for those that asked for a wait."""
        with self._lock:
            for known in self._hosts.values():
                if not known.asked:
                    known.failures, known.until = 0, float("-inf")


def _left_alone(host: str, left: float, *, asked: bool) -> HubError:
    """Why a host is not asked now."""
    again = f"it is asked again in {left:.0f} s"
    if asked:
        return RateLimited(f"{host} asks for fewer requests: {again}", retry_after=left)
    return Unreachable(f"{host} did not answer: {again}", retry_after=left)
