"""Thirty ways a download goes wrong, met by the real command line, and what is under the final name afterwards."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue

from hubsync.sandbox.hub import Fault, scenarios
from tests.benchmarks import small_disk, tools
from tests.benchmarks.hub import HubProcess
from tests.benchmarks.loras import SUFFIX, sha256_of
from tests.benchmarks.measuring import Running
from tests.benchmarks.table import Bar, Row
from tests.benchmarks.tools import Tool, environment
from tests.benchmarks.workplace import Summary, Workplace

SIZE = 40
# Most of the time is waiting, for what the fault holds back or what hubsync holds itself back for.
AT_ONCE = 4
ENOSPC = "enospc"
SURVIVABLE: Mapping[str, tuple[Fault, ...]] = {"none": (), **scenarios.SURVIVABLE}
HOPELESS: Mapping[str, tuple[Fault, ...]] = {**scenarios.HOPELESS, ENOSPC: ()}
LIMITS = {"loris": 75.0}
LIMIT = 60.0


class Ending(StrEnum):
    """How a command ended."""

    OK = "ok"
    FAILED = "failed"
    OK_BUT_EXIT = "right file but exit ≠ 0"
    JUNK = "wrong file under the final name"
    GARBAGE = "exit 0 with a wrong file"
    LIE = "exit 0 without the file"
    HANG = "hang"
    NOT_RUN = "not run"


def faults(place: Workplace) -> list[Row]:
    """Every fault once, several at a time: their outcomes are compared, not their times."""
    endings = everything(place)
    return [
        row("survivable", {name: endings[name] for name in SURVIVABLE}, Ending.OK),
        row("hopeless", {name: endings[name] for name in HOPELESS}, Ending.FAILED),
    ]


def everything(place: Workplace) -> dict[str, Ending]:
    """The ending under each fault; those that take long are begun first."""
    lora = place.lora("fault", SIZE)
    names = sorted([*SURVIVABLE, *HOPELESS], key=lambda name: (name not in LIMITS, name != "stall_once"))
    with ExitStack() as stack:
        free: SimpleQueue[HubProcess] = SimpleQueue()
        for _ in range(AT_ONCE):
            free.put(stack.enter_context(place.hub(lora)))

        def one(name: str) -> Ending:
            hub = free.get()
            try:
                return met(place, hub, name)
            finally:
                free.put(hub)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(zip(names, pool.map(one, names), strict=True))


def met(place: Workplace, hub: HubProcess, name: str) -> Ending:
    """Run the command under one fault."""
    hub.switch(*(SURVIVABLE.get(name) or HOPELESS.get(name, ())))
    tool, limit = tools.hubsync(*hub.offers), LIMITS.get(name, LIMIT)
    with place.fresh() as folder:
        argv = tool.argv(folder)
        if name != ENOSPC:
            ended = Running(argv, environment(hub, folder)).wait(limit)
            return ending(ended.exit, found(folder), right=intact(tool, folder))
        if not small_disk.available():
            return Ending.NOT_RUN
        with place.fresh() as outside:
            listing = outside / "listing"
            ended = Running(small_disk.argv(folder, listing, argv), environment(hub, folder)).wait(limit)
            left = listing.read_text().splitlines() if listing.exists() else []
        return ending(ended.exit, left, right=False)


def found(folder: Path) -> list[Path]:
    """Every file that has the name of a finished one."""
    return list(folder.rglob(f"*{SUFFIX}"))


def intact(tool: Tool, folder: Path) -> bool:
    """Whether the file is where it belongs, with the right bytes."""
    ((name, offer),) = tool.files.items()
    return (folder / name).is_file() and sha256_of(folder / name) == offer.lora.sha256


def ending(exit_code: int | None, present: Collection[object], *, right: bool) -> Ending:
    """What the exit status and the files make of it."""
    if exit_code is None:
        return Ending.HANG
    if right:
        return Ending.OK_BUT_EXIT if exit_code else Ending.OK
    if present:
        return Ending.JUNK if exit_code else Ending.GARBAGE
    return Ending.FAILED if exit_code else Ending.LIE


def row(kind: str, endings: Mapping[str, Ending], wanted: Ending) -> Row:
    """The line: how many ended as they have to, and which did not."""
    run = {name: ended for name, ended in endings.items() if ended is not Ending.NOT_RUN}
    good = sum(ended is wanted for ended in run.values())
    others = [
        f"{other}: {', '.join(name for name, ended in endings.items() if ended is other)}"
        for other in Ending
        if other is not wanted and other in endings.values()
    ]
    bar = Bar(f"{len(run)} of {len(run)} {'survived' if wanted is Ending.OK else 'fail cleanly'}", good == len(run))
    return Row(
        case=f"faults, {kind}",
        summary=Summary(tool="hubsync civitai:"),
        result="; ".join([f"{good} of {len(run)}", *others]),
        bars=[bar],
    )
