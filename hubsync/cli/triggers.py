"""`triggers`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from hubsync.cli import output
from hubsync.cli.common import Call, examples, pass_call
from hubsync.cli.diagnostics import say
from hubsync.cli.shapes import JSON
from hubsync.errors import UsageError

if TYPE_CHECKING:
    from hubsync.domain import Installed, Statement, Suggestion, TriggerGroup
    from hubsync.services.app import Hubsync
    from hubsync.services.editing import EditService

_ACTIONS = ("add", "remove", "enable", "disable", "weight", "negative", "notes", "probe", "reset")


@click.command(
    "triggers",
    context_settings={"ignore_unknown_options": True},  # a weight may be negative
    epilog=examples(
        "hubsync triggers mona_outfits",
        'hubsync triggers mona_outfits add "red hat" boots --group 2',
        "hubsync triggers mona_outfits disable --group 1",
        "hubsync triggers mona_outfits weight 0.65",
        "hubsync triggers sks-frame-kohya probe",
    ),
)
@click.argument("name")
@click.argument("action", required=False, type=click.Choice(_ACTIONS), metavar="[add|remove|enable|disable|weight|…]")
@click.argument("words", nargs=-1, metavar="[WORD|W|TEXT]...")
@click.option("--group", type=click.IntRange(1), metavar="N", help="The group meant; without words, all of it.")
@pass_call
def triggers_command(call: Call, name: str, action: str | None, words: tuple[str, ...], group: int | None) -> None:
    """Show and edit a LoRA's trigger words.

    They come in groups, with who said them; what you say holds whatever a hub says later.

    \b
    triggers NAME add|remove|enable|disable WORD... [--group N]
    triggers NAME enable|disable|remove --group N
    triggers NAME weight W
    triggers NAME negative|notes TEXT
    triggers NAME probe [WORD...]
    triggers NAME reset

    `probe` tries out on the checkpoint which words the LoRA reacts to: those named, its own, all its file holds.
    """
    if strange := next((word for word in words if word.startswith("--")), None):
        raise UsageError(f"there is no option {strange}", hint="hubsync triggers --help")
    with call.open() as hubsync:
        lora = hubsync.library.find(name)
        if action == "probe":
            _probe(call, hubsync, lora, words)
        elif action is not None:
            lora = _edit(action, hubsync.editing, words, group)(lora)
        suggestions = hubsync.library.suggestions(lora)
        statements = hubsync.library.statements(lora)
    if call.json:
        output.emit_json(_triggers_json(lora, suggestions, statements))
    else:
        _print(lora, suggestions, statements)


def _probe(call: Call, hubsync: Hubsync, lora: Installed, words: Sequence[str]) -> None:
    """Try words out, and say which the LoRA reacts to, those it has among them."""
    from hubsync.render.plan import RenderOptions
    from hubsync.services.triggers import Wish

    with call.cancellable() as cancel:
        wish = Wish(name=str(lora.path))
        found = hubsync.render.probe(wish, RenderOptions(), words=words, sink=call.narrator(), cancel=cancel)
    if not call.quiet:
        reacts = ", ".join(f"{one.text} {one.score:.0%}" for one in found[:5]) or "none of them"
        say(f"{lora.name} reacts to: {reacts}")


def _edit(
    action: str, editing: EditService, words: Sequence[str], group: int | None
) -> Callable[[Installed], Installed]:
    """What an action does with a LoRA."""
    text = " ".join(words)
    edits: dict[str, Callable[[Installed], Installed]] = {
        "add": lambda lora: editing.add(lora, words, group=group),
        "remove": lambda lora: editing.remove(lora, words, group=group),
        "enable": lambda lora: editing.switch(lora, words, on=True, group=group),
        "disable": lambda lora: editing.switch(lora, words, on=False, group=group),
        "weight": lambda lora: editing.weigh(lora, _number(text)),
        "negative": lambda lora: editing.negate(lora, text),
        "notes": lambda lora: editing.note(lora, text),
        "reset": editing.reset,
    }
    return edits[action]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise UsageError(f"'{text}' is no weight", hint="hubsync triggers NAME weight 0.8") from error


def _print(lora: Installed, suggestions: Sequence[Suggestion], statements: Sequence[Statement]) -> None:
    if not lora.groups:
        say(f"{lora.name} has no trigger words")
    for group in lora.groups:
        output.emit(f"group {group.index}{' (inserted by default)' if group.enabled else ''}")
        for word in group.words:
            output.emit(f"  {'' if word.enabled else '(off) '}{word.text}  [{word.source.value}]")
    used = {word.text for group in lora.groups for word in group.words}
    for said in statements:
        groups = [[word.text for word in group.words] for group in said.groups or ()]
        if any(word not in used for group in groups for word in group):
            output.emit(f"{said.source.value} says: {output.human_words(groups)}")
    if suggestions:
        output.emit("suggested, not inserted (`hubsync triggers NAME add WORD` takes one)")
        for item in suggestions:
            output.emit(f"  {item.text}  {item.score:.0%}  [{item.source}]")
    output.emit_fields((("weight", lora.weight), ("negative", lora.negative), ("notes", lora.notes)))


def _triggers_json(lora: Installed, suggestions: Sequence[Suggestion], statements: Sequence[Statement]) -> JSON:
    """The answer of `triggers`."""
    return {
        "name": lora.name,
        "groups": [_group_json(group) for group in lora.groups],
        "suggestions": [
            {"text": item.text, "score": round(item.score, 3), "source": item.source} for item in suggestions
        ],
        "weight": lora.weight,
        "negative": lora.negative,
        "notes": lora.notes,
        "sources": [
            {
                "source": one.source.value,
                "raw": list(one.raw),
                "groups": None if one.groups is None else [[word.text for word in group.words] for group in one.groups],
                "weight": one.weight,
                "negative": one.negative,
            }
            for one in statements
        ],
    }


def _group_json(group: TriggerGroup) -> JSON:
    words = [{"text": word.text, "source": word.source.value, "enabled": word.enabled} for word in group.words]
    return {"index": group.index, "enabled": group.enabled, "words": words}
