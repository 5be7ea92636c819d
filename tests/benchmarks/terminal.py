"""The TUI as a terminal sees it: from the start to the first picture, from a key to a changed screen, and its memory.

It runs in a pseudo terminal of 120x40 on a library of many rows, with both sandbox hubs on loopback. The floor
beside it is a Textual program that shows one line. What counts is when bytes arrive, not what a test harness waits for.
"""

from __future__ import annotations

import fcntl
import math
import os
import pty
import select
import signal
import statistics
import struct
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hubsync.sandbox.playground import playground
from hubsync.store.database import Database
from tests.benchmarks.finding import build
from tests.benchmarks.table import Bar, Row
from tests.benchmarks.workplace import MEGABYTE, Summary, Workplace

ROWS, MANY = 10_000, 50_000
SLOWER, KEY, MEMORY = 1.6, 0.05, 150
COLUMNS, LINES = 120, 40
PATIENCE = 60.0
QUIET = 0.4
"""Seconds without a byte after which a screen counts as settled."""

HELLO = """
from textual.app import App
from textual.widgets import Static
class Hello(App):
    def compose(self):
        yield Static("hello there")
Hello().run()
"""
ASKED, ANSWER = b"\x1b[c", b"\x1b[?62;22c"
"""What every terminal is asked for its abilities, and answers at once: a VT220 with colours."""

KEYS = ("j", "j", "j", "k", "\x1b[6~", "\x1b[6~", "\x1b[5~", "G", "g", "j")
"""Down, up, a page further and back, to the end of what is there and to the beginning."""


def tui(place: Workplace) -> list[Row]:
    """Start, keys and memory."""
    with place.fresh() as folder, playground(folder / "many") as many, playground(folder / "some") as some:
        fill(many.root, int(MANY * place.scale))
        fill(some.root, int(ROWS * place.scale))
        hello, hubsync = [sys.executable, "-c", HELLO], [sys.executable, "-m", "hubsync"]
        environ = compiled(some.environ, folder / "bytecode")
        floors, starts = [], []
        for _ in range(1 + place.rounds):
            floors.append(started(hello, environ, "hello there"))
            starts.append(started(hubsync, environ, "Discover"))
        del floors[0], starts[0]  # these two compiled
        with Terminal.opened(hubsync, many.environ) as terminal:
            moved, typed = at_work(terminal)
            peak = terminal.memory()
    return [
        first_paint(floors, starts),
        keys("key to changed list", moved),
        keys("letter in the filter", typed),
        held(peak),
    ]


def fill(root: Path, count: int) -> None:
    """A library of so many LoRAs whose files are not there."""
    (root / ".hubsync").mkdir(parents=True, exist_ok=True)
    database = Database(root / ".hubsync" / "library.db", root, keep=True)
    build(database, count)
    database.close()


def compiled(environ: Mapping[str, str], cache: Path) -> dict[str, str]:
    """An environment whose programs keep their bytecode, as installed ones do, whatever this process was told."""
    kept = {name: value for name, value in environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(cache)}


def started(argv: Sequence[str], environ: Mapping[str, str], text: str) -> float:
    """Seconds until a program has put a text on the screen."""
    with Terminal.opened(argv, environ) as terminal:
        return terminal.until(text)


def at_work(terminal: Terminal) -> tuple[list[float], list[float]]:
    """How long keys take in a long list, and letters in the box above it."""
    terminal.until("Discover")
    terminal.settle()
    terminal.press("\x1b")
    terminal.settle()
    terminal.press("2")
    terminal.settle()
    moved = [terminal.press(key) for _ in range(20) for key in KEYS]
    terminal.press("/")
    terminal.settle()
    typed = []
    for letter in "watercolour":
        typed.append(terminal.press(letter))
        terminal.settle()
    return [took for took in moved if not math.isnan(took)], typed


@dataclass(slots=True)
class Terminal:
    """A program in a pseudo terminal."""

    process: int
    handle: int
    begun: float

    @classmethod
    @contextmanager
    def opened(cls, argv: Sequence[str], environ: Mapping[str, str]) -> Iterator[Terminal]:
        """Start a program; it is gone afterwards."""
        begun = time.perf_counter()
        process, handle = pty.fork()
        if not process:
            os.execvpe(argv[0], list(argv), {**environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
        fcntl.ioctl(handle, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        try:
            yield cls(process, handle, begun)
        finally:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            os.close(handle)

    def until(self, text: str) -> float:
        """Seconds since the start until a text has come."""
        seen = b""
        while text.encode() not in seen:
            if not (more := self._read(PATIENCE)):
                raise RuntimeError(f"'{text}' never came: {seen[-2000:]!r}")
            seen += more
        return time.perf_counter() - self.begun

    def settle(self) -> None:
        """Wait until nothing changes any more."""
        while self._read(QUIET):
            pass

    def press(self, key: str) -> float:
        """Seconds from a key to the first change, after which the rest is waited for; NaN where nothing changed."""
        began = time.perf_counter()
        os.write(self.handle, key.encode())
        took = time.perf_counter() - began if self._read(QUIET) else math.nan
        while self._read(0.02):
            pass
        return took

    def memory(self) -> int:
        """The most it held in memory so far, in bytes."""
        status = Path(f"/proc/{self.process}/status").read_text("utf-8")
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024

    def _read(self, seconds: float) -> bytes:
        ready, _, _ = select.select([self.handle], [], [], seconds)
        try:
            seen = os.read(self.handle, 1 << 16) if ready else b""
        except OSError:  # how Linux says that the other side is closed
            return b""
        if ASKED in seen:
            os.write(self.handle, ANSWER)
        return seen


def first_paint(floors: Sequence[float], starts: Sequence[float]) -> Row:
    """The line of the start: medians of runs that took turns."""
    floor, start = statistics.median(floors), statistics.median(starts)
    bar = Bar(f"≤ {SLOWER} x floor", start <= SLOWER * floor)
    result = f"a Textual hello {floor * 1000:.0f} ms; {ROWS:,} rows in the library"
    summary = Summary(tool="hubsync, first paint", seconds=start)
    return Row(case="tui", summary=summary, floor=floor, result=result, bars=[bar])


def keys(what: str, took: Sequence[float]) -> Row:
    """The line of a kind of key: the 95th percentile."""
    worst = sorted(took)[math.ceil(len(took) * 0.95) - 1]
    result = f"{len(took)} keys, p50 {statistics.median(took) * 1000:.1f}, p95 {worst * 1000:.1f} ms; {MANY:,} rows"
    bar = Bar(f"≤ {KEY * 1000:g} ms p95", worst <= KEY)
    return Row(case="tui", summary=Summary(tool=what, seconds=worst), result=result, bars=[bar])


def held(peak: int) -> Row:
    """The line of memory."""
    summary = Summary(tool="hubsync, memory", peak=peak)
    bar = Bar(f"≤ {MEMORY} MB", peak <= MEMORY * MEGABYTE)
    return Row(case="tui", summary=summary, result=f"{MANY:,} rows, after keys and filter", bars=[bar])
