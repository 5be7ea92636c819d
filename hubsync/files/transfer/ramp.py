"""How many connections one download is worth: one at first, four times as many as long as that makes it faster."""

from __future__ import annotations

from dataclasses import dataclass

_WINDOW = 0.045  # seconds a number of connections is measured for
_STEP = 4
_HELPS = 1.3  # four times the connections must bring at least this much more: less is noise, or a full line
_WORTH = 0.5  # seconds the rest must still take: opening a connection costs two or three round trips


@dataclass(slots=True)
class Ramp:
    """Decides while a download runs; `most` is the user's cap."""

    most: int
    wanted: int = 1
    settled: bool = False
    _rate: float = 0.0
    _mark: tuple[float, int] | None = None

    def observe(self, *, now: float, done: int, flowing: int, missing: int) -> None:
        """Take in that `done` bytes are here at `now` seconds, on `flowing` connections that bring bytes."""
        if self.settled or flowing < self.wanted:
            self._mark = None
            return
        if self._mark is None:
            self._mark = (now, done)
            return
        seconds = now - self._mark[0]
        if seconds < _WINDOW:
            return
        rate = (done - self._mark[1]) / seconds
        self._mark = None
        if rate < self._rate * _HELPS:
            self.back_off(self.wanted // _STEP)
        elif missing < rate * _WORTH or self.wanted >= self.most:
            self.settled = True
        else:
            self._rate, self.wanted = rate, min(self.most, self.wanted * _STEP)

    def back_off(self, wanted: int) -> None:
        """More connections than that do not help, or are refused."""
        self.wanted, self.settled = max(1, wanted), True
