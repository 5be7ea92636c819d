"""`make bench`: the benchmarks, and one table of what they found."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from tests.benchmarks.faults import faults
from tests.benchmarks.finding import find
from tests.benchmarks.kill import kill
from tests.benchmarks.memory import memory
from tests.benchmarks.rendering import first, rows, sheet
from tests.benchmarks.scan import scan
from tests.benchmarks.speed import many, segments, throughput
from tests.benchmarks.table import Row, rendered
from tests.benchmarks.terminal import tui
from tests.benchmarks.tui_stall import stall
from tests.benchmarks.workplace import Workplace

CASES: Mapping[str, Callable[[Workplace], list[Row]]] = {
    "throughput": throughput,
    "segments": segments,
    "many": many,
    "memory": memory,
    "kill": kill,
    "faults": faults,
    "scan": scan,
    "find": find,
    "sheet": sheet,
    "rows": rows,
    "first": first,
    "tui": tui,
    "stall": stall,
}


@click.command(help="Measure hubsync against bars; all cases, or those named. Exit 1 where a bar is missed.")
@click.argument("names", nargs=-1, type=click.Choice(list(CASES)), metavar="[CASE]...")
@click.option("--scale", default=1.0, show_default=True, help="Multiply every file size; bars are meant for 1.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1), help="Runs of each tool, at most.")
def main(names: tuple[str, ...], scale: float, rounds: int) -> None:
    """Run the cases in a temporary folder."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="hubsync-bench-") as folder:
        place = Workplace(folder=Path(folder), scale=scale, rounds=rounds)
        for name in names or CASES:
            started = time.monotonic()
            rows += CASES[name](place)
            print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    print(rendered(rows))
    sys.exit(any(row.missed for row in rows))


if __name__ == "__main__":
    main()
