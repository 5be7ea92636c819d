"""One shape drawn in batches of growing size, every way there is; what runs out of memory is a line that says so."""

from __future__ import annotations

import functools
import gc
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from hubsync.errors import HubsyncError
from hubsync.render.wire import Applied, Note, Request, Row
from hubsync.renderer import drawing, encoding
from hubsync.renderer.adapters import applied
from hubsync.renderer.loading import components
from hubsync.renderer.memory import Pipeline
from hubsync.renderer.names import table_of
from hubsync.renderer.session import save
from hubsync.renderer.wardrobe import Wardrobe
from tests.benchmarks import peers
from tests.benchmarks.card import Card, clock

STEPS, FEWER, SLOW = 20, 8, 4.0
"""Steps of a picture, and of pictures that take longer than SLOW seconds each."""

MIXED = 16
"""PEFT needs an adapter loaded for each row, several seconds each: it is asked for no more."""

ONE_BY_ONE, PEFT, BASE, HUBSYNC = "diffusers, one by one", "PEFT, mixed batch", "hubsync, base alone", "hubsync"
FULL = "out of memory"
PROMPT = "a portrait of a woman in a garden, soft light, highly detailed"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What one way took for a batch.

    `memory` is the peak in bytes, `tflops` what the base computes a second, `faster` the ratio of pictures a second to
    those of each other way, `parts` the seconds of one draw by what they went into.
    """

    shape: str
    size: int
    steps: int
    way: str
    batch: int
    seconds: float | None = None
    rate: float | None = None
    memory: int = 0
    tflops: float | None = None
    share: float | None = None
    faster: dict[str, float] = {}
    parts: dict[str, float] = {}
    note: str = ""


@dataclass(slots=True, kw_only=True)
class Bench:
    """One shape at one size. `files` are its LoRAs; `folder` is where pictures are written when that is measured."""

    shape: str
    size: int
    pipe: Pipeline
    files: Mapping[str, str]
    folder: Path
    card: Card
    rounds: int
    steps: int = STEPS
    flops: float = 0.0
    _heard: list[str] = field(default_factory=list)
    _rates: dict[tuple[str, int], float] = field(default_factory=dict)

    def lines(self, batches: Sequence[int]) -> Iterator[Line]:
        """Everything measured, line by line."""
        note = self.settle()
        yield msgspec.structs.replace(self.line(ONE_BY_ONE, 1, self.one_by_one), note=note)
        yield from self.mixed([batch for batch in batches if batch <= MIXED])
        for batch in batches:
            yield self.line(BASE, batch, self.base)
            line = self.line(HUBSYNC, batch, self.hubsync)
            yield line if line.seconds is None else msgspec.structs.replace(line, parts=self.split(batch))

    def settle(self) -> str:
        """Warm up, count a picture's FLOPs, take fewer steps where one is slow; says how two ways differ."""
        rows = self.rows(1)
        self.base(rows, steps=1)
        if self.timed(lambda: self.base(rows)) > SLOW:
            self.steps = min(self.steps, FEWER)
        with FlopCounterMode(display=False) as counter:
            self.base(rows)
        self.flops = float(counter.get_total_flops())
        differences = (self.hubsync(rows) - self.one_by_one(rows)).abs()
        return f"differs from hubsync's by {float(differences.mean()):.0e}, {float(differences.max()):.0e} at most"

    def rows(self, batch: int) -> list[Row]:
        """Rows with a LoRA each, in turn, at four weights."""
        names = list(self.files)
        uses = [
            Applied(lora=names[at % len(names)], te=weight, unet=weight)
            for at, weight in ((at, (0.4, 0.6, 0.8, 1.0)[at // len(names) % 4]) for at in range(batch))
        ]
        return [Row(prompt=PROMPT, seed=seed, loras=(use,)) for seed, use in enumerate(uses, 1)]

    def request(self, rows: Sequence[Row], steps: int) -> Request:
        """All rows at once."""
        return Request(
            checkpoint="",
            steps=steps or self.steps,
            cfg=7.0,
            size=(self.size, self.size),
            batch=len(rows),
            loras=dict(self.files),
            rows=tuple(rows),
            folder=str(self.folder),
        )

    def one_by_one(self, rows: Sequence[Row], steps: int = 0) -> Tensor:
        """Load, set, draw, unload."""
        return torch.stack(peers.one_by_one(self.pipe, self.request(rows, steps), rows))

    def base(self, rows: Sequence[Row], steps: int = 0) -> Tensor:
        """The rows without their LoRAs."""
        return self.hubsync([msgspec.structs.replace(row, loras=()) for row in rows], steps)

    def hubsync(self, rows: Sequence[Row], steps: int = 0) -> Tensor:
        """As for a request: LoRAs read, prompts encoded, one batch."""
        pictures = dict(self.artist().draw(self.request(rows, steps)))
        return torch.stack([pictures[index] for index in range(len(rows))])

    def artist(self) -> drawing.Artist:
        """Who knows nothing yet."""
        table, device = table_of(components(self.pipe)), self.pipe.device
        wardrobe = Wardrobe(files=self.files, table=table, device=device, say=self.hear)
        return drawing.Artist(self.pipe, wardrobe, {}, self.hear)

    def hear(self, line: object) -> None:
        """Keep what the renderer notes: a batch that it had to halve is none of its size."""
        if isinstance(line, Note):
            self._heard.append(line.message)

    def mixed(self, batches: Sequence[int]) -> Iterator[Line]:
        """PEFT's way; loading is not counted but told."""
        if not batches:
            return
        rows, began, full = self.rows(max(batches)), clock(self.pipe.device), False
        try:
            with peers.mixed(self.pipe, self.request(rows, 0), rows):
                note = f"and {clock(self.pipe.device) - began:.1f} s to load {len(rows)} adapters"
                for batch in batches:
                    line = self.line(PEFT, batch, self.mixed_batch)
                    yield msgspec.structs.replace(line, note=line.note or note)
        except (RuntimeError, MemoryError) as error:
            if not drawing.is_out_of_memory(error):
                raise
            full = True
        if full:
            yield self.empty(PEFT, len(rows), f"{FULL} loading")

    def mixed_batch(self, rows: Sequence[Row], steps: int = 0) -> Tensor:
        """With the adapters that `mixed` loaded."""
        return peers.mixed_batch(self.pipe, self.request(rows, steps), rows)

    def line(self, way: str, batch: int, draw: Callable[..., object]) -> Line:
        """The medians of a way to draw a batch, once warm."""
        rows, runs, failed = self.rows(batch), [], ""
        self._heard.clear()
        self.tidy()
        try:
            draw(rows, steps=1)
            self.tidy(keep=True)
            runs = [self.timed(lambda: draw(rows)) for _ in range(self.rounds)]
        except HubsyncError as error:
            failed = error.message
        except (RuntimeError, MemoryError) as error:
            if not drawing.is_out_of_memory(error):
                raise
            failed = FULL
        failed = failed or next((said for said in self._heard if FULL in said), "")
        if failed:
            return self.empty(way, batch, failed)
        seconds = statistics.median(runs)
        rate, tflops = batch / seconds, self.flops * batch / seconds / 1e12
        self._rates[way, batch] = rate
        beside = {other: self._rates.get((other, 1 if other == ONE_BY_ONE else batch)) for other in (ONE_BY_ONE, PEFT)}
        return msgspec.structs.replace(
            self.empty(way, batch),
            seconds=seconds,
            rate=rate,
            memory=self._peak(),
            tflops=tflops,
            share=tflops / self.card.peak,
            faster={other: rate / theirs for other, theirs in beside.items() if theirs and other != way},
        )

    def empty(self, way: str, batch: int, note: str = "") -> Line:
        """A line without figures."""
        return Line(shape=self.shape, size=self.size, steps=self.steps, way=way, batch=batch, note=note)

    def tidy(self, *, keep: bool = False) -> None:
        """Begin a new peak; unless told to `keep` it, with what others have left on the card given back."""
        gc.collect()
        if self.pipe.device.type != "cuda":
            return
        if not keep:
            torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(self.pipe.device)

    def timed(self, draw: Callable[[], object]) -> float:
        """Seconds until the device is done."""
        began = clock(self.pipe.device)
        draw()
        return clock(self.pipe.device) - began

    def _peak(self) -> int:
        return torch.cuda.max_memory_allocated(self.pipe.device) if self.pipe.device.type == "cuda" else 0

    def split(self, batch: int) -> dict[str, float]:
        """Where the seconds of a request go, pictures written included."""
        watch, rows = Watch(self.pipe.device), self.rows(batch)
        began = clock(self.pipe.device)
        artist = self.artist()
        with watch.watching(self.pipe):
            watch.around("reading LoRAs", lambda: [artist.has(name) for name in {row.loras[0].lora for row in rows}])()
            for index, picture in artist.draw(self.request(rows, 0)):
                watch.around("PNG", save)(picture, self.folder / f"{index}.png")
        rest = clock(self.pipe.device) - began - sum(watch.parts.values())
        return {**watch.parts, "rest": rest}


@dataclass(slots=True)
class Watch:
    """Seconds by what they went into; the device is waited for before and after."""

    device: torch.device
    parts: dict[str, float] = field(default_factory=dict)

    def around(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same work, counted."""

        @functools.wraps(work)
        def counted(*args: object, **options: object) -> Any:
            began = clock(self.device)
            try:
                return work(*args, **options)
            finally:
                self.parts[part] = self.parts.get(part, 0.0) + clock(self.device) - began

        return counted

    @contextmanager
    def watching(self, pipe: Pipeline) -> Iterator[None]:
        """Within it, whatever the pipeline's parts do is counted."""

        @contextmanager
        def stacked(*args: Any) -> Iterator[Any]:
            with ExitStack() as entered:
                yield self.around("stacking LoRAs", entered.enter_context)(applied(*args))

        kinds = {name: "denoising" if name == "unet" else "text encoding" for name in components(pipe)}
        with ExitStack() as stack:
            for name, part in kinds.items():
                model = getattr(pipe, name)
                stack.enter_context(mock.patch.object(model, "forward", self.around(part, model.forward)))
            stack.enter_context(mock.patch.object(pipe.vae, "decode", self.around("VAE", pipe.vae.decode)))
            for module in (drawing, encoding):
                stack.enter_context(mock.patch.object(module, "applied", stacked))
            yield
