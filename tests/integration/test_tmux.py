"""`hubsync demo` as a newcomer meets it: in a real terminal, tmux's, with the keyboard alone."""

from __future__ import annotations

import os
import select
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

TMUX = shutil.which("tmux")
SECONDS = 60

pytestmark = [
    pytest.mark.skipif(TMUX is None, reason="there is no tmux"),
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux's list of processes"),
]


@dataclass(frozen=True)
class Tmux:
    """A tmux server of its own. `watcher` is a client that is told of everything drawn."""

    command: tuple[str, ...]
    watcher: subprocess.Popen[bytes]

    def screen(self) -> str:
        """What the terminal shows."""
        return _run(*self.command, "capture-pane", "-p")

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names; what has none is written letter by letter."""
        _run(*self.command, "send-keys", *keys)

    def until(self, text: str) -> str:
        """Wait until something is shown, a minute at most; the whole screen."""
        assert self.watcher.stdout
        end = time.monotonic() + SECONDS
        while text not in (screen := self.screen()):
            assert time.monotonic() < end, f"{text!r} was never shown, but\n{screen}"
            if select.select([self.watcher.stdout], [], [], 1)[0]:
                assert os.read(self.watcher.stdout.fileno(), 1 << 16), "the terminal was closed"
        return screen


def _run(*command: str) -> str:
    # readline, which pytest loads, hands its idea of the terminal's size to every program that is started.
    environ = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    done = subprocess.run(command, env=environ, capture_output=True, encoding="utf-8", check=True, timeout=SECONDS)
    return done.stdout


@contextmanager
def _tmux(command: str, width: int, height: int) -> Iterator[Tmux]:
    """A command in a terminal of this size, by a tmux that shares nothing with the user's."""
    assert TMUX
    with tempfile.TemporaryDirectory() as folder:  # a socket's path may have 100 letters: tmp_path is too long
        tmux = (TMUX, "-u", "-S", f"{folder}/socket", "-f", "/dev/null")
        _run(*tmux, "new-session", "-d", "-x", str(width), "-y", str(height), command)
        attach = (*tmux, "-C", "attach-session")
        with subprocess.Popen(attach, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as watcher:
            try:
                yield Tmux(tmux, watcher)
            finally:
                watcher.kill()  # one that is not read from does not let its server end
                _run(*tmux, "kill-server")


def _living(folder: Path) -> list[str]:
    """The programs whose temporary files are in this folder."""
    mark = f"TMPDIR={folder}".encode()
    return [place.parent.name for place in Path("/proc").glob("[0-9]*/environ") if mark in _environ(place)]


def _environ(place: Path) -> list[bytes]:
    try:
        return place.read_bytes().split(b"\0")
    except OSError:  # ended meanwhile, or not ours
        return []


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
def test_from_search_to_picture(tmp_path: Path, width: int, height: int) -> None:
    """Keys find a LoRA, install it, show its words and draw with it; ctrl+q leaves no program and no folder."""
    demo = shlex.join(["env", f"TMPDIR={tmp_path}", sys.executable, "-m", "hubsync", "demo"])
    with _tmux(f'{demo}; echo "left with $?"; read _', width, height) as tmux:
        tmux.until("Add Detail")
        first, *_, last = lines = tmux.until("^p palette").splitlines()
        assert ("1 Discover" in first, "^p palette" in last, len(lines)) == (True, True, height)
        for keys, answer in (
            ("sks", "3 found"),
            ("Down", "i Install"),
            ("i", "enter installs"),
            ("Enter", "✓ sks_frame is installed"),
            ("2", "● sks"),
            ("r", "Verdict  works; needs its words"),
        ):
            tmux.press(keys)
            tmux.until(answer)
        assert "LoRA + words" in tmux.until("▀▀▀▀▀▀▀▀")
        [folder] = tmp_path.glob("hubsync-demo-*")
        assert [file.name for file in folder.glob("models/Lora/*.safetensors")] == ["sks_frame.safetensors"]
        assert len([*folder.glob(".hubsync/renders/*/*.png")]) == 4  # three and the sheet
        assert _living(tmp_path)
        tmux.press("C-q")
        assert tmux.until("left with").strip() == "left with 0"
        assert (_living(tmp_path), folder.exists()) == ([], False)
