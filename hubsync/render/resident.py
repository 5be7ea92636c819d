"""The renderer of a session: started by the first request, kept for the next ones, ended when nobody needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Self

import msgspec

from hubsync.config import Settings
from hubsync.errors import (
    Cancelled,
    Gated,
    HubsyncError,
    NotFound,
    NotSafetensors,
    OutOfMemory,
    RendererMissing,
    UnsafeFile,
    UsageError,
    WrongFamily,
)
from hubsync.render.child import GRACE, POLL, Child
from hubsync.render.wire import AnyRequest, Done, Failure, Line, Loaded, Note, Refused, decode_line, encode

_REFUSALS = (Gated, NotFound, NotSafetensors, UnsafeFile, UsageError, WrongFamily)
"""What is wrong with a request, not with the process: it stays. After any other failure, such as memory that ran out
or a CUDA error, which spoils the device for the rest of the process, a fresh one does better."""

_ERRORS: Mapping[str, type[HubsyncError]] = {kind.code: kind for kind in (*_REFUSALS, OutOfMemory, RendererMissing)}
_NOTHING: Mapping[str, str] = MappingProxyType({})


class Renderer:
    """Asks one process after another, never two at once; any thread may ask.

    `command` starts the process, with `environment` added to this one's. It is stopped after `timeout` seconds of
    silence while it works, and after `idle` seconds without a request.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] = _NOTHING,
        timeout: float = 3600.0,
        idle: float = 300.0,
    ) -> None:
        self._command = command
        self._environment = environment
        self._timeout = timeout
        self._idle = idle
        self._turn = threading.Lock()
        self._closed = threading.Event()
        # Whoever has the turn owns the rest.
        self._child: Child | None = None
        self._loaded = ""
        self._timer: threading.Timer | None = None

    @contextmanager
    def ask(self, request: AnyRequest, *, cancel: threading.Event) -> Iterator[Iterator[Line]]:
        """Wait for the turn, then give the renderer's lines as they come, the last one Done.

        A line that is none of the renderer's is passed over. A note comes first if the checkpoint has to be loaded. The
        process is kept once Done has come, or a failure that is the request's own; whatever else happens ends it.

        Raises:
            Cancelled: `cancel` was set, or the renderer closed.
            HubsyncError: what the renderer reported, or how it ended without a word.
        """

        def stopped() -> bool:
            return cancel.is_set() or self._closed.is_set()

        while not self._turn.acquire(timeout=POLL):
            if stopped():
                raise Cancelled
        try:
            if stopped():
                raise Cancelled
            self._stay_awake()
            with closing(self._answers(request, stopped)) as lines:
                yield lines
        finally:
            self._turn.release()

    def close(self) -> None:
        """End the process, its threads and whatever request is under way; from here on all are Cancelled."""
        self._closed.set()
        # A request that is heard ends within POLL and GRACE; one whose lines nobody takes is not waited for.
        in_turn = self._turn.acquire(timeout=2 * GRACE)
        timer = self._stay_awake()
        self._end()
        if in_turn:
            self._turn.release()
        if timer is not None:
            timer.join(GRACE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answers(self, request: AnyRequest, stopped: Callable[[], bool]) -> Generator[Line]:
        usable = False
        try:
            if not self._holds(request.checkpoint):
                yield Note(message=f"loading {_name(request.checkpoint)}")
            self._loaded = ""
            for line in self._heard(request, stopped):
                message = _understood(line)
                if isinstance(message, Failure):
                    error = error_of(message)
                    usable = isinstance(error, _REFUSALS)
                    raise error
                if isinstance(message, Loaded):
                    self._loaded = request.checkpoint
                usable = isinstance(message, Done)
                if message is not None:
                    yield message
                if usable:
                    return
            if self._child is not None:
                raise self._child.crashed()
        finally:
            if usable:
                self._rest()
            else:
                self._end()

    def _holds(self, checkpoint: str) -> bool:
        return self._child is not None and self._child.ready() and self._loaded == checkpoint

    def _heard(self, request: AnyRequest, stopped: Callable[[], bool]) -> Iterator[bytes]:
        """The process's lines. One that was kept and ends before its first was ending already: a fresh one is asked."""
        if self._child is not None and self._child.ready():
            lines = self._child.ask(encode(request), stopped=stopped, timeout=self._timeout)
            first = next(lines, None)
            if first is not None:
                yield first
                yield from lines
                return
        self._end()
        self._child = Child(self._command, self._environment)
        yield from self._child.ask(encode(request), stopped=stopped, timeout=self._timeout)

    def _rest(self) -> None:
        """Nothing to do: end the process unless that changes."""
        self._timer = threading.Timer(self._idle, self._fall_asleep)
        self._timer.daemon = True
        self._timer.start()

    def _fall_asleep(self) -> None:
        with self._turn:
            if self._timer is threading.current_thread():
                self._end()

    def _stay_awake(self) -> threading.Timer | None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        return timer

    def _end(self) -> None:
        child, self._child, self._loaded = self._child, None, ""
        if child is not None:
            child.stop()


def renderer_of(settings: Settings, command: Sequence[str]) -> Renderer:
    """The renderer `command` starts, which fetches checkpoints from Hugging Face as the settings say."""
    hub = settings.huggingface
    return Renderer(
        command,
        environment={"HF_ENDPOINT": hub.endpoint, **({"HF_TOKEN": hub.token} if hub.token else {})},
        timeout=settings.render.timeout,
        idle=settings.render.idle,
    )


def error_of(told: Failure | Refused) -> HubsyncError:
    """What the renderer reports, as the error of hubsync's own it is."""
    return _ERRORS.get(told.code, HubsyncError)(told.message, hint=told.hint)


def _understood(line: bytes) -> Line | None:
    try:
        return decode_line(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _name(checkpoint: str) -> str:
    """A file or folder by its own name, a repository by its full one."""
    return Path(checkpoint).name if Path(checkpoint).is_absolute() else checkpoint
