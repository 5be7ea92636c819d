"""`install`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hubsync.cli import output
from hubsync.cli.common import Call, examples, pass_call
from hubsync.cli.diagnostics import batch_exit_code, report, say
from hubsync.cli.shapes import result_json
from hubsync.errors import Cancelled, NotFound, UsageError

if TYPE_CHECKING:
    from hubsync.config import Settings
    from hubsync.services.choosing import InstallOptions
    from hubsync.services.install import InstallResult


@click.command(
    "install",
    epilog=examples(
        "hubsync install civitai:123456 hf:owner/repo",
        "hubsync install civitai:123456@7 --dry-run",
        "hubsync install civitai:123456 --name my_style",
        "hubsync install --from list.txt -j 4",
    ),
)
@click.argument("refs", nargs=-1, metavar="REF...")
@click.option("--file", metavar="NAME", help="Which file of the version or repository.")
@click.option("--name", metavar="STEM", help="The name it gets here, used in <lora:STEM:1>.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; download nothing.")
@click.option("--force", is_flag=True, help="Download again what is already here.")
@click.option("--no-preview", is_flag=True, help="Save no preview picture.")
@click.option("--allow-pickle", is_flag=True, help="Install a pickle (.ckpt .pt .bin), which can run code when loaded.")
@click.option("--allow-archive", is_flag=True, help="Install an archive as it is.")
@click.option("--allow-failed-scan", is_flag=True, help="Install what the hub's malware scan calls dangerous.")
@click.option("--from", "listed", type=click.Path(path_type=Path), metavar="FILE", help="One REF a line; # comments.")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1, 16),
    metavar="N",
    help="References and downloads at the same time.  [default: 8]",
)
@pass_call
def install_command(
    call: Call,
    refs: tuple[str, ...],
    listed: Path | None,
    dry_run: bool,  # noqa: FBT001
    **options: str | int | bool | None,
) -> int:
    """Download REFs, verify them, and place them in the library.

    Bytes get their name once they are those the hub promises (SHA-256); sidecars and a preview are written beside them.
    What is interrupted goes on with `hubsync downloads resume`, or with the same command again. REF is
    civitai:MODEL@VERSION, hf:OWNER/REPO[/FILE], sha256:…, or a page's address.
    """
    wanted = [*refs, *(_read_list(listed) if listed else [])]
    if not wanted:
        raise UsageError("nothing to install", hint="hubsync install REF, for example civitai:123")
    if len(wanted) > 1 and (options["file"] or options["name"]):
        raise UsageError("--file and --name go with one REF")
    with call.open() as hubsync, call.cancellable() as cancel:
        hubsync.warm_up()
        from hubsync.services.install import planned

        jobs = int(options["jobs"]) if options["jobs"] else None
        plans = hubsync.install.plan(wanted, _options(hubsync.settings, options), jobs=jobs)
        if dry_run:
            return finish(call, [planned(plan) for plan in plans])
        try:
            results = hubsync.install.run(plans, sink=call.narrator(), cancel=cancel, jobs=jobs)
        except Cancelled:
            if not call.quiet:
                say("what came is kept: `hubsync downloads resume` goes on with it")
            raise
    return finish(call, results)


def _options(settings: Settings, options: Mapping[str, str | int | bool | None]) -> InstallOptions:
    from hubsync.services.choosing import InstallOptions, Risk

    return InstallOptions(
        file=str(options["file"]) if options["file"] else None,
        name=str(options["name"]) if options["name"] else None,
        force=bool(options["force"]),
        previews=settings.install.previews and not options["no_preview"],
        risks=frozenset(risk for risk in Risk if options[f"allow_{risk}"]),
    )


def _read_list(path: Path) -> list[str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}") from error
    texts = (line.split(" #")[0].strip() for line in lines)
    return [text for text in texts if text and not text.startswith("#")]


def finish(call: Call, results: Sequence[InstallResult]) -> int:
    """Print results; the code to exit with."""
    if call.json:
        output.emit_json({"results": [result_json(result) for result in results]})
    for result in results:
        if result.error is not None:
            if not call.quiet and len(results) > 1:
                say(f"{result.asked}:")
            report(result.error)
        elif not call.json:
            _print_one(result)
    return batch_exit_code([result.error for result in results if result.error])


def _print_one(result: InstallResult) -> None:
    shape = result_json(result)
    output.emit(f"{shape['status'].replace('_', ' ')}: {shape['name']}")
    output.emit_fields(
        (
            ("  path", shape["path"]),
            ("  size", output.human_size(shape["size"])),
            ("  base model", shape["base_model"]),
            ("  trigger words", output.human_words(shape["trigger_words"]) or "none"),
            ("  weight", None if shape["weight"] is None else f"{shape['weight']:g}"),
            ("  sha256", shape["sha256"]),
            *(("  note", note) for note in shape["notes"]),
            ("  free space", output.human_size(shape["space_left"]) if result.status == "planned" else None),
        )
    )
