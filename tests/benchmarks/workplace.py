"""Where a benchmark happens: a folder that goes away, the files on offer, and runs that take turns."""

from __future__ import annotations

import itertools
import os
import shutil
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.hub import HubProcess
from tests.benchmarks.loras import SUFFIX, Lora, make, sha256_of
from tests.benchmarks.measuring import Measured, Running
from tests.benchmarks.tools import Tool, environment

MEGABYTE = 1_000_000
LIMIT = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The medians of a tool's good runs; `failed` says what went wrong in the others, or that it is not installed."""

    tool: str
    seconds: float = float("nan")
    cpu: float = float("nan")
    peak: float = float("nan")
    failed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """`scale` makes every file smaller and `rounds` every median of fewer runs, for a quick look."""

    folder: Path
    scale: float = 1.0
    rounds: int = 5
    _made: dict[str, Lora] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def lora(self, stem: str, megabytes: float, *, sparse: bool = False) -> Lora:
        """A file, made when first asked for."""
        if stem not in self._made:
            path = self.folder / "loras" / f"{stem}{SUFFIX}"
            path.parent.mkdir(exist_ok=True)
            self._made[stem] = make(path, int(megabytes * MEGABYTE * self.scale), sparse=sparse)
        return self._made[stem]

    @contextmanager
    def hub(self, *loras: Lora) -> Iterator[HubProcess]:
        """A hub that offers these files."""
        with self.fresh() as data:
            (data / "loras").mkdir()
            for lora in loras:
                os.link(lora.path, data / "loras" / lora.path.name)
            with HubProcess(data, loras) as hub:
                yield hub

    @contextmanager
    def fresh(self) -> Iterator[Path]:
        """An empty folder that goes away."""
        folder = self.folder / str(next(self._numbers))
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def race(self, hub: HubProcess, *entries: tuple[Tool, int]) -> dict[str, Summary]:
        """Run tools in turn, each so many times, each time into an empty folder; summaries by name, in order."""
        runs: dict[str, list[Measured | str]] = {tool.name: [] for tool, _times in entries}
        for turn in range(max(times for _tool, times in entries)):
            for tool, times in entries:
                if turn < times and tool.installed:
                    runs[tool.name].append(self.run(hub, tool))
        return {name: summary(name, found) for name, found in runs.items()}

    def run(self, hub: HubProcess, tool: Tool) -> Measured | str:
        """One run, or what was wrong with it."""
        with self.fresh() as folder:
            measured = Running(tool.argv(folder), environment(hub, folder)).wait(LIMIT)
            return wrong(tool, folder, measured) or measured


def wrong(tool: Tool, folder: Path, measured: Measured) -> str:
    """What is wrong with a finished run, empty if nothing is."""
    if measured.exit is None:
        return f"not finished after {LIMIT:.0f} s"
    if measured.exit:
        return f"exit {measured.exit}"
    for name, offer in tool.files.items():
        path = folder / name
        if not path.is_file():
            return "exit 0 without the file"
        if sha256_of(path) != offer.lora.sha256:
            return "exit 0 with wrong bytes"
    return ""


def summary(tool: str, runs: Sequence[Measured | str]) -> Summary:
    """The medians of the good runs."""
    good = [run for run in runs if isinstance(run, Measured)]
    bad = [run for run in runs if isinstance(run, str)]
    failed = f"{len(bad)} of {len(runs)} failed: {bad[0]}" if bad else "" if runs else "not installed"
    if not good:
        return Summary(tool=tool, failed=failed)
    return Summary(
        tool=tool,
        seconds=statistics.median(run.seconds for run in good),
        cpu=statistics.median(run.cpu for run in good),
        peak=statistics.median(run.peak for run in good),
        failed=failed,
    )
