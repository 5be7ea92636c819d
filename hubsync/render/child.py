"""One renderer process: started, asked, listened to, stopped; nothing it does or leaves undone makes hubsync wait."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import hubsync
from hubsync.errors import Cancelled, HubsyncError, OutOfMemory, RendererMissing

POLL = 0.05
"""Seconds between looks at whether the user has had enough."""

GRACE = 3.0
"""Seconds a process has to end when asked, before it is killed."""

_LAST_WORDS = 1.0  # seconds in which what an ended process said is read, however busy the machine

_INSTALL = "pip install 'hubsync[render]', or set render.python to an interpreter that has it"


class Child:
    """A renderer process with its pipes, its thread and its file for stderr; all gone after `stop`.

    Raises:
        RendererMissing: the command cannot be started.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        # A file, not a pipe: the process never waits for it to be read.
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the process
        try:
            self._process = _start(command, self._stderr, environment)
        except RendererMissing:
            self._stderr.close()
            raise
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=_collect, args=(self._process.stdout, self._lines), daemon=True)
        self._reader.start()
        self._writer: threading.Thread | None = None
        self._mark = 0

    def ready(self) -> bool:
        """Whether it can be asked: it lives, talks, and has read what it was asked before."""
        if self._writer is not None:
            self._writer.join(POLL)
            if self._writer.is_alive():
                return False
        return self._reader.is_alive() and self._process.poll() is None

    def ask(self, line: bytes, *, stopped: Callable[[], bool], timeout: float) -> Iterator[bytes]:
        """Send a line; give what comes back, line by line, until the process ends or nobody listens any more.

        Raises:
            Cancelled: `stopped` became true. HubsyncError: no line came for `timeout` seconds.
        """
        while not self._lines.empty():  # what it said unasked belongs to no request
            self._lines.get()
        self._mark = os.fstat(self._stderr.fileno()).st_size
        # In a thread: a process that still loads reads nothing, and a pipe holds 64 KiB.
        self._writer = threading.Thread(target=_write, args=(self._process.stdin, line), daemon=True)
        self._writer.start()
        return self._heard(stopped, timeout)

    def _heard(self, stopped: Callable[[], bool], timeout: float) -> Iterator[bytes]:
        last = time.monotonic()
        while not stopped():
            ended = not self._reader.is_alive() or self._process.poll() is not None
            try:
                line = self._lines.get(timeout=POLL)
            except queue.Empty:
                if ended:  # a process of its own making may hold the pipe open
                    self._reader.join(_LAST_WORDS)
                    if self._lines.empty():
                        return
                if time.monotonic() - last > timeout:
                    message = f"the renderer said nothing for {timeout:g} seconds and was stopped"
                    raise HubsyncError(message, hint="hubsync config set render.timeout SECONDS") from None
                continue
            if line is None:
                if stopped():
                    break
                return
            yield line
            last = time.monotonic()
        raise Cancelled

    def crashed(self) -> HubsyncError:
        """How it ended and its last words, once it has said its last line without being done."""
        try:
            code = self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            code = None
        words = self._words()
        if words and "ModuleNotFoundError" in words[-1]:
            return RendererMissing(f"the renderer cannot start: {words[-1]}", hint=_INSTALL)
        told = ": " + "\n".join(words) if words else ""
        if code == -9:
            return OutOfMemory(
                f"the renderer was killed, as happens when the machine runs out of memory{told}",
                hint="use a smaller --size or --no-batch",
            )
        return HubsyncError(f"the renderer {_ending(code)}{told}", hint="hubsync doctor")

    def stop(self) -> None:
        """End it and whatever it started, at once: asked first, killed if that does not help."""
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()
        for thread in filter(None, (self._writer, self._reader)):
            thread.join(GRACE)
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        self._stderr.close()

    def _signal(self, number: signal.Signals) -> None:
        if sys.platform == "win32":
            self._process.terminate()
            return
        with suppress(ProcessLookupError, PermissionError):  # macOS: the latter where all that is left are zombies
            os.killpg(self._process.pid, number)

    def _words(self) -> list[str]:
        """The last lines it wrote to stderr since it was asked, printable."""
        self._stderr.seek(max(self._mark, self._stderr.seek(0, os.SEEK_END) - 4096))
        text = self._stderr.read().decode("utf-8", "replace")
        lines = ["".join(mark for mark in line if mark.isprintable()).rstrip() for line in text.splitlines()]
        return [line for line in lines if line][-6:]


def _ending(code: int | None) -> str:
    if code is None:
        return "closed its output"
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def _start(command: Sequence[str], stderr: IO[bytes], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    quiet = {"TQDM_DISABLE": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_DISABLE_TELEMETRY": "1"}
    # OpenMP threads that spin while they wait make a step 4 to 14 times slower on a machine others use.
    calm = {"OMP_WAIT_POLICY": "PASSIVE", "PYTHONUTF8": "1"}
    # The same hubsync as here, and nothing from the folder the user happens to stand in.
    home = [str(Path(hubsync.__file__).parent.parent)] if command[0] == sys.executable else []
    paths = os.pathsep.join([*home, *filter(None, [os.environ.get("PYTHONPATH")])])
    found = {"PYTHONSAFEPATH": "1", "PYTHONPATH": paths}
    try:
        return subprocess.Popen(  # noqa: S603  the command is the user's own setting
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={**os.environ, **quiet, **calm, **found, **environment},
            start_new_session=True,  # Ctrl-C is for hubsync to handle, which then stops the renderer
        )
    except OSError as error:
        raise RendererMissing(f"{command[0]} cannot be started: {error.strerror}", hint=_INSTALL) from error


def _collect(stdout: IO[bytes], lines: queue.SimpleQueue[bytes | None]) -> None:
    """Lines as they come; None ends them."""
    with stdout:
        for line in stdout:
            lines.put(line)
    lines.put(None)


def _write(stdin: IO[bytes], line: bytes) -> None:
    with suppress(OSError):  # it ended: whoever listens to it learns that
        stdin.write(line)
        stdin.flush()
