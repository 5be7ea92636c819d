"""How fast pictures are drawn: a sheet beside diffusers one by one, LoRAs beside the base alone, the first picture.

Everything runs on the processor with the small checkpoint of the sandbox. What is compared takes turns, and a bar is
the median of the ratios of neighbours: both sides of one ratio had the same machine.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from hubsync.sandbox.playground import CHECKPOINT, DATA, playground
from tests.benchmarks.measuring import Measured, Running
from tests.benchmarks.table import Bar, Row
from tests.benchmarks.tools import SCRIPTS
from tests.benchmarks.workplace import LIMIT, Summary, Workplace, summary

TIMES_FASTER, EXACT, MOST_ROWS, MOST_FIRST = 3.0, 1e-5, 1.25, 1.15
CALM = {"OMP_WAIT_POLICY": "PASSIVE"}
"""As hubsync starts its renderer: threads that spin while they wait measure the machine's other work."""

_THREADS = {1: "1 thread", 0: "all threads"}
_WATCH = 0.005
"""Seconds between looks for a picture, a thousandth of what is measured."""


class Turns(msgspec.Struct, frozen=True, kw_only=True):
    """What a process of drawing.py prints: wall and CPU seconds of each turn, by who drew.

    `difference` is the largest between any two pixels, 0..1, of what both drew.
    """

    took: Mapping[str, Sequence[tuple[float, float]]]
    difference: float = 0.0


def sheet(place: Workplace) -> list[Row]:
    """Four LoRAs at four weights in one batch, and each picture's LoRA loaded, set, drawn with and unloaded."""
    rows = []
    for threads, said in _THREADS.items():
        turns = drawn("sheet", place.rounds, threads)
        slow, fast = (side(turns, name) for name in ("diffusers", "hubsync"))
        ratio = neighbours(turns, "diffusers", "hubsync")
        bars = [
            Bar(f"≥ {TIMES_FASTER:g} x faster (is {ratio:.1f})", ratio >= TIMES_FASTER),
            Bar(f"difference ≤ {EXACT:g}", turns.difference <= EXACT),
        ]
        case, result = f"sheet of 16, {said}", f"difference {turns.difference:.0e}"
        rows += [
            Row(case=case, summary=named(slow, "diffusers one by one"), floor=slow.seconds),
            Row(case=case, summary=named(fast, "hubsync"), floor=slow.seconds, result=result, bars=bars),
        ]
    return rows


def rows(place: Workplace) -> list[Row]:
    """The same sheet beside its rows of the base alone."""
    lines = []
    for threads, said in _THREADS.items():
        turns = drawn("rows", place.rounds, threads)
        base, loras = (side(turns, name) for name in ("base", "loras"))
        ratio, cpu = neighbours(turns, "loras", "base"), neighbours(turns, "loras", "base", of=1)
        bar = Bar(f"≤ {MOST_ROWS:g} x base alone (is {ratio:.2f})", ratio <= MOST_ROWS)
        case, result = f"16 rows, {said}", f"CPU {cpu:.2f} x, {len(turns.took['base'])} turns"
        lines += [
            Row(case=case, summary=named(base, "base alone"), floor=base.seconds),
            Row(case=case, summary=named(loras, "with LoRAs"), floor=base.seconds, result=result, bars=[bar]),
        ]
    return lines


def drawn(what: str, rounds: int, threads: int) -> Turns:
    """What a process of its own took; CPU seconds are of all its threads."""
    counted = {"OMP_NUM_THREADS": str(threads)} if threads else {}
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.drawing", what, str(rounds), str(threads)],
        env={**os.environ, **CALM, **counted},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=Turns)


def side(turns: Turns, name: str) -> Summary:
    """The medians of one side."""
    walls, cpus = zip(*turns.took[name], strict=True)
    return Summary(tool=name, seconds=statistics.median(walls), cpu=statistics.median(cpus))


def neighbours(turns: Turns, name: str, other: str, *, of: int = 0) -> float:
    """The median ratio of turns that ran one after the other; `of` 1 is CPU time."""
    pairs = zip(turns.took[name], turns.took[other], strict=True)
    return statistics.median(one[of] / another[of] for one, another in pairs)


def named(summary: Summary, tool: str) -> Summary:
    """The same under another name."""
    return Summary(tool=tool, seconds=summary.seconds, cpu=summary.cpu, peak=summary.peak, failed=summary.failed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A command that draws into a folder: `{out}` stands for it. `marks` are patterns of files to wait for."""

    name: str
    argv: Sequence[str]
    environ: Mapping[str, str]
    marks: Sequence[str] = ("*.png",)


@dataclass(frozen=True, slots=True)
class Seen:
    """A finished command, and after how many seconds the first file of each mark was there."""

    measured: Measured
    at: Mapping[str, float] = field(default_factory=dict)

    @property
    def first(self) -> float:
        """When there was a picture under its own name."""
        return self.at["*.png"]


def first(place: Workplace) -> list[Row]:
    """`hubsync render NAME` and a bare script of diffusers, from their start to the first picture and to the end."""
    with place.fresh() as folder, scripts(folder) as contenders:
        runs: dict[str, list[Seen]] = {script.name: [] for script in contenders}
        for number in range(place.rounds + 1):
            for script in contenders:
                seen = watched(script, folder / f"{number}-{script.name}")
                if number:  # the first of each reads programs from the disk
                    runs[script.name].append(seen)
    ours, one, three = (runs[script.name] for script in contenders)
    drawn_at = statistics.median(seen.at[".drawing-*/*.png"] for seen in ours)
    ratio = statistics.median(our.first / their.first for our, their in zip(ours, one, strict=True))
    whole = statistics.median(
        our.measured.seconds / their.measured.seconds for our, their in zip(ours, three, strict=True)
    )
    floors = [statistics.median(seen.first for seen in one), statistics.median(seen.measured.seconds for seen in three)]
    bar = Bar(f"≤ {MOST_FIRST:g} x bare script (is {ratio:.2f})", ratio <= MOST_FIRST)
    return [
        to_first("bare script, LoRA alone", one, floors[0]),
        to_first("hubsync render NAME", ours, floors[0], f"drawn after {drawn_at:.2f} s, three in the batch", [bar]),
        to_end("bare script, one by one", three, floors[1]),
        to_end("hubsync render NAME", ours, floors[1], f"{whole:.2f} x, contact sheet and verdict included"),
    ]


def to_first(tool: str, runs: Sequence[Seen], floor: float, result: str = "", bars: Sequence[Bar] = ()) -> Row:
    """A line of the first picture."""
    seconds = statistics.median(seen.first for seen in runs)
    return Row(case="first picture", summary=Summary(tool=tool, seconds=seconds), floor=floor, result=result, bars=bars)


def to_end(tool: str, runs: Sequence[Seen], floor: float, result: str = "") -> Row:
    """A line of the whole command."""
    found = summary(tool, [seen.measured for seen in runs])
    return Row(case="test of three pictures", summary=found, floor=floor, result=result)


@contextmanager
def scripts(folder: Path) -> Iterator[tuple[Script, Script, Script]]:
    """`hubsync render` in a library of one LoRA, the bare script with that LoRA alone, and with all three pictures."""
    program = str(SCRIPTS / "hubsync")
    with playground(folder / "library") as sandbox:
        environ = {**sandbox.environ, **CALM}
        subprocess.run(
            [program, "install", "civitai:1004", "--quiet"], env=environ, stdout=subprocess.DEVNULL, check=True
        )
        prompt, steps, cfg = (environ[f"HUBSYNC_RENDER__{name}"] for name in ("PROMPT", "STEPS", "CFG"))

        def bare(name: str, word: str) -> Script:
            lora = str(DATA / "loras" / "sks_frame.safetensors")
            said = [str(CHECKPOINT), lora, "0.8", prompt, word, steps, cfg, "{out}"]
            argv = [sys.executable, "-P", str(Path(__file__).with_name("bare.py")), *said]
            return Script(name=name, argv=argv, environ=environ)

        render = [program, "render", "sks_frame", "--device", "cpu", "--out", "{out}"]
        ours = Script(name="hubsync", argv=render, environ=environ, marks=("*.png", ".drawing-*/*.png"))
        yield ours, bare("one", ""), bare("three", "sks")


def watched(script: Script, out: Path) -> Seen:
    """Run it to its end, looking for its pictures.

    Raises:
        RuntimeError: it failed or drew nothing.
    """
    out.mkdir()
    started = time.perf_counter()
    running = Running([part.replace("{out}", str(out)) for part in script.argv], script.environ)
    at: dict[str, float] = {}
    while not running.ended and time.perf_counter() - started < LIMIT:
        for mark in script.marks:
            if mark not in at and any(out.glob(mark)):
                at[mark] = time.perf_counter() - started
        time.sleep(_WATCH)
    measured = running.wait(LIMIT)
    if measured.exit != 0 or len(at) < len(script.marks):
        raise RuntimeError(f"{script.name}: exit {measured.exit}, found {', '.join(at) or 'no picture'}")
    return Seen(measured, at)
