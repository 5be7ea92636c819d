"""What every command shares: the global options, before or after the command, and the services they open."""

from __future__ import annotations

import functools
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from hubsync.cli.diagnostics import Narrator

if TYPE_CHECKING:
    from hubsync.config import Settings
    from hubsync.services.app import Hubsync

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Call:
    """The global options of one call, and what they open."""

    root: Path | None = None
    json: bool = False
    quiet: bool = False
    verbose: bool = False

    def settings(self) -> Settings:
        """Settings with the typed options on top."""
        from hubsync import config

        return config.load(options={"root": str(self.root)} if self.root else {})

    def open(self) -> Hubsync:
        """The services for the library these options mean."""
        from hubsync.services.opening import open_hubsync

        return open_hubsync(self.settings())

    @contextmanager
    def cancellable(self) -> Iterator[threading.Event]:
        """An event Ctrl-C sets, so that a job can end tidily; a second Ctrl-C ends it at once."""
        cancel = threading.Event()

        def on_interrupt(*_: object) -> None:
            if cancel.is_set():
                raise KeyboardInterrupt
            cancel.set()

        before = signal.signal(signal.SIGINT, on_interrupt)
        try:
            yield cancel
        finally:
            signal.signal(signal.SIGINT, before)

    def narrator(self) -> Narrator:
        """Where a service's events are told."""
        return Narrator(quiet=self.quiet)


_HASH_AFTER = 1.0
"""Seconds after which a TUI that stands open begins to hash."""


def on_screen() -> bool:
    """Whether the TUI can be shown: on a terminal, or through a program that draws it elsewhere (textual-serve)."""
    return (sys.stdin.isatty() and sys.stdout.isatty()) or "TEXTUAL_DRIVER" in os.environ


def open_tui(hubsync: Hubsync) -> None:
    """Run the TUI on these services; the one way from the command line into it."""
    gc.disable()  # until the first frame stands: nothing of what is made by then goes away
    from hubsync.tui.app import run

    if "TEXTUAL_DRIVER" in os.environ:
        from hubsync.web.orphans import end_without_a_reader

        end_without_a_reader()
    # Its imports would delay the first picture by a third.
    hashing = threading.Timer(_HASH_AFTER, hubsync.hash_by_the_way)
    hashing.daemon = True
    hashing.start()
    run(hubsync)


def leave(code: int) -> NoReturn:
    """End the process now, after everything is closed and written.

    A thread a silent hub still holds is not waited for, and no module is taken apart (47 ms after an install).
    """
    with suppress(BrokenPipeError):  # whoever read it has enough
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _remember(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Add one global option to the call, wherever it stands."""
    if value and parameter.name:
        context.find_root().obj = replace(context.find_root().obj or Call(), **{parameter.name: value})


def _option(*names: str, **settings: Any) -> Callable[[Command], Command]:  # noqa: ANN401
    return click.option(*names, callback=_remember, expose_value=False, is_eager=True, **settings)


_OPTIONS = (
    _option("--root", type=click.Path(path_type=Path), metavar="PATH", help="The library root."),
    _option("--json", is_flag=True, help="Print one JSON document on stdout."),
    _option("-q", "--quiet", is_flag=True, help="No narration on stderr."),
    _option("-v", "--verbose", is_flag=True, help="Show the traceback of an error."),
)


def global_options(command: Command) -> Command:
    """Add the global options to a command or group; they end in `Call`, not in the function's arguments."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def examples(*lines: str) -> str:
    """The end of a command's help: what people type."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


def choice(kind: type[StrEnum], *more: str) -> click.Choice[str]:
    """The values of an enumeration as typed on the command line; Click itself would offer its names."""
    return click.Choice([*(member.value for member in kind), *more])


def pass_call(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its `Call` as first argument, and the global options."""

    @click.pass_context
    @functools.wraps(command)
    def wrapped(context: click.Context, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        return context.invoke(command, context.find_root().obj or Call(), *args, **kwargs)

    return global_options(wrapped)
