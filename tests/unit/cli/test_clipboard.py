"""The prompt on its way to a clipboard, through a real terminal."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hubsync.cli.clipboard import LIMIT, sequence

pty = pytest.importorskip("pty", reason="no pseudo-terminals here")


def _payload(data: str) -> str:
    (encoded,) = {*re.findall(r"\]52;c;([A-Za-z0-9+/=]*)", data)}
    return base64.b64decode(encoded).decode()


def test_a_plain_terminal() -> None:
    """One sequence, in UTF-8, also through SSH."""
    data = sequence("a ❄", {"TERM": "xterm-256color", "SSH_TTY": "/dev/pts/1"})
    assert (data[:7], data[-1], _payload(data)) == ("\x1b]52;c;", "\x07", "a ❄")


@pytest.mark.parametrize("environ", [{"TMUX": "/tmp/tmux-0/default,1,0", "STY": "1.x"}, {"TERM": "tmux-256color"}])
def test_tmux(environ: dict[str, str]) -> None:
    """Once for tmux itself, once wrapped for the terminal behind it, with every escape doubled."""
    plain, wrapped = sequence("a", environ).split("\x1bPtmux;")
    assert wrapped == plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def test_screen() -> None:
    """In pieces that it passes on."""
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", sequence("x" * 1000, {"STY": "1.x"}), re.DOTALL)
    assert max(map(len, pieces)) < 256
    assert _payload("".join(pieces)) == "x" * 1000


def _hubsync(root: Path, *arguments: str, term: str = "xterm") -> tuple[str, str]:
    """What stdout holds and what reaches the terminal that stderr is."""
    kept = {name: value for name, value in os.environ.items() if name not in {"TMUX", "STY"}}
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        done = subprocess.run(
            [sys.executable, "-m", "hubsync", "--root", str(root), "prompt", *arguments],
            env={**kept, "TERM": term},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=theirs,
            encoding="utf-8",
            check=True,
        )
        os.close(theirs)
        return done.stdout, terminal.read(4096).decode()


def test_the_prompt_reaches_the_terminal(tmp_path: Path) -> None:
    """stdout stays clean, so that it can be piped on meanwhile."""
    stdout, shown = _hubsync(tmp_path, "a ring", "--copy")
    assert (stdout, _payload(shown)) == ("a ring\n", "a ring")
    assert "copied" in shown


def test_terminals_without_a_clipboard(tmp_path: Path) -> None:
    """Nothing is sent that would be printed; a text too long for some is said to be."""
    _, shown = _hubsync(tmp_path, "a ring", "--copy", term="dumb")
    assert ("\x1b" in shown, "nothing is copied" in shown) == (False, True)
    assert LIMIT * 4 // 3 < 100_000
