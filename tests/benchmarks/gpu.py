"""`python -m tests.benchmarks.gpu`: how fast many LoRAs are drawn at SD 1.5's and SDXL's shapes, on any CUDA card.

Weights are random, so nothing is downloaded and the pictures are noise; what is computed is what real ones take. Every
batch of hubsync's stands beside diffusers one by one, PEFT's batch of mixed adapters and the card's peak. `--tiny` runs
all of it on a processor with thin shapes, to see that it works.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click
import msgspec
import torch

from hubsync.errors import OutOfMemory
from hubsync.renderer.drawing import is_out_of_memory
from tests.benchmarks.batches import FEWER, FULL, HUBSYNC, ONE_BY_ONE, PEFT, SLOW, STEPS, Bench, Line
from tests.benchmarks.card import Card, card_of
from tests.benchmarks.shapes import SHAPES, TINY, Shape, pipeline_of, random_lora

BATCHES = (1, 2, 4, 8, 16, 32)
RANKS = (16, 32, 16, 32)
"""Of the four LoRAs that rows take in turn."""

TIMES_FASTER, BARRED = 3.0, ("SD 1.5", 512)
PARTS = ("text encoding", "denoising", "VAE", "PNG", "reading LoRAs", "stacking LoRAs", "rest")
_SIDE, _TINY_SIDE = 8192, 512


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, for a machine to read."""

    card: Card
    torch: str
    lines: Sequence[Line]


@click.command(help="Measure renders at full shapes on a CUDA card. Exit 1 where the bar is missed.")
@click.option("--tiny", is_flag=True, help="Thin shapes on the processor: a check of this script, under a minute.")
@click.option("--shape", "names", multiple=True, help="sd1 or sdxl alone; again for more.")
@click.option("--batch", "batches", multiple=True, type=click.IntRange(1), help="Rows at once; again for more.")
@click.option(
    "--rounds", default=2, show_default=True, type=click.IntRange(1), help="Draws of which the median counts."
)
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write the JSON there.")
def main(*, tiny: bool, names: Sequence[str], batches: Sequence[int], rounds: int, path: Path | None) -> None:
    """Measure, then print the tables and the JSON."""
    quiet()
    if not tiny and not torch.cuda.is_available():
        raise click.ClickException("there is no CUDA card here; --tiny tries the script on the processor")
    if tiny:
        torch.set_num_threads(1)  # so small that threads would wait for one another most of the time
    device, dtype = (torch.device("cpu"), torch.float32) if tiny else (torch.device("cuda"), torch.float16)
    card = card_of(device, dtype, _TINY_SIDE if tiny else _SIDE)
    shapes = [shape for shape in (TINY if tiny else SHAPES) if not names or shape.folder in names]
    counts = batches or BATCHES[: 2 if tiny else None]
    lines: list[Line] = []
    for shape in shapes:
        for line in attempted(shape, measured(shape, card, counts, rounds, device, dtype)):
            print(cells(line), file=sys.stderr, flush=True)
            lines.append(line)
    print("\n".join([*head(card, dtype), *table(lines), "", *split_table(lines), ""]))
    found = msgspec.json.encode(Report(card=card, torch=str(torch.__version__), lines=lines))
    print(found.decode())
    if path is not None:
        path.write_bytes(found)
    sys.exit(not met(lines))


def quiet() -> None:
    """The libraries' warnings and bars, which would hide what is measured."""
    import diffusers
    import transformers

    warnings.simplefilter("ignore")
    diffusers.logging.set_verbosity_error()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def attempted(shape: Shape, lines: Iterator[Line]) -> Iterator[Line]:
    """The lines of a shape as far as they come: a card may be too small for its weights, or for one picture."""
    try:
        yield from lines
    except (RuntimeError, MemoryError, OutOfMemory) as error:
        if not isinstance(error, OutOfMemory) and not is_out_of_memory(error):
            raise
        yield Line(shape=shape.name, size=max(shape.sizes), steps=STEPS, way=HUBSYNC, batch=1, note=FULL)


def measured(
    shape: Shape, card: Card, batches: Sequence[int], rounds: int, device: torch.device, dtype: torch.dtype
) -> Iterator[Line]:
    """A shape at all its sizes; its weights leave the device afterwards."""
    with tempfile.TemporaryDirectory(prefix="hubsync-gpu-") as name:
        folder = Path(name)
        pipe = pipeline_of(shape, device, dtype)
        files = {f"lora{number}": str(folder / f"lora{number}.safetensors") for number in range(len(RANKS))}
        for number, (lora, rank) in enumerate(zip(files, RANKS, strict=True)):
            random_lora(pipe, Path(files[lora]), rank, number)
        for size in shape.sizes:
            bench = Bench(shape=shape.name, size=size, pipe=pipe, files=files, folder=folder, card=card, rounds=rounds)
            if shape.thin:
                bench.steps = 2
            yield from bench.lines(batches)
    del pipe
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def head(card: Card, dtype: torch.dtype) -> list[str]:
    """What it was measured on, and how to read it."""
    sheet = (
        f"{card.sheet:.0f} TFLOP/s on its data sheet" if card.sheet else "no data sheet known, the product is its peak"
    )
    kind = str(dtype).removeprefix("torch.")
    where = f"{card.name}, {card.memory / 1e9:.0f} GB, {kind}, torch {torch.__version__}"
    ranks = ", ".join(map(str, RANKS))
    return [
        f"{where}: {sheet}, {card.product:.3g} TFLOP/s in a large matrix product.",
        f"{STEPS} steps with guidance, {FEWER} where a picture takes over {SLOW:g} s; LoRAs of ranks {ranks} in turn.",
        "hubsync's seconds include reading LoRAs, PEFT's do not. TFLOP/s count what the base computes alone.",
        "",
    ]


HEADINGS = (
    "shape",
    "pixels",
    "steps",
    "way",
    "batch",
    "pictures/s",
    "peak GB",
    "x one by one",
    "x PEFT",
    "TFLOP/s",
    "of peak",
    "note",
)


def table(lines: Iterable[Line]) -> list[str]:
    """A Markdown table, and the bar."""
    rows = list(lines)
    return [*markdown(HEADINGS), *map(cells, rows), "", verdict(rows)]


def markdown(headings: Sequence[str]) -> list[str]:
    """The first two lines of a table."""
    return [f"| {' | '.join(headings)} |", f"|{'---|' * len(headings)}"]


def cells(line: Line) -> str:
    """A line of the first table."""
    texts = [
        line.shape,
        str(line.size),
        str(line.steps),
        line.way,
        str(line.batch),
        figure(line.rate, "{:.3g}"),
        figure(line.memory / 1e9 or None, "{:.1f}"),
        figure(line.faster.get(ONE_BY_ONE), "{:.2f}"),
        figure(line.faster.get(PEFT), "{:.2f}"),
        figure(line.tflops, "{:.3g}"),
        figure(line.share, "{:.0%}"),
        line.note,
    ]
    return f"| {' | '.join(texts)} |"


def figure(value: float | None, form: str) -> str:
    """A number, or nothing."""
    return "" if value is None else form.format(value)


def split_table(lines: Iterable[Line]) -> list[str]:
    """Where the time of hubsync's batches goes, in seconds of one draw that writes its pictures."""
    rows = [
        [line.shape, str(line.size), str(line.batch), *(figure(line.parts.get(part, 0.0), "{:.3f}") for part in PARTS)]
        for line in lines
        if line.parts
    ]
    return [*markdown(("shape", "pixels", "batch", *PARTS)), *(f"| {' | '.join(row)} |" for row in rows)]


def barred(lines: Iterable[Line]) -> list[Line]:
    """The lines the bar is for."""
    return [line for line in lines if (line.shape, line.size) == BARRED and line.way == HUBSYNC and line.faster]


def met(lines: Iterable[Line]) -> bool:
    """Whether the best batch reaches the bar; so does nothing at all, for other shapes have none."""
    best = [line.faster.get(ONE_BY_ONE, 0.0) for line in barred(lines)]
    return not best or max(best) >= TIMES_FASTER


def verdict(lines: Sequence[Line]) -> str:
    """The bar in words."""
    wanted = f"≥ {TIMES_FASTER:g} x diffusers one by one at {BARRED[0]}, {BARRED[1]} pixels"
    found = barred(lines)
    if not found:
        return f"{wanted}: not measured"
    best = max(found, key=lambda line: line.faster.get(ONE_BY_ONE, 0.0))
    return f"{wanted}: {best.faster[ONE_BY_ONE]:.1f} at batch {best.batch}: {'met' if met(lines) else 'MISSED'}"


if __name__ == "__main__":
    main()
