"""The renderer process: started, listened to, stopped at once on request; its end without an answer is an error."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

import hubsync
from hubsync.errors import (
    Cancelled,
    Gated,
    HubsyncError,
    NotFound,
    NotSafetensors,
    OutOfMemory,
    RendererMissing,
    UnsafeFile,
    UsageError,
    WrongFamily,
)
from hubsync.render.wire import Done, Failure, Line, Request, decode_line, encode

_POLL = 0.05
"""Seconds between looks at the cancel event."""

_GRACE = 3.0
"""Seconds a process has to end when asked, before it is killed."""

_ERRORS: tuple[type[HubsyncError], ...] = (
    Gated,
    NotFound,
    NotSafetensors,
    OutOfMemory,
    RendererMissing,
    UnsafeFile,
    UsageError,
    WrongFamily,
)
_INSTALL = "pip install 'hubsync[render]', or set render.python to an interpreter that has it"


def answers(
    command: Sequence[str],
    request: Request,
    *,
    cancel: threading.Event,
    timeout: float,
    environment: Mapping[str, str],
) -> Generator[Line]:
    """Start the renderer, send it the request, give its lines as they come, the last one Done.

    `timeout` is in seconds of silence. Lines that are none of the renderer's are passed over. However this ends, the
    process is gone afterwards.

    Raises:
        Cancelled: `cancel` was set.
        HubsyncError: what the renderer reported, or how it ended without a word.
    """
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stderr:
        # A file, not a pipe: neither side ever waits for the other to read.
        stdin.write(encode(request))
        stdin.seek(0)
        process = _start(command, stdin, stderr, environment)
        lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        threading.Thread(target=_collect, args=(process.stdout, lines), daemon=True).start()
        try:
            for line in _heard(lines, cancel, timeout):
                message = _understood(line)
                if isinstance(message, Failure):
                    raise _error(message)
                if message is not None:
                    yield message
                if isinstance(message, Done):
                    return
            raise _crashed(process, stderr)
        finally:
            _stop(process)


def _start(
    command: Sequence[str], stdin: IO[bytes], stderr: IO[bytes], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
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
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={**os.environ, **quiet, **calm, **found, **environment},
            start_new_session=True,  # Ctrl-C is for hubsync to handle, which then stops the renderer
        )
    except OSError as error:
        raise RendererMissing(f"{command[0]} cannot be started: {error.strerror}", hint=_INSTALL) from error


def _collect(stdout: IO[bytes], lines: queue.SimpleQueue[bytes | None]) -> None:
    """Lines as they come, in a thread of its own, for a pipe blocks; None ends them."""
    with stdout:
        for line in stdout:
            lines.put(line)
    lines.put(None)


def _heard(lines: queue.SimpleQueue[bytes | None], cancel: threading.Event, timeout: float) -> Iterator[bytes]:
    last = time.monotonic()
    while not cancel.is_set():
        try:
            line = lines.get(timeout=_POLL)
        except queue.Empty:
            if time.monotonic() - last > timeout:
                message = f"the renderer said nothing for {timeout:g} seconds and was stopped"
                raise HubsyncError(message, hint="hubsync config set render.timeout SECONDS") from None
            continue
        if line is None:
            return
        yield line
        last = time.monotonic()
    raise Cancelled


def _understood(line: bytes) -> Line | None:
    try:
        return decode_line(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _error(failure: Failure) -> HubsyncError:
    kinds = {kind.code: kind for kind in _ERRORS}
    return kinds.get(failure.code, HubsyncError)(failure.message, hint=failure.hint)


def _crashed(process: subprocess.Popen[bytes], stderr: IO[bytes]) -> HubsyncError:
    code = process.wait()
    words = _last_words(stderr)
    if "ModuleNotFoundError" in words:
        return RendererMissing(f"the renderer cannot start: {words.splitlines()[-1]}", hint=_INSTALL)
    if code == -9:
        return OutOfMemory(
            "the renderer was killed, as happens when the machine runs out of memory",
            hint="use a smaller --size or --no-batch",
        )
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
    return HubsyncError(f"the renderer ended {how}" + (f": {words}" if words else ""), hint="hubsync doctor")


def _last_words(stderr: IO[bytes]) -> str:
    """The end of what the process wrote to stderr, printable."""
    stderr.seek(max(0, stderr.seek(0, os.SEEK_END) - 4096))
    text = stderr.read().decode("utf-8", "replace")
    lines = ["".join(mark for mark in line if mark.isprintable()).rstrip() for line in text.splitlines()]
    return "\n".join([line for line in lines if line][-6:])


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
