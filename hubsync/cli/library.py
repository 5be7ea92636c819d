"""`list`, `info` and `inspect`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from hubsync.cli import output
from hubsync.cli.common import Call, choice, examples, pass_call
from hubsync.cli.diagnostics import EXIT_CODES, say
from hubsync.cli.shapes import JSON, installed_json
from hubsync.domain import Installed, ListFilter, ListSort
from hubsync.refs import Source


@click.command(
    "list",
    epilog=examples(
        "hubsync list",
        "hubsync list hat --family sdxl",
        "hubsync list --outdated --json",
    ),
)
@click.argument("text", default="")
@click.option("--base", metavar="NAME", help="Only of this base model.")
@click.option("--family", metavar="NAME", help="Only of this base-model family (sd1, sdxl, flux1, …).")
@click.option("--tag", help="Only with this tag.")
@click.option("--source", type=choice(Source), help="Only from this hub.")
@click.option("--trigger", metavar="WORD", help="Only with this trigger word.")
@click.option("--outdated", is_flag=True, help="Only those with a newer version.")
@click.option("--missing", is_flag=True, help="Only those whose file is gone.")
@click.option("--sort", type=choice(ListSort), default=ListSort.NAME.value, show_default=True, help="The order.")
@pass_call
def list_command(call: Call, text: str, source: str | None, sort: str, **options: str | None) -> None:
    """List the library.

    TEXT is any part of names, trigger words, tags and creators; what fits best comes first.
    """
    wanted = ListFilter(
        text=text,
        base=options["base"],
        family=options["family"],
        tag=options["tag"],
        source=Source(source) if source else None,
        trigger=options["trigger"],
        outdated=bool(options["outdated"]),
        missing=bool(options["missing"]),
        sort=ListSort(sort),
    )
    with call.open() as hubsync:
        loras = hubsync.library.list(wanted)
    if call.json:
        output.emit_json({"items": [installed_json(lora) for lora in loras]})
        return
    if loras:
        header = ("NAME", "FAMILY", "WEIGHT", "SIZE", "TRIGGER WORDS")
        output.emit_table(map(_row, loras), header=header)
    elif not call.quiet:
        say(
            "nothing here yet: `hubsync scan` reads the LoRAs that lie there, `hubsync search TEXT` finds more"
            if wanted == ListFilter()
            else "none fits"
        )


def _row(lora: Installed) -> tuple[str, ...]:
    return (
        f"{lora.name}{' (missing)' if lora.missing else ''}",
        lora.family or "",
        "" if lora.weight is None else f"{lora.weight:g}",
        output.human_size(lora.size),
        output.short_words(lora.trigger_words),
    )


@click.command("info", epilog=examples("hubsync info sks_frame", "hubsync info civitai:123456 --json"))
@click.argument("name")
@pass_call
def info_command(call: Call, name: str) -> None:
    """Show everything known of one installed LoRA.

    NAME is its file's name without the ending, its path, or its REF, in any case.
    """
    with call.open() as hubsync:
        lora = hubsync.library.find(name)
    if call.json:
        output.emit_json(installed_json(lora))
        return
    output.emit(lora.title)
    output.emit_fields((label, value) for label, value in _fields(lora))


def _fields(lora: Installed) -> tuple[tuple[str, object], ...]:
    rank = "" if lora.rank is None else f", rank {lora.rank}"
    alpha = "" if lora.alpha is None else f", alpha {lora.alpha:g}"
    return (
        ("name", lora.name),
        ("path", f"{lora.path}{' (missing)' if lora.missing else ''}"),
        ("alias", lora.alias if lora.alias != lora.name else None),
        ("ref", lora.ref),
        ("by", lora.creator),
        ("type", lora.type.value),
        ("base model", lora.base_model),
        ("family", lora.family),
        ("network", f"{lora.network}{rank}{alpha}" if lora.network else None),
        ("size", output.human_size(lora.size)),
        ("sha256", lora.sha256),
        ("autov3", lora.autov3),
        ("newer version", lora.newer),
        ("updates", "ignored" if lora.pinned else None),
        *(
            (f"trigger group {group.index}{'*' if group.enabled else ''}", ", ".join(group.texts))
            for group in lora.groups
        ),
        ("weight", None if lora.weight is None else f"{lora.weight:g}"),
        ("negative", lora.negative),
        ("notes", lora.notes),
        ("tags", ", ".join(lora.tags)),
        ("preview", lora.preview),
        ("installed", lora.installed_at.isoformat(timespec="seconds") if lora.installed_at else None),
        ("renders", lora.renders or None),
    )


@click.command("inspect", epilog=examples("hubsync inspect models/Lora/sks_frame.safetensors"))
@click.argument("file", type=click.Path(path_type=Path))
@pass_call
def inspect_command(call: Call, file: Path) -> int:
    """Read a safetensors FILE's header: what it is, without loading a tensor.

    Kind, network, base-model family, rank, alpha, hashes, and the trigger words its author wrote into it. A damaged
    file is told as far as it can be read, with exit 6.
    """
    with call.open() as hubsync:
        found = hubsync.library.inspect(file)
    shape: JSON = {**asdict(found), "path": str(found.path)}
    if call.json:
        output.emit_json(shape)
    else:
        hidden = {"metadata", "targets", "suggestions"}
        shown = {key: value for key, value in shape.items() if key not in hidden}
        targets = ", ".join(f"{count} in the {part.replace('_', ' ')}" for part, count in shape["targets"].items())
        words = ", ".join(shape["trigger_words"])
        output.emit_fields([*{**shown, "trigger_words": words, "modules": f"{shape['modules']} ({targets})"}.items()])
    if found.valid:
        return 0
    if not call.quiet:
        say(f"error: {found.problem}")
    return EXIT_CODES["not_safetensors"]
