"""docs/cli.md: every command as Click knows it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from hubsync.cli.diagnostics import EXIT_CANCELLED, EXIT_CODES
from hubsync.cli.main import cli
from tests.docs.markdown import code, escaped, prose, table

GLOBAL = ("root", "json", "quiet", "verbose")

_HEAD = """\
# Commands

What `hubsync COMMAND --help` prints, on one page. Made from the program by `make docs`.

Data goes to stdout, narration to stderr. With `--json` stdout is exactly one JSON document, also where the command
fails; its keys are never renamed or dropped. Colours and progress bars appear on terminals only, and `NO_COLOR` is
honoured.

`NAME` is an installed LoRA: its file's name without the ending, its path, or its REF, in any case. `REF` is one of

| REF | means |
|---|---|
| `123` | Civitai model 123, its newest version; only if there is none, version 123 |
| `civitai:123`, `civitai:123@456`, `civitai:@456`, each with `#FILE` | model; with version; version; one file of it |
| `urn:air:…:civitai:123@456` | the same, as Civitai's AIR |
| `hf:owner/repo`, with `@revision` and `/path`; `owner/repo` | a Hugging Face repository, or one file of it |
| `sha256:…`, `autov2:…`, `autov3:…` | the Civitai version that holds a file with that hash |
| any page's or download's address on either hub | what it shows |
"""


def page() -> str:
    """The whole page."""
    return "\n\n".join((_HEAD.rstrip(), _global_options(), _exits(), *_commands())) + "\n"


def _global_options() -> str:
    rows = [record for option in cli.params if (record := option.get_help_record(_context(cli, "hubsync")))]
    text = "These stand before or after the command:"
    return f"## Options of every command\n\n{text}\n\n{_options(rows)}"


def _exits() -> str:
    by_exit: dict[int, list[str]] = {}
    for name, number in EXIT_CODES.items():
        by_exit.setdefault(number, []).append(f"`{name}`")
    rows = [("0", "done"), *((str(number), ", ".join(names)) for number, names in by_exit.items())]
    text = (
        'A command that fails says `error: …` and `hint: …`, with `--json` as `{"error": {"code", "message", '
        '"hint"}}`.\nA batch whose failures all have one code exits with it, any other with 1. What each code means, '
        "and what to do:\n[troubleshooting](troubleshooting.md)."
    )
    return f"## Exit codes\n\n{text}\n\n{table(('exit', 'codes'), [*rows, (str(EXIT_CANCELLED), '`cancelled`')])}"


def _commands() -> Iterator[str]:
    parent = _context(cli, "hubsync")
    for name in cli.list_commands(parent):
        command = cli.get_command(parent, name)
        assert command is not None
        yield _section(f"hubsync {name}", command, level=2)
        for inner, each in sorted(getattr(command, "commands", {}).items()):
            yield _section(f"hubsync {name} {inner}", each, level=3)


def _section(name: str, command: click.Command, *, level: int) -> str:
    context = _context(command, name)
    usage = " ".join((name, *command.collect_usage_pieces(context)))
    own = [option for option in command.params if isinstance(option, click.Option) and option.name not in GLOBAL]
    rows = [record for option in own if (record := option.get_help_record(context))]
    examples = re.sub(r"^  ", "", (command.epilog or "").partition("Examples:\n")[2], flags=re.MULTILINE)
    parts = (
        f"{'#' * level} {name}",
        prose(command.help or ""),
        code(usage),
        _options(rows) if rows else "",
        code(examples, "sh") if examples else "",
    )
    return "\n\n".join(part for part in parts if part)


def _options(rows: list[tuple[str, str]]) -> str:
    return table(("option", "does"), ((f"`{names}`", escaped(" ".join(text.split()))) for names, text in rows))


def _context(command: click.Command, name: str) -> click.Context:
    return click.Context(command, info_name=name, help_option_names=["-h", "--help"])
