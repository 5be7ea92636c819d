"""The TUI in a terminal of its own: started, asked what it can draw, left by a key."""

from __future__ import annotations

import importlib.util
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from hubsync.sandbox.playground import Playground

fcntl, pty, termios = (
    pytest.importorskip(name, reason="needs pseudo-terminals") for name in ("fcntl", "pty", "termios")
)

CODE = (
    "from hubsync import config; from hubsync.services.opening import open_hubsync; from hubsync.tui.app import run\n"
    "with open_hubsync(config.load()) as hubsync: run(hubsync)"
)
SIXEL, PLAIN = b"\x1b[?62;4c", b"\x1b[?62;22c"


@dataclass
class Terminal:
    """The other end: reads what is drawn, answers questions about attributes, types keys."""

    handle: int
    process: subprocess.Popen[bytes]
    attributes: bytes
    drawn: bytes = b""

    def until(self, text: bytes) -> None:
        """Read until something is drawn, thirty seconds at most."""
        end = time.monotonic() + 30
        while text not in self.drawn:
            assert time.monotonic() < end, f"{text!r} was never drawn, but {self.drawn[-2000:]!r}"
            if select.select([self.handle], [], [], 0.1)[0]:
                self._read()

    def leave(self) -> int:
        """Press ctrl+q, read to the end, give the exit code."""
        os.write(self.handle, b"\x11")
        while self.process.poll() is None:
            if select.select([self.handle], [], [], 0.1)[0]:
                self._read()
        return self.process.returncode

    def _read(self) -> None:
        try:
            block = os.read(self.handle, 1 << 16)
        except OSError:  # Linux says so when the other end is closed
            return
        self.drawn += block
        for _ in range(block.count(b"\x1b[c")):
            os.write(self.handle, self.attributes)


@contextmanager
def terminal(ground: Playground, attributes: bytes) -> Iterator[Terminal]:
    """The TUI in a fresh terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 1000, 600))
    # A terminal's own size counts, not that of the one the tests run in.
    inherited = {name: value for name, value in ground.environ.items() if name not in {"COLUMNS", "LINES"}}
    environ = {**inherited, "TERM": "xterm-256color"}
    process = subprocess.Popen([sys.executable, "-c", CODE], stdin=theirs, stdout=theirs, stderr=theirs, env=environ)
    os.close(theirs)
    try:
        yield Terminal(ours, process, attributes)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_start_and_quit(ground: Playground) -> None:
    """The first frame stands, pictures are half-blocks, ctrl+q leaves with success and restores the screen."""
    with terminal(ground, PLAIN) as user:
        user.until(b"Search both hubs")
        user.until("▀".encode())
        assert user.leave() == 0
        assert b"\x1b[?1049l" in user.drawn


@pytest.mark.skipif(importlib.util.find_spec("textual_image") is None, reason="textual-image is not installed")
def test_true_pictures_where_the_terminal_can(ground: Playground) -> None:
    """A terminal that speaks Sixel gets Sixel."""
    with terminal(ground, SIXEL) as user:
        user.until(b"Search both hubs")
        user.until(b"\x1bP")
        assert user.leave() == 0
