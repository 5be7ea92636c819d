"""What is downloaded twice when a tool is killed half-way and the same command is given again."""

from __future__ import annotations

import time

from tests.benchmarks import tools
from tests.benchmarks.hub import HubProcess, Offer
from tests.benchmarks.measuring import Running
from tests.benchmarks.speed import LARGE, SLOW
from tests.benchmarks.table import Bar, Row
from tests.benchmarks.tools import Tool, environment
from tests.benchmarks.workplace import LIMIT, Workplace, summary, wrong

MOST = 0.05
LOOK = 0.005
SETTLED = 0.2


def kill(place: Workplace) -> list[Row]:
    """SIGKILL when the hub has sent half the file at 20 MB/s a connection."""
    lora = place.lora("large", LARGE)
    with place.hub(lora) as hub:
        hub.switch(SLOW)
        (offer,) = hub.offers
        contenders = [
            tools.hubsync(offer),
            tools.curl(offer, options=["-C", "-"]),
            tools.aria2c(offer),
            tools.hf(offer),
        ]
        return [one(place, hub, offer, tool) for tool in contenders]


def one(place: Workplace, hub: HubProcess, offer: Offer, tool: Tool) -> Row:
    """The line of one tool: seconds, CPU and memory are those of the second run."""
    case = "killed at 50 %"
    if not tool.installed:
        return Row(case=case, summary=summary(tool.name, []))
    with place.fresh() as folder:
        before = hub.traffic()
        interrupt(hub, Running(tool.argv(folder), environment(hub, folder)), before + offer.lora.size // 2)
        partial = any((folder / name).exists() for name in tool.files)
        settle(hub)
        second = Running(tool.argv(folder), environment(hub, folder)).wait(LIMIT)
        twice = max(0, settle(hub) - before - offer.lora.size) / offer.lora.size
        found = summary(tool.name, [wrong(tool, folder, second) or second])
    result = f"{twice:.1%} sent twice{', partial file under the final name' if partial else ''}"
    bars = [Bar("≤ 5 % sent twice", twice <= MOST)] if "hubsync" in tool.name else []
    return Row(case=case, summary=found, result=result, bars=bars)


def interrupt(hub: HubProcess, running: Running, goal: int) -> None:
    """Kill it once the hub has sent that much; one that ends before is left alone."""
    started = time.monotonic()
    while hub.traffic() < goal and not running.ended and time.monotonic() - started < LIMIT:
        time.sleep(LOOK)
    running.kill()
    running.wait(LIMIT)


def settle(hub: HubProcess) -> int:
    """The bytes sent, once no connection that lost its client sends any more."""
    last, now = -1, hub.traffic()
    while now != last:
        time.sleep(SETTLED)
        last, now = now, hub.traffic()
    return now
