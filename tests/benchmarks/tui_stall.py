"""How long the TUI's event loop stands still: 50,000 rows in the library, a hub that answers slowly, a render running.

A beat of 5 ms runs beside a user who moves, filters and changes modes; the longest gap between two beats is the stall.
Beats of an empty loop on the same machine are the floor.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import closing, suppress
from pathlib import Path

from hubsync import config
from hubsync.roots import find_root
from hubsync.sandbox.hub import Fault, FaultKind
from hubsync.sandbox.playground import Playground, playground
from hubsync.services.app import Hubsync
from hubsync.services.triggers import Wish
from hubsync.tui.app import HubsyncApp
from hubsync.tui.messages import RenderRequested
from tests.benchmarks.catalogue import fill
from tests.benchmarks.table import Bar, Row
from tests.benchmarks.workplace import Summary, Workplace

BEAT = 0.005  # s
STALL = 0.1  # s
ROWS = 50_000
RENDERER = (sys.executable, str(Path(__file__).parents[1] / "tui" / "scripted_renderer.py"), "slow")
KEYS = ("2", "j", "j", "pagedown", "G", "g", "slash", *"dragon", "escape", "escape", "4", "5", "6", "G", "g", "2", "1")


def stall(place: Workplace) -> list[Row]:
    """The longest stall and the 99th percentile, beside those of a loop that does nothing else."""
    with place.fresh() as folder, playground(folder) as ground, closing(_open(ground)) as hubsync:
        _fill(hubsync, int(ROWS * place.scale))
        ground.hub.switch(Fault(kind=FaultKind.THROTTLE, rate=20_000))
        idle = asyncio.run(_gaps(lambda: asyncio.sleep(1)))
        busy = asyncio.run(_use(hubsync))
    worst = max(busy)
    bars = [Bar(f"no stall over {STALL * 1000:.0f} ms", worst <= STALL)]
    return [
        Row(case="stall", summary=Summary(tool="an idle loop", seconds=max(idle)), result=_told(idle)),
        Row(case="stall", summary=Summary(tool="hubsync", seconds=worst), result=_told(busy), bars=bars),
    ]


def _told(gaps: list[float]) -> str:
    late = statistics.quantiles(gaps, n=100)[-1]
    return f"longest {max(gaps) * 1000:.0f} ms, 99 % {late * 1000:.0f} ms of {len(gaps)} beats"


async def _gaps(work: Callable[[], Coroutine[object, object, None]]) -> list[float]:
    """How late each beat came while `work` ran."""
    found: list[float] = []

    async def beat() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(BEAT)
            found.append(time.perf_counter() - before - BEAT)

    beating = asyncio.create_task(beat())
    await work()
    beating.cancel()
    with suppress(asyncio.CancelledError):
        await beating
    return found


async def _use(hubsync: Hubsync) -> list[float]:
    """The gaps from the first frame on."""
    app = HubsyncApp(hubsync)
    async with app.run_test(size=(120, 40)) as pilot:

        async def work() -> None:
            await pilot.press("escape")
            app.post_message(RenderRequested([Wish(name="sks_frame")]))
            for key in KEYS:
                await pilot.press(key)

        gaps = await _gaps(work)
        app.jobs.cancel_all()
    app.threads.shutdown()
    app.downloading.shutdown()
    return gaps


def _open(ground: Playground) -> Hubsync:
    settings = config.load(environ=ground.environ)
    return Hubsync(settings, find_root(settings, cwd=ground.root, home=ground.root), renderer=RENDERER)


def _fill(hubsync: Hubsync, count: int) -> None:
    plans = hubsync.install.plan(["civitai:1004"])
    hubsync.install.run(plans, sink=lambda event: event, cancel=threading.Event())
    with closing(sqlite3.connect(hubsync.root.database)) as connection, connection:
        fill(connection, count)
