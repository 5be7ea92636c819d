"""The one table: a line a tool and case, and whether hubsync met the bars."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.benchmarks.measuring import unseen
from tests.benchmarks.workplace import MEGABYTE, Summary

HEADINGS = ("case", "tool", "s", "MB/s", "x floor", "CPU s", "peak MB", "result", "bar", "verdict")
NUMBERS = {"s", "MB/s", "x floor", "CPU s", "peak MB"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One thing hubsync has to reach."""

    text: str
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line. `size` is what was downloaded, in bytes; `floor` the seconds the floor took for the same."""

    case: str
    summary: Summary
    size: int = 0
    floor: float = math.nan
    result: str = ""
    bars: Sequence[Bar] = ()

    @property
    def missed(self) -> list[str]:
        """The bars that were not reached: all of them, where a run failed."""
        return [bar.text for bar in self.bars if self.summary.failed or not bar.met]

    def cells(self) -> list[str]:
        """The texts of the line."""
        run = self.summary
        return [
            self.case,
            run.tool,
            number(run.seconds, 2),
            number(self.size / MEGABYTE / run.seconds if self.size else math.nan, 0),
            number(run.seconds / self.floor, 2),
            number(run.cpu, 2),
            peak(run.peak),
            "; ".join(filter(None, [self.result, run.failed])),
            "; ".join(bar.text for bar in self.bars),
            self._verdict(),
        ]

    def _verdict(self) -> str:
        if not self.bars:
            return ""
        if len(self.missed) == len(self.bars):
            return "MISSED"
        return f"MISSED: {'; '.join(self.missed)}" if self.missed else "met"


def number(value: float, digits: int) -> str:
    """A number, or nothing where there is none."""
    return "" if math.isnan(value) else f"{value:.{digits}f}"


def peak(value: float) -> str:
    """Megabytes; what cannot be told from this process's own memory is a limit."""
    if math.isnan(value):
        return ""
    return f"{'≤ ' if value <= unseen() else ''}{value / MEGABYTE:.0f}"


def rendered(rows: Iterable[Row]) -> str:
    """A Markdown table with aligned columns."""
    lines = [list(HEADINGS), *(row.cells() for row in rows)]
    widths = [max(3, *(len(cells[column]) for cells in lines)) for column in range(len(HEADINGS))]
    rule = ["-" * (width - 1) + (":" if name in NUMBERS else "-") for name, width in zip(HEADINGS, widths, strict=True)]
    return "\n".join(joined(cells, widths) for cells in [lines[0], rule, *lines[1:]])


def joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    """One line of the table."""
    padded = (
        cell.rjust(width) if name in NUMBERS else cell.ljust(width)
        for name, cell, width in zip(HEADINGS, cells, widths, strict=True)
    )
    return f"| {' | '.join(padded)} |"
