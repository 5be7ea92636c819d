"""`prompt`."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

import click

from hubsync.cli import clipboard, output
from hubsync.cli.common import Call, choice, examples, pass_call
from hubsync.cli.diagnostics import say
from hubsync.cli.shapes import JSON
from hubsync.prompts.compose import Composed, Format
from hubsync.prompts.schedules import schedules
from hubsync.prompts.syntax import attention, composable, extra_networks, strip_comments

_NEGATIVE = "Negative prompt: "
"""How AUTOMATIC1111 begins a negative prompt below a prompt."""

_NEGATIVE_LINE = re.compile(rf"(?:\A|\n){_NEGATIVE.rstrip()} ?")


@click.command(
    "prompt",
    epilog=examples(
        'hubsync prompt "a castle" --lora sks_frame --lora mona:0.7:2',
        'hubsync prompt "a castle, sks <lora:sks_frame:0.9>" --remove sks_frame',
        'echo "a castle <lora:sks_frame:1>" | hubsync prompt - --copy',
        'hubsync prompt "a [castle:tower:0.5] <lora:sks_frame:1>" --parse',
    ),
)
@click.argument("text", default="")
@click.option("--lora", "loras", multiple=True, metavar="NAME[:WEIGHT[:GROUP]]", help="A LoRA to put in; repeatable.")
@click.option("--negative", default="", metavar="TEXT", help="The negative prompt.")
@click.option("--remove", "removed", multiple=True, metavar="NAME", help="A LoRA to take out, with its words.")
@click.option("--no-triggers", is_flag=True, help="Tags only, no trigger words.")
@click.option(
    "--format",
    "form",
    type=choice(Format),
    default=Format.A1111.value,
    show_default=True,
    help="Who reads the prompt. comfyui: no tags, embedding:NAME; there an inner weight replaces the outer ones, and "
    "[ ], BREAK and AND are text. swarmui: the model's weight first. plain: no tags, no escapes.",
)
@click.option("--copy", is_flag=True, help="Copy the prompt to the terminal's clipboard (OSC 52), also through SSH.")
@click.option("--parse", is_flag=True, help="Print what AUTOMATIC1111 makes of TEXT.")
@click.option(
    "--steps",
    type=click.IntRange(1, 1000),
    metavar="N",
    default=20,
    show_default=True,
    help="Steps of a picture, for --parse.",
)
@pass_call
def prompt_command(call: Call, text: str, loras: tuple[str, ...], removed: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401
    """Put LoRAs with their trigger words into TEXT, or take them out.

    Your text stays first, then come the words, then the tags. Tags that are in TEXT already get the words they lack.
    What would do nothing, or something else, is noted: unknown names, aliases, base models that do not mix.

    TEXT - reads stdin, and stdout is the prompt alone: words for the negative prompt are told on stderr, unless the
    text holds a line "Negative prompt: ...", which is read and written as AUTOMATIC1111 does.
    """
    piped = text == "-"
    text = _stdin() if piped else text
    if options["parse"]:
        output.emit_json(_parsed_json(text, options["steps"]))
        return
    if piped and (line := _NEGATIVE_LINE.search(text)):
        text, options["negative"] = text[: line.start()], options["negative"] or text[line.end() :]
    steps = _compose(call, text, loras, removed, options)
    composed = _composed_json(steps)
    if call.json:
        output.emit_json(composed)
    else:
        _print(composed, aside=piped and not options["negative"])
    notes = [*(warning["message"] for warning in composed["warnings"]), *steps[-1].remarks]
    if options["copy"]:
        notes.append(clipboard.copy(composed["prompt"]))
    for note in notes if not call.quiet else ():
        say(f"note: {note}")


def _stdin() -> str:
    """What is piped in, without the line break that ends it."""
    return sys.stdin.buffer.read().decode("utf-8-sig", "replace").replace("\r\n", "\n").removesuffix("\n")


def _print(composed: JSON, *, aside: bool) -> None:
    """The prompt, and below it the negative one; `aside` keeps that out of a pipe that knows of none."""
    output.emit_exactly(composed["prompt"])
    if negative := composed["negative_prompt"]:
        (say if aside else output.emit_exactly)(f"{_NEGATIVE}{negative}")


def _compose(
    call: Call, text: str, loras: tuple[str, ...], removed: tuple[str, ...], options: dict[str, Any]
) -> list[Composed]:
    """First take out what is unwanted, then put in what is wanted."""
    from hubsync.services.triggers import Wish

    negative: str = options["negative"]
    steps: list[Composed] = []
    with call.open() as hubsync:
        for name in removed:
            steps.append(hubsync.triggers.remove(text, name, negative=negative))
            text, negative = steps[-1].prompt, steps[-1].negative_prompt
        steps.append(
            hubsync.triggers.compose(
                text,
                [Wish.parse(lora) for lora in loras],
                negative=negative,
                format=Format(options["form"]),
                with_words=not options["no_triggers"],
            )
        )
    return steps


def _composed_json(steps: Sequence[Composed]) -> JSON:
    """The answer of `prompt`: the last step's prompt, with what all steps put in and took out."""
    last = steps[-1]
    return {
        "prompt": last.prompt,
        "negative_prompt": last.negative_prompt,
        "loras": [
            {
                "name": use.name,
                "weight": use.weight,
                "te_weight": use.te_weight,
                "unet_weight": use.unet_weight,
                "found": use.found,
            }
            for use in last.loras
        ],
        "inserted": [{"lora": change.lora, "text": change.text} for step in steps for change in step.inserted],
        "removed": [{"lora": change.lora, "text": change.text} for step in steps for change in step.removed],
        "warnings": [{"code": note.code, "message": note.message} for step in steps for note in step.warnings],
    }


def _parsed_json(text: str, steps: int) -> JSON:
    """The answer of `prompt --parse`: exactly what AUTOMATIC1111 makes of a text.

    `prompts` are those joined by AND, each with its text in every stretch of steps: (last step, text).
    """
    prompt, networks = extra_networks(strip_comments(text))
    return {
        "prompt": prompt,
        "networks": [
            {"type": one.type, "positional": list(one.positional), "named": dict(one.named)} for one in networks
        ],
        "attention": [[part, weight] for part, weight in attention(prompt)],
        "prompts": [
            {"text": part, "weight": weight, "schedule": [list(stretch) for stretch in schedules(part, steps)]}
            for part, weight in composable(prompt)
        ],
    }
