"""The journal of a part file: read back as written, at any moment of its life."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hubsync.files.transfer import Part
from hubsync.files.transfer.journal import Journal, Known, read_journal

KNOWN = Known(sha256="ab" * 32, size=1000, validator='"v1"')
_spots = st.integers(0, 2**60)


@given(st.lists(st.lists(st.tuples(_spots, _spots), min_size=1, max_size=4), max_size=6))
def test_what_is_written_is_read(segments: list[list[tuple[int, int]]]) -> None:
    """The last note of each line counts, whatever was noted before it."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deep" / "journal"
        journal = Journal(path, KNOWN, lines=0)
        for notes in segments:
            line = journal.line()
            for start, stop in notes:
                journal.note(line, start, stop)
        assert read_journal(path) == (KNOWN, [notes[-1] for notes in segments])
        journal.close()


def test_another_run_goes_on_below(tmp_path: Path) -> None:
    """What an earlier run noted stays true; what is learned later replaces the head only."""
    path = tmp_path / "journal"
    first = Journal(path, Known(sha256=None), lines=0)
    first.note(first.line(), 0, 10)
    first.close()
    second = Journal(path, KNOWN, lines=1)
    second.note(second.line(), 20, 30)
    second.sync()
    second.close()
    assert read_journal(path) == (KNOWN, [(0, 10), (20, 30)])


def test_an_absurd_validator_is_not_kept(tmp_path: Path) -> None:
    """A hostile ETag cannot push the lines out of place."""
    path = tmp_path / "journal"
    journal = Journal(path, Known(sha256=None), lines=0)
    journal.note(journal.line(), 0, 10)
    journal.learn(Known(sha256=None, validator='"' + "x" * 5000 + '"'))
    journal.close()
    assert read_journal(path) == (Known(sha256=None), [(0, 10)])


def test_there_is_nothing_where_nothing_is(tmp_path: Path) -> None:
    """A missing journal knows nothing."""
    assert read_journal(tmp_path / "none") == (Known(sha256=None), [])


def test_a_part_is_named_after_what_it_is_of(tmp_path: Path) -> None:
    """Any later command for the same bytes finds it, whatever name they will get; other bytes never do."""
    one, same, other = (Part.of(key, folder=tmp_path, state=tmp_path) for key in ("AB", "ab", "cd"))
    assert one == same
    assert {one.data, one.journal, one.lock}.isdisjoint({other.data, other.journal, other.lock})


def test_what_several_runs_noted_counts_once(tmp_path: Path) -> None:
    """A run that went on from the start of a segment notes the earlier bytes again: they are here once."""
    part = Part.of("ab", folder=tmp_path, state=tmp_path)
    part.data.write_bytes(bytes(70))
    journal = Journal(part.journal, KNOWN, lines=0)
    for position in (30, 70):
        journal.note(journal.line(), 0, position)
    journal.close()
    assert part.done == 70
