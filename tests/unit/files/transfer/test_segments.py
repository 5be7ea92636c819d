"""The map of a file: what is here, what is missing, how it is shared out."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from hubsync.files.transfer.segments import LEAST_PIECE, SegmentMap

_SIZE = 64 * LEAST_PIECE
_ranges = st.lists(st.tuples(st.integers(-10, _SIZE + 10), st.integers(-10, _SIZE + 10)), max_size=8)


def _covers(segments: SegmentMap) -> bool:
    """Whether the segments lie side by side from the first byte to the last."""
    edges = [(segment.start, segment.stop) for segment in segments.segments]
    return (
        edges[0][0] == 0 and edges[-1][1] == segments.size and all(a[1] == b[0] for a, b in itertools.pairwise(edges))
    )


@given(_ranges)
def test_any_ranges_make_a_map_of_the_whole(here: list[tuple[int, int]]) -> None:
    """Whatever a journal says, overlapping or absurd, every byte is either here or in one segment's missing part."""
    good = {byte for start, stop in here if 0 <= start < stop <= _SIZE for byte in range(start, stop, LEAST_PIECE // 4)}
    segments = SegmentMap(_SIZE, here)
    assert _covers(segments)
    assert all(any(one.start <= byte < one.position for one in segments.segments) for byte in good)
    assert segments.frontier <= segments.done <= _SIZE
    assert segments.complete == (segments.done == _SIZE)


@given(st.integers(1, 40), st.data())
def test_splitting_loses_no_byte(times: int, data: st.DataObject) -> None:
    """However often a file is split while bytes come in, its segments lie side by side and none is too small."""
    segments = SegmentMap(_SIZE)
    for _ in range(times):
        segment = data.draw(st.sampled_from(segments.segments))
        segment.position += data.draw(st.integers(0, segment.missing or 0))
        before = segments.done
        new = segments.split()
        assert new is None or (new.missing or 0) >= LEAST_PIECE
        assert segments.done == before
    assert _covers(segments)


def test_the_largest_missing_piece_is_split() -> None:
    """Whoever has most to do shares it."""
    segments = SegmentMap(_SIZE, [(0, 1), (_SIZE // 4, _SIZE // 2)])
    new = segments.split()
    assert new is not None
    assert (new.start, new.stop) == (_SIZE * 3 // 4, _SIZE)


def test_a_file_of_unknown_length_is_one_segment() -> None:
    """Until the end is known there is nothing to share."""
    segments = SegmentMap(None, [(0, 5)])
    assert (segments.split(), segments.complete, segments.done) == (None, False, 0)
    segments.segments[0].position = 7
    segments.end_at(7)
    assert (segments.complete, segments.frontier) == (True, 7)


def test_an_earlier_end_cuts_what_lies_beyond() -> None:
    """A server that announced too much is corrected."""
    segments = SegmentMap(_SIZE)
    for _ in range(3):
        segments.split()
    segments.end_at(_SIZE // 2 + 10)
    assert _covers(segments)


def test_a_refused_piece_goes_back_to_its_neighbour() -> None:
    """If nobody fetches it, whoever works before it does; once something of it is here, it stays its own."""
    segments = SegmentMap(_SIZE)
    first = segments.segments[0]
    first.owner = object()
    piece = segments.split()
    assert piece is not None
    segments.give_back(piece)
    assert (len(segments.segments), first.stop) == (1, _SIZE)
    piece = segments.split()
    assert piece is not None
    piece.position += 1
    segments.give_back(piece)
    assert len(segments.segments) == 2
