"""Runs a plan: the renderer draws, its lines become events, its pictures the outcome."""

from __future__ import annotations

import math
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from hubsync.domain import RenderKind, RenderOutcome
from hubsync.errors import HubsyncError, NoPermission
from hubsync.events import Advanced, Drawing, Finished, Noted, Pictured, Sink, Started
from hubsync.render import wire
from hubsync.render.gallery import publish, save_picture
from hubsync.render.plan import RenderPlan
from hubsync.render.resident import Renderer, error_of
from hubsync.render.sheet import contact_sheet

KEY = "render"
"""The key of a render's events."""

_PROBE_STEPS = 8
"""Steps of the trajectory on which words are tried; the renderer goes along its beginning only."""

_SCRATCH, _LOCK = ".drawing-", "lock"
"""How folders of unfinished pictures begin, and the file in them that is locked while they are drawn into."""

_PAUSE = 0.1
"""Seconds between two events that tell how far a render is."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def run(
    plan: RenderPlan,
    *,
    renderer: Renderer,
    sink: Sink,
    cancel: threading.Event,
    now: Callable[[], datetime] = _utc_now,
    clock: Callable[[], float] = time.perf_counter,
) -> RenderOutcome:
    """Draw the plan's rows and put pictures and contact sheet into `plan.out`; a renderer that fails leaves nothing.

    `load_seconds` of the outcome count from the renderer's turn at the request. Rows with a LoRA it refuses are left
    out.

    Raises:
        Cancelled: `cancel` was set; the renderer is stopped at once.
        RendererMissing, OutOfMemory, NotFound, WrongFamily, HubsyncError: as the renderer ends.
        NoPermission, NoSpace: the pictures cannot be written.
    """
    job = _Job(total=len(plan.drawn), sink=sink, clock=clock)
    sink(Started(key=KEY, label=", ".join(plan.subjects) or "base", total=job.total))
    for note in plan.notes:
        sink(Noted(key=KEY, message=note))
    with _scratch(plan.out) as folder:
        request = plan.request(folder)
        with renderer.ask(request, cancel=cancel) as lines:
            job.listen(lines)
        pictures = {request.rows[index]: path for index, path in job.pictures.items()}
        plan = plan.without(job.refused)
        missing = sum(row not in pictures for row in plan.drawn)
        if missing:
            drawn = f"{len(plan.drawn) - missing} of {len(plan.drawn)}"
            raise HubsyncError(f"the renderer drew {drawn} pictures", hint="hubsync doctor")
        renders = publish(plan, pictures, job.loaded, now())
    sheet = save_picture(contact_sheet(plan, renders), plan.out, "sheet") if len(renders) > 1 else None
    sink(Finished(key=KEY, message=f"{len(renders)} pictures in {plan.out}"))
    return RenderOutcome(
        renders=renders,
        sheet=sheet,
        device=job.loaded.device,
        dtype=job.loaded.dtype,
        load_seconds=job.load_seconds,
        seconds=job.seconds - job.load_seconds,
        refused=job.refused,
    )


def probe(
    plan: RenderPlan, words: Sequence[str], *, renderer: Renderer, sink: Sink, cancel: threading.Event
) -> tuple[float, ...]:
    """How much of what the plan's one LoRA changes is due to each word, 0..1, in their order; no picture is drawn.

    The words are tried before the plan's prompt and alone, with two seeds.

    Raises:
        Cancelled, RendererMissing, OutOfMemory, HubsyncError: as the renderer ends.
    """
    (name,) = plan.subjects
    row = next(row for row in plan.rows if row.kind is RenderKind.LORA)
    drawn, base = row.drawn, plan.rows[0].drawn
    use = next(use for use in drawn.loras if use.lora == name)
    contexts = (base, msgspec.structs.replace(base, prompt="", seed=base.seed + 1))
    asked = msgspec.structs.replace(plan.request(Path()), rows=contexts, steps=_PROBE_STEPS, cfg=1.0, sampler="")
    job = _Job(total=len(words), sink=sink, clock=time.perf_counter)
    sink(Started(key=KEY, label=f"{len(words)} words of {name}", total=job.total))
    with renderer.ask(wire.Probe(request=asked, use=use, words=tuple(words)), cancel=cancel) as lines:
        job.listen(lines)
    if error := job.refused.get(name):
        raise error
    sink(Finished(key=KEY, message=f"{len(words)} words tried"))
    return job.scores


@dataclass(slots=True, kw_only=True)
class _Job:
    """What the renderer has said so far. Seconds count from its turn at the request."""

    total: int
    sink: Sink
    clock: Callable[[], float]
    loaded: wire.Loaded = field(default_factory=lambda: wire.Loaded(device="", dtype="", sampler=""))
    load_seconds: float = 0.0
    seconds: float = 0.0
    pictures: dict[int, Path] = field(default_factory=dict)
    refused: dict[str, HubsyncError] = field(default_factory=dict)
    scores: tuple[float, ...] = ()
    _reached: float = 0.0
    _told: float = -math.inf
    _first: tuple[float, float] | None = None

    def listen(self, lines: Iterable[wire.Line]) -> None:
        """Take in everything until the renderer is done."""
        began = self.clock()
        for line in lines:
            self.seconds = self.clock() - began
            self._hear(line)

    def _hear(self, line: wire.Line) -> None:
        match line:
            case wire.Loaded():
                self.loaded, self.load_seconds = line, self.seconds
                self._tell(0.0, None)
            case wire.Note(message=message):
                self.sink(Noted(key=KEY, message=message))
            case wire.Refused(lora=lora):
                self.refused[lora] = error_of(line)
                self.sink(Noted(key=KEY, message=f"left out: {line.message}"))
            case wire.Drawing(rows=rows):
                self.sink(Drawing(key=KEY, rows=rows))
            case wire.Picture(row=row, path=path):
                self.pictures[row] = Path(path)
                self.sink(Pictured(key=KEY, row=row, path=self.pictures[row]))
                self._advance(len(self.pictures))
            case wire.Scores(scores=scores):
                self.scores = scores
            case wire.Progress(pictures=reached):
                self._advance(min(reached, self.total))
            case _:
                pass

    def _advance(self, reached: float) -> None:
        """Tell how far it is: forward only, ten times a second at most, the end for certain."""
        if reached <= self._reached or (self.seconds - self._told < _PAUSE and reached < self.total):
            return
        self._reached, self._told = reached, self.seconds
        self._tell(reached, self._left(reached))

    def _left(self, reached: float) -> float | None:
        """Seconds to go at the pace since the first step, which alone reads LoRAs, encodes prompts and warms up."""
        if self._first is None:
            self._first = self.seconds, reached
            return None
        then, before = self._first
        return (self.seconds - then) * (self.total - reached) / (reached - before)

    def _tell(self, reached: float, eta: float | None) -> None:
        share = reached / self.total
        self.sink(Advanced(key=KEY, done=int(reached), total=self.total, share=share, eta=eta))


def _sweep(out: Path) -> None:
    """Remove what renders left here, or beside, that were killed: nobody holds its lock."""
    from filelock import FileLock, Timeout

    for lock in (*out.glob(f"{_SCRATCH}*/{_LOCK}"), *out.parent.glob(f"*/{_SCRATCH}*/{_LOCK}")):
        with suppress(Timeout, OSError), FileLock(lock, timeout=0):
            shutil.rmtree(lock.parent, ignore_errors=True)
        with suppress(OSError):  # it holds pictures
            lock.parent.parent.rmdir()


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """A folder inside `out`, so that nothing is copied across file systems; what was made and is empty goes again."""
    from filelock import FileLock

    _sweep(out)
    existed = out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=out)
    except OSError as error:
        raise NoPermission(f"pictures cannot be written to {out}: {error.strerror}", hint="use --out DIR") from error
    try:
        with folder as name, FileLock(Path(name) / _LOCK):
            yield Path(name)
    finally:
        if not existed and not any(out.iterdir()):
            out.rmdir()
