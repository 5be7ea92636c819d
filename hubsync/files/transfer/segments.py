"""Which bytes of a file are here and who fetches the rest: a partition of it into segments. No disk, no network."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

LEAST_PIECE = 1 << 20
"""Bytes below which a piece is not worth a connection of its own."""


@dataclass(slots=True, eq=False)
class Segment:
    """The bytes from `start` up to `stop` (None: to the end, wherever that is); up to `position` they are here.

    `owner` is who fetches it, the only one who may write. `lock` is held while it writes; whoever takes it may shrink
    the rest, or take the segment away.
    """

    start: int
    position: int
    stop: int | None = None
    owner: object = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def missing(self) -> int | None:
        """Bytes still to come; None while nobody knows."""
        return None if self.stop is None else self.stop - self.position

    @property
    def complete(self) -> bool:
        """Whether every byte is here."""
        return self.stop is not None and self.position >= self.stop


class SegmentMap:
    """The segments of one file, in order. `size` is its length in bytes, None while unknown."""

    def __init__(self, size: int | None, here: Iterable[tuple[int, int]] = ()) -> None:
        """A map in which the ranges `here`, start and stop, are done and everything else is missing."""
        self.size = size
        self.segments = list(_partition(size, here))

    @property
    def done(self) -> int:
        """Bytes that are here."""
        return sum(segment.position - segment.start for segment in self.segments)

    @property
    def complete(self) -> bool:
        """Whether the whole file is here."""
        return all(segment.complete for segment in self.segments)

    @property
    def frontier(self) -> int:
        """How many bytes are here from the start of the file without a gap."""
        reached = 0
        for segment in self.segments:
            reached = segment.position
            if not segment.complete:
                break
        return reached

    def end_at(self, size: int) -> None:
        """The file turns out to be `size` bytes long: nothing is missing beyond."""
        self.size = size
        self.segments = [segment for segment in self.segments if segment.start < size] or self.segments[:1]
        for segment in self.segments:
            with segment.lock:
                segment.position = min(segment.position, size)
                segment.stop = size if segment.stop is None else min(segment.stop, size)
        last = self.segments[-1]
        with last.lock:
            last.stop = size

    def split(self) -> Segment | None:
        """The second half of the largest missing piece as a segment of its own; None where none is worth it."""
        largest = max(self.segments, key=lambda segment: segment.missing or 0)
        with largest.lock:
            stop, missing = largest.stop, largest.missing
            if stop is None or missing is None or missing < 2 * LEAST_PIECE:
                return None
            middle = stop - missing // 2
            largest.stop = middle
        segment = Segment(middle, middle, stop)
        self.segments.insert(self.segments.index(largest) + 1, segment)
        return segment

    def give_back(self, segment: Segment) -> None:
        """Nobody fetches a segment: if nothing of it is here, the one before takes it over."""
        index = self.segments.index(segment)
        if index == 0 or segment.position > segment.start:
            return
        before = self.segments[index - 1]
        with before.lock:
            if before.owner is not None and not before.complete:
                before.stop = segment.stop
                self.segments.remove(segment)


def _partition(size: int | None, here: Iterable[tuple[int, int]]) -> Iterator[Segment]:
    """Segments that start with what is here and go up to where the next piece of it begins."""
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(here):
        if size is None or not 0 <= start < stop <= size:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
        else:
            merged.append((start, stop))
    if not merged or merged[0][0] > 0:
        merged.insert(0, (0, 0))
    for index, (start, stop) in enumerate(merged):
        following = merged[index + 1][0] if index + 1 < len(merged) else size
        yield Segment(start, stop, following)
