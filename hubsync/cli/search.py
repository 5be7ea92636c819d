"""`search` and `show`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from hubsync.cli import output
from hubsync.cli.common import Call, choice, examples, pass_call
from hubsync.cli.diagnostics import batch_exit_code, say
from hubsync.cli.shapes import error_json, lora_json, show_json
from hubsync.domain import LORA_TYPES, Lora, LoraType, Nsfw, Period, Query, SearchResult, Sort, Version
from hubsync.errors import UsageError
from hubsync.refs import Source, parse_ref

if TYPE_CHECKING:
    from hubsync.services.install import InstallResult

_TYPES = {
    "lora": (LoraType.LORA,),
    "locon": (LoraType.LOCON,),
    "dora": (LoraType.DORA,),
    "embedding": (LoraType.EMBEDDING,),
    "all": (*LORA_TYPES, LoraType.EMBEDDING),
}


@click.command(
    "search",
    epilog=examples(
        'hubsync search "pixel art" --base "SDXL 1.0"',
        "hubsync search frame --source civitai --sort downloads --period month",
        "hubsync search --creator NAME --json",
    ),
)
@click.argument("text", default="")
@click.option("--source", type=choice(Source, "all"), default="all", help="Which hub to ask.  [default: all]")
@click.option("--type", "kind", type=click.Choice(list(_TYPES)), help="Which type.  [default: LoRA, LoCon and DoRA]")
@click.option("--base", multiple=True, metavar="NAME", help="Base model, as either hub writes it, or a family.")
@click.option("--tag", help="Only with this tag.")
@click.option("--creator", help="Only by this creator.")
@click.option("--sort", type=choice(Sort), default=Sort.RELEVANCE.value, show_default=True, help="What comes first.")
@click.option("--period", type=choice(Period), default=Period.ALL.value, show_default=True, help="How far back.")
@click.option("--nsfw", type=choice(Nsfw), help="Highest level shown.  [default: soft = PG-13]")
@click.option("--limit", type=click.IntRange(1, 100), metavar="N", help="Rows a hub.  [default: 20]")
@click.option("--cursor", multiple=True, metavar="SOURCE=…", help="Go on where an earlier page of that hub ended.")
@pass_call
def search_command(
    call: Call,
    text: str,
    source: str,
    kind: str | None,
    base: tuple[str, ...],
    cursor: tuple[str, ...],
    **options: str | None,
) -> int:
    """Search Civitai and Hugging Face for LoRAs, side by side.

    TEXT is looked for as each hub's own search does. A ✓ marks what is installed. If one hub does not answer, the
    other's rows still come, with exit 0.
    """
    settings = call.settings()
    query = Query(
        text=text.strip(),
        sources=tuple(Source) if source == "all" else (Source(source),),
        types=_TYPES[kind] if kind else LORA_TYPES,
        base_models=base,
        tag=options["tag"],
        creator=options["creator"],
        sort=Sort(options["sort"] or Sort.RELEVANCE),
        period=Period(options["period"] or Period.ALL),
        nsfw=Nsfw(options["nsfw"] or settings.search.nsfw),
        limit=int(options["limit"] or settings.search.limit),
        cursors=dict(map(_cursor, cursor)),
    )
    with call.open() as hubsync:
        hubsync.warm_up()
        hubsync.hash_by_the_way()
        result = hubsync.search.run(query)
    _print(call, result)
    answered = set(result.next) - set(result.errors)
    return 0 if answered else batch_exit_code(list(result.errors.values()))


def _cursor(text: str) -> tuple[Source, str]:
    name, equals, value = text.partition("=")
    if not equals or name not in list(Source):
        raise UsageError(f"'{text}' is not SOURCE=CURSOR", hint="for example --cursor civitai=…")
    return Source(name), value


def _print(call: Call, result: SearchResult) -> None:
    if call.json:
        output.emit_json(
            {
                "items": [lora_json(lora) for lora in result.items],
                "errors": [{"source": source.value, **error_json(error)} for source, error in result.errors.items()],
                "next": {source.value: result.next.get(source) for source in Source},
            }
        )
        return
    if result.items:
        output.emit_table(map(_row, result.items), header=("NAME", "REF", "BASE MODEL", "DOWNLOADS", "TRIGGER WORDS"))
    if call.quiet:
        return
    for source, error in result.errors.items():
        say(f"note: {source.value}: {error.message}")
    for source, cursor in result.next.items():
        if cursor:
            say(f"more from {source.value}: --cursor '{source.value}={cursor}'")
    if not result.items and not result.errors:
        say("nothing found")


def _row(lora: Lora) -> tuple[str, ...]:
    return (
        f"{'✓ ' if lora.installed else ''}{lora.name}",
        _page(lora),
        ", ".join(base.rpartition("/")[2] for base in lora.base_models),
        "" if lora.downloads is None else f"{lora.downloads:,}",
        output.short_words(lora.trigger_words),
    )


def _page(lora: Lora) -> str:
    """The shortest reference that means this row: a commit is 40 characters nobody types."""
    return str(lora.ref).split("@")[0] if lora.source is Source.HUGGINGFACE else str(lora.ref)


@click.command(
    "show",
    epilog=examples(
        "hubsync show civitai:123456",
        "hubsync show hf:owner/repo",
        "hubsync show 'https://civitai.com/models/123456?modelVersionId=7'",
    ),
)
@click.argument("ref")
@pass_call
def show_command(call: Call, ref: str) -> None:
    """Show everything a hub knows about REF, before a byte is downloaded.

    Versions, files, trigger words, weight, licence; and the pre-flight: whether it can be had, what it would be called
    here, and whether it is here already. REF is civitai:MODEL@VERSION, hf:OWNER/REPO, sha256:…, or a page's address.
    """
    with call.open() as hubsync:
        hubsync.warm_up()
        hubsync.hash_by_the_way()
        from hubsync.services.install import planned

        lora = hubsync.search.show(ref)
        preflight = planned(hubsync.install.preflight(lora, parse_ref(ref)))
    if call.json:
        output.emit_json(show_json(lora, preflight))
        return
    output.emit(lora.name)
    output.emit_fields(
        (
            ("ref", lora.ref),
            ("by", lora.creator),
            ("type", lora.type.value),
            ("base model", ", ".join(lora.base_models)),
            ("tags", ", ".join(lora.tags)),
            ("downloads", lora.downloads),
            ("licence", lora.license),
            ("page", lora.page_url),
            ("installed", "yes" if lora.installed else ""),
            *_preflight(preflight),
        )
    )
    for version in lora.versions:
        output.emit()
        _print_version(version)
    if lora.description:
        output.emit(f"\n{lora.description}")


def _preflight(result: InstallResult) -> Iterator[tuple[str, object]]:
    """What an install would come to."""
    plan, error = result.plan, result.error
    if error is not None:
        yield "install", f"not now: {error.message}"
        yield "", f"→ {error.hint}" if error.hint else ""
    if plan is None:
        return
    here = result.status == "already_installed"
    free = output.human_size(plan.space_left)
    yield (
        "install",
        f"is here as {plan.target.stem}" if here else f"as {plan.target.stem}, to {plan.target} ({free} free)",
    )
    for note in plan.notes:
        yield "note", note


def _print_version(version: Version) -> None:
    output.emit(f"{version.name}  {version.ref}")
    weight = version.suggested_weight
    fields: list[tuple[str, object]] = [
        ("  base model", version.base_model),
        ("  availability", _availability(version)),
        ("  trigger words", output.human_words(version.trigger_words) or "none"),
        ("  weight", "" if weight is None else f"{weight:g} (from the uploader's examples)"),
    ]
    for file in version.files:
        mark = " (primary)" if file.primary else ""
        fields.append(("  file", f"{file.name}{mark}  {output.human_size(file.size)}  {file.format}  {file.ref}"))
    output.emit_fields(fields)


def _availability(version: Version) -> str:
    ends = f" until {version.early_access_ends_at:%Y-%m-%d}" if version.early_access_ends_at else ""
    blocked = "" if version.downloadable else ", downloads disabled by the creator"
    key = ", wants a key" if version.requires_token else ""
    return f"{version.availability.value.replace('_', ' ')}{ends}{blocked}{key}"
