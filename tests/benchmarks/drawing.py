"""One process of the renderer's side: draws a sheet two ways in turns and prints what each turn took, as JSON.

Run as a module with what to draw, how often, and the number of threads, 0 for as many as torch takes.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence

import msgspec
import torch
from torch import Tensor

from hubsync.render.wire import Applied, Request, Row
from hubsync.renderer.drawing import Artist
from hubsync.renderer.loading import choose_device, components, load_pipeline
from hubsync.renderer.memory import Pipeline
from hubsync.renderer.names import table_of
from hubsync.renderer.wardrobe import Wardrobe
from hubsync.sandbox.playground import CHECKPOINT, DATA
from tests.benchmarks.peers import one_by_one
from tests.benchmarks.rendering import Turns

LORAS = ("add_brightness", "add_detail", "add_saturation", "sks_frame")
WEIGHTS = (-0.5, 0.5, 0.75, 1.0)
PROMPT = "a large red circle on a blue background"


def request_of(rows: Sequence[Row]) -> Request:
    """The sheet's request: the small checkpoint at what it was measured at."""
    return Request(
        checkpoint=str(CHECKPOINT),
        device="cpu",
        steps=8,
        cfg=3.0,
        loras={name: str(DATA / "loras" / f"{name}.safetensors") for name in LORAS},
        rows=tuple(rows),
        folder="",
    )


def adorned() -> list[Row]:
    """A row for each LoRA and weight, of one prompt; seeds differ, so that no two rows are alike without LoRAs."""
    uses = [Applied(lora=name, te=weight, unet=weight) for name in LORAS for weight in WEIGHTS]
    return [Row(prompt=PROMPT, seed=seed, loras=(use,)) for seed, use in enumerate(uses, 1)]


def plain() -> list[Row]:
    """The same rows of the base alone."""
    return [msgspec.structs.replace(row, loras=()) for row in adorned()]


def hubsync(pipe: Pipeline, rows: Sequence[Row]) -> list[Tensor]:
    """The pictures, as the renderer draws them for a request: LoRAs read, prompts encoded, one batch."""
    request = request_of(rows)
    device = torch.device("cpu")
    wardrobe = Wardrobe(files=request.loras, table=table_of(components(pipe)), device=device, say=_heard)
    pictures = dict(Artist(pipe, wardrobe, {}, _heard).draw(request))
    return [pictures[index] for index in range(len(rows))]


def _heard(_line: object) -> None:
    """Nobody listens."""


def sheet(pipe: Pipeline, rounds: int) -> Turns:
    """Hubsync beside diffusers one by one."""
    rows = adorned()
    ours, theirs = hubsync(pipe, rows), one_by_one(pipe, request_of(rows), rows)
    return Turns(
        took=in_turns(
            rounds,
            {
                "hubsync": lambda: hubsync(pipe, rows),
                "diffusers": lambda: one_by_one(pipe, request_of(rows), rows),
            },
        ),
        difference=max(float((one - other).abs().max()) for one, other in zip(ours, theirs, strict=True)),
    )


def rows(pipe: Pipeline, rounds: int) -> Turns:
    """Rows with LoRAs beside the base alone, four turns for one of a sheet: their difference is small."""
    sides = {"base": lambda: hubsync(pipe, plain()), "loras": lambda: hubsync(pipe, adorned())}
    in_turns(2, sides)
    return Turns(took=in_turns(4 * rounds, sides))


def in_turns(rounds: int, sides: Mapping[str, Callable[[], object]]) -> dict[str, list[tuple[float, float]]]:
    """Wall and CPU seconds of each, round by round, who begins changing from one round to the next."""
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for number in range(rounds):
        for name in sorted(sides, reverse=bool(number % 2)):
            wall, cpu = time.perf_counter(), time.process_time()
            sides[name]()
            took[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return took


def main() -> None:
    """Draw what is asked for and print it."""
    what, rounds, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    warnings.simplefilter("ignore")
    if threads:
        torch.set_num_threads(threads)
    pipe = load_pipeline(request_of(()), choose_device("cpu"))
    turns = {"sheet": sheet, "rows": rows}[what](pipe, rounds)
    sys.stdout.buffer.write(msgspec.json.encode(turns))


if __name__ == "__main__":
    main()
