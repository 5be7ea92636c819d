"""`completion`, and what a shell is offered for an argument while it is typed.

A shell waits for every answer: nothing here loads more than the library's database or the table of families.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    add_completion_class,
    get_completion_class,
)

from hubsync.cli import output
from hubsync.cli.common import Call, examples, pass_call
from hubsync.errors import HubsyncError

SHELLS = ("bash", "zsh", "fish")

_MOST = 200  # more names than anybody reads through; a shell asks before it lists a hundred

# Click's own script splits values at spaces, which LoRAs' names hold, and loses backslashes. In quotes none is wanted.
_BASH = r"""%(complete_func)s() {
    local IFS=$'\n' line type value
    for line in $(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD %(complete_var)s=bash_complete $1); do
        IFS=',' read -r type value <<< "$line"
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain)
                case ${COMP_WORDS[COMP_CWORD]} in [\"\']*) value=${value//\\/} ;; esac
                COMPREPLY+=("$value")
                ;;
        esac
    done
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


@add_completion_class
class Bash(BashComplete):
    """Click's, for values with spaces too."""

    source_template = _BASH

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """The value as it is typed."""
        typed = re.sub(r"([^\w@%+=:,./~-])", r"\\\1", str(item.value))
        return f"{item.type},{typed}"


@add_completion_class
class Fish(FishComplete):
    """Click's, for values and helps with commas too."""

    source_template = FishComplete.source_template.replace('string split ","', 'string split -m 1 ","')


@click.command(
    "completion",
    epilog=examples(
        'eval "$(hubsync completion bash)"       # in ~/.bashrc; bash 4.4 or newer',
        'eval "$(hubsync completion zsh)"        # in ~/.zshrc, after compinit',
        "hubsync completion fish | source        # in ~/.config/fish/config.fish",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@pass_call
def completion_command(call: Call, shell: str) -> None:
    """Print the script that completes hubsync's commands in a shell.

    One line in the file your shell reads at its start makes the tab key complete commands, options and their values,
    names of installed LoRAs, base models and configuration keys.
    """
    from hubsync.cli.main import COMPLETING, cli

    completer = get_completion_class(shell)
    assert completer is not None
    script = completer(cli, {}, "hubsync", COMPLETING).source()
    if call.json:
        output.emit_json({"shell": shell, "script": script})
    else:
        output.emit_exactly(script.rstrip("\n"))


def _loras(call: Call, beginning: str) -> Iterable[str]:
    from hubsync.services.offering import lora_names

    return lora_names(call.settings(), beginning, limit=_MOST)


def _bases(_: Call, beginning: str) -> Iterable[str]:
    from hubsync.services.offering import base_models

    return _alike(base_models(), beginning)


def _families(_: Call, beginning: str) -> Iterable[str]:
    from hubsync.config import FAMILIES

    return _alike(FAMILIES, beginning)


def _keys(_: Call, beginning: str) -> Iterable[str]:
    from hubsync.config import known_keys

    return _alike(known_keys(), beginning)


def _alike(values: Iterable[str], beginning: str) -> Iterable[str]:
    return (value for value in values if value.casefold().startswith(beginning.casefold()))


_OFFERED: dict[str, dict[str, Callable[[Call, str], Iterable[str]]]] = {
    "search": {"base": _bases},
    "list": {"base": _bases, "family": _families},
    "info": {"name": _loras},
    "verify": {"names": _loras},
    "update": {"names": _loras},
    "remove": {"names": _loras},
    "move": {"name": _loras},
    "triggers": {"name": _loras},
    "prompt": {"loras": _loras, "removed": _loras},
    "render": {"names": _loras},
    "renders": {"name": _loras},
    "get": {"key": _keys},
    "set": {"key": _keys},
}
"""What is offered for which parameter of which command; Click itself knows choices, files and options."""


class _Offered(click.ParamType[str]):
    """A text with values to offer."""

    name = "text"

    def __init__(self, values: Callable[[Call, str], Iterable[str]]) -> None:
        self.values = values

    def shell_complete(self, ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Values that begin like this; none where the library or the settings cannot be read."""
        try:
            return [CompletionItem(value) for value in self.values(ctx.find_root().obj or Call(), incomplete)]
        except HubsyncError:
            return []


def offering(command: click.Command) -> click.Command:
    """A command, or a group of them, whose parameters offer values to a shell."""
    for each in (*getattr(command, "commands", {}).values(), command):
        offered = _OFFERED.get(each.name or "", {})
        for parameter in each.params:
            if values := offered.get(parameter.name or ""):
                parameter.type = _Offered(values)
    return command
