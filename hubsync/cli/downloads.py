"""`downloads`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from hubsync.cli import output
from hubsync.cli.common import Call, examples, pass_call
from hubsync.cli.diagnostics import say
from hubsync.cli.install import finish
from hubsync.cli.shapes import JSON
from hubsync.errors import UsageError

if TYPE_CHECKING:
    from hubsync.services.queueing import Unfinished


@click.group(
    "downloads",
    invoke_without_command=True,
    epilog=examples("hubsync downloads", "hubsync downloads resume", "hubsync downloads cancel NAME"),
)
@click.pass_context
@pass_call
def downloads_command(call: Call, context: click.Context) -> None:
    """List, resume or cancel downloads that are not done.

    They were interrupted or paused, or wait for a hub that was down. Without a command they are listed.
    """
    if context.invoked_subcommand is None:
        _list(call)


@downloads_command.command("list")
@pass_call
def downloads_list(call: Call) -> None:
    """List every one, with how far it is."""
    _list(call)


def _list(call: Call) -> None:
    with call.open() as hubsync:
        entries = hubsync.downloads.unfinished()
    if call.json:
        output.emit_json({"items": [_json(entry) for entry in entries]})
    elif entries:
        output.emit_table(map(_row, entries), header=("NAME", "REF", "DONE", "SIZE", "STATE"))
    elif not call.quiet:
        say("every download is done")


@downloads_command.command("resume")
@click.argument("names", nargs=-1, metavar="[NAME|REF]...")
@pass_call
def downloads_resume(call: Call, names: tuple[str, ...]) -> int:
    """Go on with those named, or with all, from where they stopped."""
    with call.open() as hubsync, call.cancellable() as cancel:
        entries = hubsync.downloads.find(names)
        results = hubsync.install.resume(entries, sink=call.narrator(), cancel=cancel)
    return finish(call, results)


@downloads_command.command("cancel")
@click.argument("names", nargs=-1, metavar="NAME|REF...")
@click.option("--all", "everything", is_flag=True, help="Every one.")
@pass_call
def downloads_cancel(call: Call, names: tuple[str, ...], everything: bool) -> None:  # noqa: FBT001
    """Give downloads up: what came of them is removed."""
    if not names and not everything:
        raise UsageError("which download?", hint="name it, or --all")
    with call.open() as hubsync:
        entries = hubsync.downloads.find(names)
        for entry in entries:
            hubsync.downloads.cancel(entry.ref)
    if call.json:
        output.emit_json({"cancelled": [entry.ref for entry in entries]})
    elif not call.quiet:
        say(f"given up: {', '.join(entry.name for entry in entries) or 'nothing'}")


def _state(entry: Unfinished) -> str:
    return "running" if entry.busy else "failed" if entry.error else "interrupted"


def _json(entry: Unfinished) -> JSON:
    return {
        "ref": entry.ref,
        "name": entry.name,
        "done": entry.done,
        "size": entry.size,
        "state": _state(entry),
        "error": entry.error,
    }


def _row(entry: Unfinished) -> tuple[str, ...]:
    share = f"{entry.done / entry.size:.0%}" if entry.size else output.human_size(entry.done)
    why = f": {entry.error}" if entry.error and not entry.busy else ""
    # A commit is 40 characters nobody reads.
    return (
        entry.name,
        re.sub("@[0-9a-f]{40}", "", entry.ref),
        share,
        output.human_size(entry.size),
        f"{_state(entry)}{why}",
    )
