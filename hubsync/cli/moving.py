"""`remove`, `restore` and `move`: a LoRA with everything that belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from hubsync.cli import output
from hubsync.cli.common import Call, examples, pass_call
from hubsync.cli.diagnostics import batch_exit_code, report, say
from hubsync.cli.shapes import JSON, error_json, installed_json
from hubsync.errors import HubsyncError, UsageError

if TYPE_CHECKING:
    from hubsync.services.app import Hubsync


@click.command("remove", epilog=examples("hubsync remove sks_frame", "hubsync remove --empty-trash"))
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--empty-trash", is_flag=True, help="Delete for good what was removed before.")
@pass_call
def remove_command(call: Call, names: tuple[str, ...], empty_trash: bool) -> int:  # noqa: FBT001
    """Move LoRAs to the trash, with every sidecar and preview.

    `hubsync restore` brings them back; the trash lies in the library, in .hubsync/trash.
    """
    if not names and not empty_trash:
        raise UsageError("name what to remove", hint="hubsync remove NAME")
    with call.open() as hubsync:
        if empty_trash:
            say(f"{hubsync.relocating.empty()} removed LoRAs are deleted for good")
        items, errors = _remove_all(hubsync, names)
    if call.json:
        output.emit_json({"items": items})
    else:
        for item in items:
            output.emit(f"failed: {item['name']}" if "error" in item else f"removed: {item['name']}")
    for failure in errors:
        report(failure)
    if len(errors) < len(items) and not call.quiet:
        say("hubsync restore NAME brings it back")
    return batch_exit_code(errors)


def _remove_all(hubsync: Hubsync, names: Sequence[str]) -> tuple[list[JSON], list[HubsyncError]]:
    """One that cannot be removed does not end the others; alone, it is the command's own failure."""
    items: list[JSON] = []
    errors: list[HubsyncError] = []
    for name in names:
        try:
            items.append(_removed(hubsync, name))
        except HubsyncError as error:
            if len(names) == 1:
                raise
            errors.append(error)
            items.append({"name": name, "error": error_json(error)})
    return items, errors


def _removed(hubsync: Hubsync, name: str) -> JSON:
    lora = hubsync.library.find(name)
    trashed = hubsync.relocating.remove(lora)
    files = [str(path) for path in trashed.places]
    return {"name": lora.name, "path": str(lora.path), "trash": str(trashed.folder), "files": files}


@click.command("restore", epilog=examples("hubsync restore", "hubsync restore sks_frame"))
@click.argument("name", default="")
@pass_call
def restore_command(call: Call, name: str) -> None:
    """Bring a removed LoRA back to where it was, or list the trash.

    Without NAME the trash is listed, the newest first.
    """
    with call.open() as hubsync:
        if not name:
            trash = hubsync.relocating.trash()
            items = [
                {
                    "name": one.name,
                    "removed_at": one.removed_at.isoformat(),
                    "size": one.size,
                    "path": str(one.places[0]),
                }
                for one in trash
            ]
            if call.json:
                output.emit_json({"items": items})
                return
            rows = ((one.name, f"{one.removed_at:%Y-%m-%d %H:%M}", output.human_size(one.size)) for one in trash)
            output.emit_table(rows, header=("NAME", "REMOVED", "SIZE"))
            return
        lora = hubsync.relocating.restore(name)
    if call.json:
        output.emit_json(installed_json(lora))
    else:
        output.emit(f"restored: {lora.name} ({lora.path})")


@click.command(
    "move", epilog=examples('hubsync move sks_frame --to "white frame"', "hubsync move sks_frame --to styles/")
)
@click.argument("name")
@click.option("--to", required=True, metavar="STEM|FOLDER/", help="The new name, or the folder (it ends in /).")
@pass_call
def move_command(call: Call, name: str, to: str) -> None:
    """Rename a LoRA, or move it below the LoRA folder, with every sidecar and preview.

    All of it goes, or nothing; nothing is ever written over.
    """
    with call.open() as hubsync:
        lora = hubsync.relocating.move(hubsync.library.find(name), to)
    if call.json:
        output.emit_json(installed_json(lora))
    else:
        output.emit(f"moved: {lora.name} ({lora.path})")
