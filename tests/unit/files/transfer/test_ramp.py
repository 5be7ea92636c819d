"""How many connections are opened, on lines of every kind."""

from __future__ import annotations

import pytest

from hubsync.files.transfer.ramp import Ramp

_MB = 1_000_000


def _after(most: int, *, a_connection: float, line: float, size: float = 400 * _MB, seconds: float = 3.0) -> Ramp:
    """The decisions of some seconds, at `a_connection` bytes a second each and `line` in all."""
    ramp, done, now = Ramp(most), 0.0, 0.0
    while now < seconds and done < size:
        flowing = ramp.wanted
        done += min(line, flowing * a_connection) * 0.01
        now += 0.01
        ramp.observe(now=now, done=int(done), flowing=flowing, missing=int(size - done))
    return ramp


def test_a_throttled_server_gets_all_that_are_allowed() -> None:
    """Where each connection is slow and the line is not, more are opened up to the cap."""
    assert _after(16, a_connection=20 * _MB, line=1000 * _MB).wanted == 16
    assert _after(10, a_connection=20 * _MB, line=1000 * _MB).wanted == 10


def test_a_full_line_keeps_one() -> None:
    """Where one connection fills the line, a try with more is taken back."""
    ramp = _after(16, a_connection=20 * _MB, line=20 * _MB)
    assert (ramp.wanted, ramp.settled) == (1, True)


def test_some_help_and_no_more_do_not() -> None:
    """A line that four connections fill keeps four."""
    assert _after(16, a_connection=20 * _MB, line=80 * _MB).wanted == 4


@pytest.mark.parametrize("size", [1 * _MB, 100 * _MB])
def test_what_is_nearly_here_is_not_split(size: int) -> None:
    """At 700 MB/s, 100 MB are here before another connection is."""
    assert _after(16, a_connection=700 * _MB, line=700 * _MB, size=size).wanted == 1


def test_refused_connections_are_not_asked_for_again() -> None:
    """A host that allows three gets three."""
    ramp = Ramp(16, wanted=16)
    ramp.back_off(3)
    ramp.observe(now=0, done=0, flowing=3, missing=10**9)
    ramp.observe(now=1, done=10**9, flowing=3, missing=10**9)
    assert ramp.wanted == 3
