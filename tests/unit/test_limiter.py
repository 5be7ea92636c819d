"""One limiter for the process: who waits, how long, and for whom."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from hubsync.errors import RateLimited, Unreachable
from hubsync.limiter import LONGEST_WAIT, Limiter, host_of


@dataclass
class Clock:
    """A time that passes only by sleeping."""

    now: float = 100.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    """Time under control."""
    return Clock()


@pytest.fixture
def limiter(clock: Clock) -> Limiter:
    """A limiter without jitter."""
    return Limiter(sleep=clock.sleep, clock=lambda: clock.now, jitter=lambda: 0.0)


def _ask(limiter: Limiter, host: str = "hub") -> None:
    with limiter.turn(host):
        pass


def test_failures_in_a_row_wait_twice_as_long(limiter: Limiter, clock: Clock) -> None:
    """1, 2, 4 seconds; an answer starts that anew."""
    for _ in range(3):
        limiter.busy("hub", began=clock.now)
        _ask(limiter)
    limiter.well("hub", began=clock.now)
    limiter.busy("hub", began=clock.now)
    _ask(limiter)
    assert clock.slept == [1.0, 2.0, 4.0, 1.0]


def test_questions_under_way_together_fail_once(limiter: Limiter, clock: Clock) -> None:
    """Ten threads that meet one outage do not make it ten outages."""
    began = clock.now
    clock.now += 0.5
    for _ in range(10):
        limiter.busy("hub", began=began)
        clock.now += 0.01
    _ask(limiter)
    assert sum(clock.slept) <= 1.0


def test_what_a_host_asks_for_is_kept_by_all(limiter: Limiter, clock: Clock) -> None:
    """A search waits for what a download was told; another host is not concerned."""
    limiter.busy("hub", began=clock.now, asked=7.0)
    assert (limiter.delay("hub"), limiter.delay("other")) == (7.0, 0.0)
    _ask(limiter, "other")
    _ask(limiter)
    assert clock.slept == [7.0]


def test_an_answer_from_before_the_trouble_ends_no_wait(limiter: Limiter, clock: Clock) -> None:
    """One that was under way when the host asked for a pause says nothing of now."""
    began = clock.now
    clock.now += 1
    limiter.busy("hub", began=clock.now, asked=7.0)
    limiter.well("hub", began=began)
    assert limiter.delay("hub") == 7.0


def test_no_wait_is_longer_than_a_minute(limiter: Limiter, clock: Clock) -> None:
    """Whoever is told more than that gives up instead; the others are not held for hours."""
    limiter.busy("hub", began=clock.now, asked=3600.0)
    assert limiter.delay("hub") == LONGEST_WAIT


def test_a_later_question_begins_anew(limiter: Limiter, clock: Clock) -> None:
    """Tries in a row wait longer and longer; somebody who comes a while after them does not inherit that."""
    for _ in range(3):
        limiter.busy("hub", began=clock.now)
        _ask(limiter)
    clock.now += 5
    limiter.busy("hub", began=clock.now)
    assert limiter.delay("hub") == 1.0


def test_the_impatient_are_told_how_long(limiter: Limiter, clock: Clock) -> None:
    """Who would wait longer than it wants to hears so at once, and why; a short wait is kept."""
    limiter.busy("hub", began=clock.now, asked=7.0)
    with (
        pytest.raises(RateLimited, match="hub asks for fewer requests: it is asked again in 7 s"),
        limiter.turn("hub", patience=3),
    ):
        pass
    assert clock.slept == []
    clock.now += 5
    with limiter.turn("hub", patience=3):
        assert clock.slept == [2.0]


def test_trouble_is_forgotten_a_wait_a_host_asked_for_is_not(limiter: Limiter, clock: Clock) -> None:
    """Somebody says the network is back: hosts that were out of reach are asked at once."""
    limiter.busy("down", began=clock.now)
    limiter.busy("busy", began=clock.now, asked=1.0)
    limiter.busy("busy", began=clock.now + 0.5)
    limiter.busy("busy", began=clock.now + 0.5)
    with (
        pytest.raises(Unreachable, match="down did not answer: it is asked again in 1 s"),
        limiter.turn("down", patience=0),
    ):
        pass
    limiter.forget()
    assert (limiter.delay("down"), limiter.delay("busy") > 0) == (0.0, True)


def test_jitter_spreads_clients(clock: Clock) -> None:
    """Up to a second is added."""
    limiter = Limiter(sleep=clock.sleep, clock=lambda: clock.now, jitter=lambda: 0.5)
    limiter.busy("hub", began=clock.now)
    assert limiter.delay("hub") == 1.5


def test_a_host_gets_eight_questions_at_once() -> None:
    """The ninth waits until one is answered."""
    limiter, inside, gate = Limiter(), threading.Semaphore(0), threading.Event()

    def ask() -> None:
        with limiter.turn("hub"):
            inside.release()
            gate.wait(10)

    threads = [threading.Thread(target=ask) for _ in range(9)]
    for thread in threads:
        thread.start()
    for _ in range(8):
        assert inside.acquire(timeout=10)
    assert not inside.acquire(timeout=0.05)
    gate.set()
    assert inside.acquire(timeout=10)
    for thread in threads:
        thread.join()


@pytest.mark.parametrize(
    ("url", "host"),
    [("https://civitai.com/a?b", "civitai.com"), ("http://me:pw@LocalHost:80/x", "localhost:80"), ("nonsense", "")],
)
def test_hosts_are_told_apart_by_name_and_port(url: str, host: str) -> None:
    """Names and passwords in an address are no part of its host."""
    assert host_of(url) == host
