"""`render` and `renders`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from hubsync.cli import output
from hubsync.cli.common import Call, examples, pass_call
from hubsync.cli.diagnostics import batch_exit_code, report, say
from hubsync.cli.shapes import render_json
from hubsync.domain import Render, RenderOutcome
from hubsync.errors import HubsyncError, UsageError

_HEADER = ("LORA", "KIND", "SEED", "EFFECT", "OF ITS WORDS", "PICTURE")


@click.command(
    "render",
    epilog=examples(
        "hubsync render sks_frame",
        "hubsync render sks_frame --weights -1,0,0.5,1 --seeds 1,2",
        "hubsync render mona_outfits::all --prompt 'a large blue ring'",
        "hubsync render sks_frame:0.9 add_detail:0.5 --together --prompt 'a lighthouse'",
        "hubsync render --all --set-preview",
    ),
)
@click.argument("names", nargs=-1, metavar="[NAME[:WEIGHT[:GROUP]]]...")
@click.option("--all", "everything", is_flag=True, help="Every LoRA of the library that a checkpoint is set for.")
@click.option("--prompt", metavar="TEXT", help="What to draw.  [default: the family's own]")
@click.option("--negative", default="", metavar="TEXT", help="The negative prompt.")
@click.option("--weights", metavar="-1,0,0.5,1", help="Each LoRA at each of these weights.")
@click.option("--seeds", metavar="1,2", help="Each picture with each of these seeds.")
@click.option("--steps", type=click.IntRange(1, 500), metavar="N", help="Sampling steps.  [default: the family's own]")
@click.option("--cfg", type=float, metavar="X", help="Guidance scale.  [default: the family's own]")
@click.option("--size", metavar="WxH", help="Pixels.  [default: the checkpoint's own]")
@click.option("--sampler", metavar="NAME", help="By AUTOMATIC1111's name.  [default: the family's own]")
@click.option("--checkpoint", metavar="PATH", help="A checkpoint, diffusers folder or Hugging Face repository.")
@click.option("--device", help="cpu, cuda or mps.  [default: the best there is]")
@click.option("--together", is_flag=True, help="All LoRAs in one picture, with all their words.")
@click.option("--no-batch", is_flag=True, help="One picture at a time.")
@click.option("--set-preview", is_flag=True, help="Take the render as the LoRA's preview, even if it has one.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where the pictures go.")
@pass_call
def render_command(call: Call, names: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401
    """Test-render LoRAs: without, with, and with trigger words; say what changed.

    The same seed is drawn each time, so a number can say how much the LoRA changes the picture, and how much of that
    its words do. A contact sheet shows all of it. Many LoRAs, weights and seeds go through one batch.

    Trigger groups are alternatives, such as outfits: each one that is enabled gets a picture of its own. NAME:0.8:2
    draws group 2, NAME:0.8:1+3 two groups, NAME:0.8:all every group; NAME::all at the suggested weight.
    """
    from hubsync.render.plan import RenderOptions
    from hubsync.services.triggers import Wish

    wanted = RenderOptions(
        prompt=options["prompt"],
        negative=options["negative"],
        weights=_numbers(options["weights"], "--weights"),
        seeds=tuple(int(seed) for seed in _numbers(options["seeds"], "--seeds")),
        steps=options["steps"],
        cfg=options["cfg"],
        size=_size(options["size"]),
        sampler=options["sampler"],
        checkpoint=options["checkpoint"],
        device=options["device"],
        together=options["together"],
        batch=not options["no_batch"],
        out=options["out"],
    )
    with call.open() as hubsync, call.cancellable() as cancel:
        wishes = [Wish.parse(name) for name in names]
        every = options["everything"]
        plans = hubsync.render.plan_all(wishes, wanted) if every else (hubsync.render.plan(wishes, wanted),)
        outcome = hubsync.render.run_all(plans, sink=call.narrator(), cancel=cancel, set_preview=options["set_preview"])
    _print(call, outcome)
    return _report(call, outcome.refused)


def _numbers(text: str | None, option: str) -> tuple[float, ...]:
    try:
        return tuple(float(number) for number in text.split(",")) if text else ()
    except ValueError as error:
        raise UsageError(f"{option} wants numbers joined by commas, not '{text}'") from error


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,5})[xX]([0-9]{1,5})", text)
    if match is None or not int(match[1]) or not int(match[2]):
        raise UsageError(f"'{text}' is not WxH", hint="for example --size 768x512")
    return int(match[1]), int(match[2])


def _print(call: Call, outcome: RenderOutcome) -> None:
    if call.json:
        output.emit_json(
            {
                "renders": [render_json(render) for render in outcome.renders],
                "sheet": str(outcome.sheet) if outcome.sheet else None,
                "device": outcome.device,
                "dtype": outcome.dtype,
                "load_seconds": round(outcome.load_seconds, 3),
                "seconds": round(outcome.seconds, 3),
            }
        )
        for verdict in outcome.verdicts if not call.quiet else ():
            say(f"{verdict.lora} at {verdict.weight:g}: {verdict.sentence}")
        return
    if not call.quiet:
        drawn = f"{len(outcome.renders)} pictures in {outcome.seconds:.1f} s"
        say(f"{drawn} on {outcome.device} ({outcome.dtype}), loaded in {outcome.load_seconds:.1f} s")
    output.emit_table(map(_row, outcome.renders), header=_HEADER)
    if outcome.verdicts:
        output.emit()
        output.emit_table(
            ((verdict.lora, f"{verdict.weight:g}", verdict.sentence) for verdict in outcome.verdicts),
            header=("LORA", "WEIGHT", "VERDICT"),
        )
    if outcome.sheet:
        output.emit(f"\ncontact sheet: {outcome.sheet}")


def _report(call: Call, refused: Mapping[str, HubsyncError]) -> int:
    """Tell why LoRAs of a batch are missing; the code to exit with."""
    for error in dict.fromkeys(refused.values()):
        if not call.quiet:
            say(f"{', '.join(name for name, why in refused.items() if why is error)}:")
        report(error)
    return batch_exit_code([*refused.values()])


def _row(render: Render) -> tuple[str, ...]:
    return (
        ", ".join(f"{use.name} {use.weight:g}" for use in render.loras) or "-",
        render.kind.value,
        str(render.seed),
        _effect(render.effect),
        _effect(render.trigger_effect),
        render.path.name,
    )


def _effect(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


@click.command("renders", epilog=examples("hubsync renders", "hubsync renders sks_frame --json"))
@click.argument("name", required=False)
@pass_call
def renders_command(call: Call, name: str | None) -> None:
    """List the renders so far, newest first."""
    with call.open() as hubsync:
        renders = hubsync.render.history(name)
    if call.json:
        output.emit_json({"items": [render_json(render) for render in renders]})
    elif renders:
        output.emit_table(
            ((*_row(render)[:-1], str(render.path)) for render in renders),
            header=_HEADER,
        )
    elif not call.quiet:
        say("nothing rendered yet: hubsync render NAME")
