"""`demo`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from hubsync.cli import output
from hubsync.cli.common import Call, examples, on_screen, open_tui, pass_call


@click.command("demo", epilog=examples("hubsync demo", "hubsync demo --tour"))
@click.option("--tour", is_flag=True, help="Walk the whole job once and print it, instead of opening the TUI.")
@pass_call
def demo_command(call: Call, tour: bool) -> int:  # noqa: FBT001
    """Try everything in a sandbox: both hubs on loopback, real small LoRAs, a throw-away library.

    Opens the TUI on a terminal; otherwise, or with --tour, runs the commands of the whole job one by one.
    """
    if tour or not on_screen():
        from hubsync.sandbox.tour import take_tour

        # Kept after the tour: its last line names pictures to look at.
        return take_tour(call.root or Path(tempfile.mkdtemp(prefix="hubsync-demo-")), output.emit)
    with tempfile.TemporaryDirectory(prefix="hubsync-demo-") as folder:
        _play(call.root or Path(folder))
    return 0


def _play(root: Path) -> None:
    from hubsync import config
    from hubsync.sandbox.playground import playground
    from hubsync.services.opening import open_hubsync

    with playground(root) as ground, open_hubsync(config.load(environ=ground.environ)) as hubsync:
        open_tui(hubsync)
