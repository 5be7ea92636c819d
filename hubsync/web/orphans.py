"""A hubsync whose server was killed ends too: textual-serve asks it to end, and a killed one cannot ask."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading


def end_without_a_reader() -> None:
    """Begin to wait, in a thread, until nobody reads this program's output; then ask it to end as a shell would."""
    if not hasattr(select, "poll") or sys.__stdout__ is None:
        return
    readers = select.poll()
    readers.register(sys.__stdout__.fileno(), 0)  # no event but the one that is always told: the other end is closed

    def wait() -> None:
        readers.poll()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
