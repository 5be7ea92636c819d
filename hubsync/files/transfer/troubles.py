"""When a download that goes badly is given up: after tries in a row that bring nothing, or stalls without a pause."""

from __future__ import annotations

from dataclasses import dataclass

from hubsync.errors import HubError, HubsyncError, Unreachable
from hubsync.files.transfer.connection import Connection
from hubsync.limiter import LONGEST_WAIT, Limiter, host_of

_GAIN = 1 << 16  # bytes that make a broken try a good one
_MOST_STALLS = 2


@dataclass(slots=True, kw_only=True)
class Troubles:
    """What went wrong so far; `patience` in seconds as in `Transfer`."""

    limiter: Limiter
    retries: int
    patience: float
    _strikes: int = 0
    _best: int = 0
    _stalls: int = 0
    _calm_since: float | None = None

    def broke(self, connection: Connection, error: BaseException, done: int) -> None:
        """The only connection ended early, with `done` bytes here; the limiter learns when the next one may begin.

        Raises:
            HubsyncError: it is no use to go on.
        """
        asked = error.retry_after if isinstance(error, HubError) else None
        if isinstance(error, HubsyncError) and not error.passes:
            raise error
        gained = done >= self._best + _GAIN
        self._best = max(done, self._best)
        self._strikes = 0 if gained else self._strikes + 1
        if self._strikes > self.retries or (asked or 0) > LONGEST_WAIT:
            raise error if isinstance(error, HubsyncError) else _broken(connection, error, done) from error
        if asked is not None or not gained:
            self.limiter.busy(host_of(connection.host), began=connection.began, asked=asked)

    def stalled(self, connection: Connection, now: float) -> None:
        """The only connection brought next to nothing for `patience` seconds.

        Raises:
            Unreachable: that happened again and again, with no time of flow between.
        """
        if self._calm_since is not None and now - self._calm_since > 3 * self.patience:
            self._stalls = 0
        self._calm_since = now
        self._stalls += 1
        if self._stalls > _MOST_STALLS:
            raise Unreachable(
                f"{host_of(connection.host)} sends next to nothing: less than 1 KiB a second",
                hint="run it again later: it goes on from there",
            )


def _broken(connection: Connection, error: BaseException, done: int) -> Unreachable:
    return Unreachable(
        f"the connection to {host_of(connection.host)} broke after {done:,} bytes ({error})",
        hint="run it again: it goes on from there",
    )
