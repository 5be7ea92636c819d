"""`update`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hubsync.cli import output
from hubsync.cli.common import Call, examples, pass_call
from hubsync.cli.diagnostics import batch_exit_code, report, say
from hubsync.cli.shapes import JSON, error_json, result_json
from hubsync.errors import UsageError

if TYPE_CHECKING:
    from hubsync.services.install import InstallResult
    from hubsync.services.updating import Checked


@click.command(
    "update",
    epilog=examples("hubsync update --check", "hubsync update sks_frame --replace", "hubsync update NAME --ignore"),
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--check", is_flag=True, help="Only say what is newer.")
@click.option("--replace", "replacing", is_flag=True, help="Move the old version to the trash.")
@click.option("--ignore", is_flag=True, help="Put NAMEs on the list of those never updated.")
@click.option("--no-ignore", is_flag=True, help="Take NAMEs off that list.")
@pass_call
def update_command(call: Call, names: tuple[str, ...], check: bool, replacing: bool, **options: bool) -> int:  # noqa: FBT001
    """Bring newer versions of the same base-model family, of all LoRAs or those named.

    They come beside the old ones, into the same folder; an old one stays until --replace or you move it to the trash.
    """
    pinning = options["ignore"] or options["no_ignore"]
    if pinning and not names:
        raise UsageError("name what to ignore", hint="hubsync update NAME --ignore")
    results: list[InstallResult] = []
    with call.open() as hubsync, call.cancellable() as cancel:
        loras = [hubsync.library.find(name) for name in names] or hubsync.library.list()
        if pinning:
            for lora in loras:
                hubsync.updating.pin(lora, pinned=options["ignore"])
            loras, check = [hubsync.library.find(str(lora.path)) for lora in loras], True
        hubsync.hash_by_the_way()
        checked = hubsync.updating.check(loras, sink=call.narrator(), cancel=cancel)
        if not check:
            plans = hubsync.updating.plan(checked)
            results = hubsync.updating.run(plans, replacing=replacing, sink=call.narrator(), cancel=cancel)
    return _finish(call, checked, results)


def _finish(call: Call, checked: list[Checked], results: list[InstallResult]) -> int:
    if call.json:
        output.emit_json(
            {"items": [_checked_json(one) for one in checked], "results": [result_json(one) for one in results]}
        )
    else:
        for one in checked:
            if one.status == "outdated" and not results:
                output.emit(f"{one.lora.name}: {one.newer} is newer than {one.lora.ref}")
            elif one.status == "pinned":
                output.emit(f"{one.lora.name}: ignored")
        for result in results:
            output.emit(
                f"{result.status.replace('_', ' ')}: {result.installed.name if result.installed else result.asked}"
            )
    errors = [error for error in (*(one.error for one in checked), *(one.error for one in results)) if error]
    for error in errors:
        report(error)
    if not call.quiet and not any(one.status == "outdated" for one in checked) and not errors:
        say("everything is as new as it gets")
    return batch_exit_code(errors)


def _checked_json(checked: Checked) -> JSON:
    return {
        "name": checked.lora.name,
        "path": str(checked.lora.path),
        "ref": str(checked.lora.ref) if checked.lora.ref else None,
        "status": checked.status,
        "newer": str(checked.newer) if checked.newer else None,
        "error": error_json(checked.error) if checked.error else None,
    }
