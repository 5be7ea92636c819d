"""The documents say what is true: commands, settings and files they name exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hubsync import config

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text("utf-8")
DOCUMENTS = sorted({PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *(PROJECT / "docs").glob("*.md")})


def _commands() -> list[str]:
    done = subprocess.run([sys.executable, "-m", "hubsync", "--help"], capture_output=True, text=True, check=True)
    listed = done.stdout.split("Commands:")[1]
    return re.findall(r"^  (\w+)", listed, re.MULTILINE)


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
