"""A running `hubsync web`, in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hubsync.sandbox.playground import Playground


class Served:
    """A running `hubsync web`; `url` is what it printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        self.url = process.stdout.readline().strip()
        self.origin, self.secret, _ = self.url.rsplit("/", 2)

    def children(self) -> list[int]:
        """The programs of the pages that are open, as Linux tells them."""
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(child) for child in task.read_text("ascii").split()]

    def stop(self, ending: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """Press Ctrl-C, or end it otherwise; the exit code and what was said on stderr."""
        self.process.send_signal(ending)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


@contextmanager
def serving(ground: Playground, *arguments: str) -> Iterator[Served]:
    """`hubsync web` on a free port."""
    command = [sys.executable, "-m", "hubsync", "web", "--port", "0", *arguments]
    with subprocess.Popen(
        command, env={**ground.environ}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Served(process)
        finally:
            process.kill()
