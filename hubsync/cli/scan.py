"""`scan`, `verify` and `duplicates`: the library against the disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hubsync.cli import output
from hubsync.cli.common import Call, examples, pass_call
from hubsync.cli.diagnostics import EXIT_CODES, say
from hubsync.cli.shapes import JSON

if TYPE_CHECKING:
    from hubsync.services.app import Hubsync
    from hubsync.services.checking import Verdict
    from hubsync.services.scanning import Scanned

_CODES = {"changed": "hash_mismatch", "missing": "not_found"}


@click.command(
    "scan", epilog=examples("hubsync scan", "hubsync scan models/Lora/new --no-identify", "hubsync scan --rehash")
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--identify/--no-identify", default=True, help="Ask Civitai what files are.  [default: identify]")
@click.option("--rehash", is_flag=True, help="Hash every file now, and compare.")
@pass_call
def scan_command(call: Call, paths: tuple[Path, ...], identify: bool, rehash: bool) -> None:  # noqa: FBT001
    """Read the disk into the library; recognise files by hash.

    What is new, changed, moved or gone since the last time, in the LoRA and embedding folders or in the PATHs named;
    other tools' sidecars are read as well. What needs a human is listed at the end.
    """
    with call.open() as hubsync, call.cancellable() as cancel:
        scanned = hubsync.scanning.scan(paths, identify=identify, rehash=rehash, sink=call.narrator(), cancel=cancel)
    shape = _scanned_json(scanned, hubsync)
    if call.json:
        output.emit_json(shape)
        return
    counts = ("added", "updated", "removed", "unchanged", "identified")
    output.emit(", ".join(f"{shape[name]} {name}" for name in counts) + f" in {scanned.seconds:.2f} s")
    for problem in shape["problems"]:
        output.emit(f"{problem['code']}: {problem['path']}: {problem['message']}")
    if scanned.unhashed and not call.quiet:
        say(
            f"note: {scanned.unhashed} files are not hashed, so no hub can be asked about them yet: later commands do "
            "it by the way, `hubsync scan --rehash` now"
        )


def _scanned_json(scanned: Scanned, hubsync: Hubsync) -> JSON:
    """The answer of `scan`."""
    return {
        "added": scanned.added,
        "updated": scanned.updated,
        "removed": scanned.removed,
        "unchanged": scanned.unchanged,
        "identified": scanned.identified,
        "problems": [
            {"path": str(hubsync.root.path / problem.path), "code": problem.code, "message": problem.message}
            for problem in scanned.problems
        ],
        "seconds": round(scanned.seconds, 3),
        "unhashed": scanned.unhashed,
    }


@click.command("verify", epilog=examples("hubsync verify", "hubsync verify sks_frame"))
@click.argument("names", nargs=-1, metavar="[NAME]...")
@pass_call
def verify_command(call: Call, names: tuple[str, ...]) -> int:
    """Hash files again, all or those named, and compare.

    Rot is reported and never repaired: exit 6 if bytes changed, 3 if files are gone, 1 for both.
    """
    with call.open() as hubsync, call.cancellable() as cancel:
        loras = [hubsync.library.find(name) for name in names] or hubsync.library.list()
        verdicts = hubsync.checking.verify(loras, sink=call.narrator(), cancel=cancel)
    if call.json:
        output.emit_json({"items": [_verdict_json(verdict) for verdict in verdicts]})
    else:
        rows = ((verdict.status, verdict.lora.name, str(verdict.lora.path)) for verdict in verdicts)
        output.emit_table(rows, header=("STATUS", "NAME", "PATH"))
    if not call.quiet:
        _say_what_to_do(verdicts)
    codes = {_CODES[verdict.status] for verdict in verdicts if verdict.status in _CODES}
    return (EXIT_CODES[codes.pop()] if len(codes) == 1 else 1) if codes else 0


def _verdict_json(verdict: Verdict) -> JSON:
    return {"name": verdict.lora.name, "path": str(verdict.lora.path), "status": verdict.status}


def _say_what_to_do(verdicts: list[Verdict]) -> None:
    for verdict in verdicts:
        lora = verdict.lora
        if verdict.status == "changed":
            again = f"hubsync install '{lora.ref}' --force brings it again" if lora.ref else "look for a copy of it"
            say(f"error: {lora.name} is not what it was; {again}")
        elif verdict.status == "missing":
            say(f"error: the file of {lora.name} is gone; `hubsync scan` finds it if it was moved")


@click.command("duplicates")
@pass_call
def duplicates_command(call: Call) -> None:
    """List what is there twice.

    The same bytes, the same weights under another header, the same name in two folders, a name that is another file's
    alias. The last two make tools load the wrong file.
    """
    with call.open() as hubsync, call.cancellable() as cancel:
        groups = hubsync.checking.duplicates(sink=call.narrator(), cancel=cancel)
    shapes = [
        {
            "kind": group.kind,
            "names": [lora.name for lora in group.loras],
            "paths": [str(lora.path) for lora in group.loras],
        }
        for group in groups
    ]
    if call.json:
        output.emit_json({"groups": shapes})
        return
    for shape in shapes:
        output.emit(str(shape["kind"]).replace("_", " "))
        for path in shape["paths"]:
            output.emit(f"  {path}")
    if not shapes and not call.quiet:
        say("nothing is there twice")
