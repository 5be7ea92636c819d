"""Runs a plan: the child process draws, its lines become events, its pictures the outcome."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from hubsync.domain import RenderOutcome
from hubsync.errors import HubsyncError, NoPermission
from hubsync.events import Advanced, Finished, Noted, Sink, Started
from hubsync.render import wire
from hubsync.render.child import answers
from hubsync.render.gallery import publish, save_picture
from hubsync.render.plan import RenderPlan
from hubsync.render.sheet import contact_sheet

KEY = "render"
"""The key of a render's events."""

_NOTHING: Mapping[str, str] = MappingProxyType({})


def _utc_now() -> datetime:
    return datetime.now(UTC)


def run(
    plan: RenderPlan,
    *,
    command: Sequence[str],
    sink: Sink,
    cancel: threading.Event,
    timeout: float = 3600.0,
    now: Callable[[], datetime] = _utc_now,
    environment: Mapping[str, str] = _NOTHING,
) -> RenderOutcome:
    """Draw the plan's rows and put pictures and contact sheet into `plan.out`; a renderer that fails leaves nothing.

    `command` starts the renderer, with `environment` added to this process's; `timeout` is in seconds of silence.
    `load_seconds` of the outcome count from the start of the process.

    Raises:
        Cancelled: `cancel` was set; the renderer is stopped at once.
        RendererMissing, OutOfMemory, NotFound, WrongFamily, HubsyncError: as the renderer ends.
        NoPermission, NoSpace: the pictures cannot be written.
    """
    job = _Job(total=len(plan.drawn), sink=sink)
    sink(Started(key=KEY, label=", ".join(plan.subjects) or "base", total=job.total))
    for note in plan.notes:
        sink(Noted(key=KEY, message=note))
    with _scratch(plan.out) as folder:
        request = plan.request(folder)
        began = time.perf_counter()
        with closing(answers(command, request, cancel=cancel, timeout=timeout, environment=environment)) as lines:
            for line in lines:
                job.hear(line, time.perf_counter() - began)
        pictures = {request.rows[index]: path for index, path in job.pictures.items()}
        if len(pictures) < job.total:
            raise HubsyncError(f"the renderer drew {len(pictures)} of {job.total} pictures", hint="hubsync doctor")
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
    )


@dataclass(slots=True)
class _Job:
    """What the renderer has said so far. Seconds count from its start."""

    total: int
    sink: Sink
    loaded: wire.Loaded = field(default_factory=lambda: wire.Loaded(device="", dtype="", sampler=""))
    load_seconds: float = 0.0
    seconds: float = 0.0
    pictures: dict[int, Path] = field(default_factory=dict)
    _shown: int = 0

    def hear(self, line: wire.Line, seconds: float) -> None:
        """Take one line; progress is told on in whole pictures, forward only."""
        self.seconds = seconds
        match line:
            case wire.Loaded():
                self.loaded, self.load_seconds = line, seconds
            case wire.Note(message=message):
                self.sink(Noted(key=KEY, message=message))
            case wire.Picture(row=row, path=path):
                self.pictures[row] = Path(path)
                self._advance(len(self.pictures))
            case wire.Progress(pictures=done):
                self._advance(int(done))
            case _:
                pass

    def _advance(self, done: int) -> None:
        if done > self._shown:
            self._shown = done
            self.sink(Advanced(key=KEY, done=done, total=self.total))


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """A folder inside `out`, so that nothing is copied across file systems; what was made and is empty goes again."""
    existed = out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix=".drawing-", dir=out)
    except OSError as error:
        raise NoPermission(f"pictures cannot be written to {out}: {error.strerror}", hint="use --out DIR") from error
    try:
        with folder as name:
            yield Path(name)
    finally:
        if not existed and not any(out.iterdir()):
            out.rmdir()
