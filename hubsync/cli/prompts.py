"""`triggers` and `prompt`."""

from __future__ import annotations

import base64
import sys
from collections.abc import Sequence
from typing import Any

import click

from hubsync.cli import output
from hubsync.cli.common import Call, choice, pass_call
from hubsync.cli.diagnostics import say
from hubsync.cli.shapes import JSON
from hubsync.domain import Installed, TriggerGroup
from hubsync.prompts.compose import Composed, Format
from hubsync.prompts.syntax import attention, extra_networks
from hubsync.services.triggers import Wish


@click.command("triggers")
@click.argument("name")
@pass_call
def triggers_command(call: Call, name: str) -> None:
    """Show the trigger words of an installed LoRA, in their groups, and who said them."""
    with call.open() as hubsync:
        lora = hubsync.library.find(name)
    if call.json:
        output.emit_json(_triggers_json(lora))
        return
    if not lora.groups:
        say(f"{lora.name} has no trigger words")
    for group in lora.groups:
        output.emit(f"group {group.index}{' (inserted by default)' if group.enabled else ''}")
        for word in group.words:
            output.emit(f"  {'' if word.enabled else '(off) '}{word.text}  [{word.source.value}]")
    if lora.suggestions:
        output.emit("suggested by the training data")
        for item in lora.suggestions:
            output.emit(f"  {item.text}  {item.score:.0%}  [{item.source}]")
    output.emit_fields((("weight", lora.weight), ("negative", lora.negative)))


@click.command("prompt")
@click.argument("text", default="")
@click.option("--lora", "loras", multiple=True, metavar="NAME[:WEIGHT[:GROUP]]", help="A LoRA to put in; repeatable.")
@click.option("--negative", default="", metavar="TEXT", help="The negative prompt.")
@click.option("--remove", "removed", multiple=True, metavar="NAME", help="A LoRA to take out, with its words.")
@click.option("--no-triggers", is_flag=True, help="Tags only, no trigger words.")
@click.option("--format", "form", type=choice(Format), default=Format.A1111.value, show_default=True)
@click.option("--copy", is_flag=True, help="Copy the prompt to the terminal's clipboard (OSC 52).")
@click.option("--parse", is_flag=True, help="Print what AUTOMATIC1111 makes of TEXT.")
@pass_call
def prompt_command(call: Call, text: str, loras: tuple[str, ...], removed: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401
    """Put LoRAs with their trigger words into TEXT (- reads stdin), or take them out."""
    text = sys.stdin.read().rstrip("\n") if text == "-" else text
    if options["parse"]:
        output.emit_json(_parsed_json(text))
        return
    steps = _compose(call, text, loras, removed, options)
    composed = _composed_json(steps)
    if call.json:
        output.emit_json(composed)
    else:
        output.emit(composed["prompt"])
        if composed["negative_prompt"]:
            output.emit(f"Negative prompt: {composed['negative_prompt']}")
    for note in (*(warning["message"] for warning in composed["warnings"]), *steps[-1].remarks):
        if not call.quiet:
            say(f"note: {note}")
    if options["copy"] and sys.stderr.isatty():
        sys.stderr.write(f"\x1b]52;c;{base64.b64encode(composed['prompt'].encode()).decode()}\x07")


def _compose(
    call: Call, text: str, loras: tuple[str, ...], removed: tuple[str, ...], options: dict[str, Any]
) -> list[Composed]:
    """First take out what is unwanted, then put in what is wanted."""
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


def _triggers_json(lora: Installed) -> JSON:
    """The answer of `triggers`."""
    return {
        "name": lora.name,
        "groups": [_group_json(group) for group in lora.groups],
        "suggestions": [
            {"text": item.text, "score": round(item.score, 3), "source": item.source} for item in lora.suggestions
        ],
        "weight": lora.weight,
        "negative": lora.negative,
    }


def _group_json(group: TriggerGroup) -> JSON:
    words = [{"text": word.text, "source": word.source.value, "enabled": word.enabled} for word in group.words]
    return {"index": group.index, "enabled": group.enabled, "words": words}


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


def _parsed_json(text: str) -> JSON:
    """The answer of `prompt --parse`: exactly what AUTOMATIC1111 makes of a text."""
    prompt, networks = extra_networks(text)
    return {
        "prompt": prompt,
        "networks": [
            {"type": one.type, "positional": list(one.positional), "named": dict(one.named)} for one in networks
        ],
        "attention": [[part, weight] for part, weight in attention(prompt)],
    }
