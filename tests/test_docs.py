"""The documents say what is true: commands, settings and files they name exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from hubsync import config
from hubsync.cli.diagnostics import EXIT_CANCELLED, EXIT_CODES
from hubsync.cli.main import _COMMANDS, cli
from tests.docs.pages import DOCS, MADE

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text("utf-8")
DOCUMENTS = sorted({PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *DOCS.glob("*.md")})


def _commands() -> list[str]:
    done = subprocess.run([sys.executable, "-m", "hubsync", "--help"], capture_output=True, text=True, check=True)
    listed = done.stdout.split("Commands:")[1]
    return re.findall(r"^  (\w+)", listed, re.MULTILINE)


def _every_command() -> Iterator[tuple[str, click.Command]]:
    """All commands and the commands in them, by what is typed."""
    for name in _COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        yield name, command
        for inner, each in getattr(command, "commands", {}).items():
            yield f"{name} {inner}", each


@pytest.mark.parametrize("command", _commands())
def test_every_command_has_help_and_is_in_the_readme(command: str) -> None:
    """A command nobody can read about does not exist for its users."""
    done = subprocess.run(
        [sys.executable, "-m", "hubsync", command, "--help"], capture_output=True, text=True, check=True
    )
    assert len(done.stdout.splitlines()) > 3
    assert f"hubsync {command}" in README


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_commands_settings_and_files_that_exist(document: Path) -> None:
    """Every `hubsync COMMAND`, every `config set KEY` and every relative link in a document is real."""
    text = document.read_text("utf-8")
    commands = set(_commands())
    assert set(re.findall(r"\bhubsync (\w+)", "\n".join(_code(text)))) <= commands
    for key in re.findall(r"config set ([\w.]+)", text):
        config.check_key(key)
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (document.parent / link).exists(), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_options_that_exist(document: Path) -> None:
    """Every option of a `hubsync COMMAND` in a block of code is one of that command's."""
    commands = dict(_every_command())
    for line in _code(document.read_text("utf-8")):
        words = shlex.split(line.removeprefix("$ ").partition("|")[0], comments=True)[1:]
        command = commands.get(" ".join(words[:2])) or commands.get(words[0] if words else "") or cli
        known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
        assert {word for word in words if re.match(r"--?[a-z]", word)} <= known, line


@pytest.mark.parametrize(
    ("name", "command"), [*_every_command()], ids=lambda value: value if isinstance(value, str) else ""
)
def test_help_is_complete(name: str, command: click.Command) -> None:
    """A command says in one line what it does, the same line everywhere; each option says what it does."""
    first, *_ = (command.help or "").split("\n\n")
    summary = " ".join(first.split())
    assert summary.endswith(".")
    assert summary == _COMMANDS.get(name, ("", summary))[1]
    options = [option for option in command.params if isinstance(option, click.Option)]
    assert [option.name for option in options if not option.help] == []
    if name in _COMMANDS and name not in {"duplicates", "doctor"}:
        assert f"hubsync {name}" in (command.epilog or "")


@pytest.mark.parametrize("page", MADE)
def test_pages_made_from_the_code_are_current(page: str) -> None:
    """What `make docs` writes is what is there."""
    assert (DOCS / page).read_text("utf-8") == MADE[page](), "run `make docs`"


def test_every_error_code_is_explained() -> None:
    """The page of troubles has a row for each code, with its exit, and for no other."""
    text = (DOCS / "troubleshooting.md").read_text("utf-8")
    explained: dict[str, int] = {}
    for section in text.split("\n## ")[1:]:
        of_section = re.search(r"exit (\d+)", section.splitlines()[0])
        for code, rest in re.findall(r"^\| `(\w+)` \|(.*)$", section, re.MULTILINE):
            of_row = re.search(r"\| (\d+) \|", rest)
            exits = of_section or of_row
            assert exits, code
            explained[code] = int(exits[1])
    assert explained == {**EXIT_CODES, "cancelled": EXIT_CANCELLED}


@pytest.mark.parametrize("picture", sorted((DOCS / "pictures").iterdir()), ids=lambda path: path.name)
def test_pictures_are_shown_and_small(picture: Path) -> None:
    """Each picture stands on a page, loads at once, and asks nobody else for anything."""
    assert any(f"pictures/{picture.name})" in document.read_text("utf-8") for document in DOCUMENTS)
    assert picture.stat().st_size < 150_000
    assert b'url("http' not in picture.read_bytes()


def _code(text: str) -> list[str]:
    blocks = re.findall(r"```(?:sh|console)?\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if re.match(r"(\$ )?hubsync ", line)]


@pytest.mark.parametrize("word", ["make demo", "make test"])
def test_the_two_words_are_targets(word: str) -> None:
    """The README's two commands are what the Makefile offers, and CI runs the same tests."""
    target = word.removeprefix("make ")
    assert word in README
    assert re.search(rf"^{target}:", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert "make check test" in (PROJECT / ".ci" / "run").read_text("utf-8")
