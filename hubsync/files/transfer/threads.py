"""Threads nobody has to wait for: one that hangs in a silent server must not keep the program from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future


def spawn(work: Callable[[], None], *, then: Callable[[], object] = lambda: None) -> Future[None]:
    """Do `work` in a thread of its own, and `then` when it ended, well or not."""
    ended: Future[None] = Future()

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  (worker border: whoever reads the future gets it)
            ended.set_exception(error)
        else:
            ended.set_result(None)
        then()

    threading.Thread(target=run, name="hubsync-transfer", daemon=True).start()
    return ended
