"""One process, measured from the outside: how long, how much CPU, how much memory, and how it ended."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

# `ru_maxrss` counts KiB.
KIBIBYTE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one run took; `exit` is None where it had to be killed. CPU and memory include the process's children."""

    exit: int | None
    seconds: float
    cpu: float
    peak: int


class Running:
    """A started process in a group of its own, with nothing to read and nobody listening."""

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str]) -> None:
        self._started = time.perf_counter()
        self._process = subprocess.Popen(
            argv,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill(self) -> None:
        """SIGKILL to the process and its children."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself; it stays to be waited for."""
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def wait(self, limit: float) -> Measured:
        """Let it end, or kill it after `limit` seconds."""
        alarm = threading.Timer(limit, self.kill)
        alarm.start()
        try:
            _pid, status, usage = os.wait4(self._process.pid, 0)
        except KeyboardInterrupt:
            self.kill()
            raise
        finally:
            alarm.cancel()
        seconds = time.perf_counter() - self._started
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return Measured(
            exit=None if seconds >= limit else self._process.returncode,
            seconds=seconds,
            cpu=usage.ru_utime + usage.ru_stime,
            peak=usage.ru_maxrss * KIBIBYTE,
        )


def unseen() -> int:
    """The memory below which a child's peak cannot be told: it begins as a copy of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE
