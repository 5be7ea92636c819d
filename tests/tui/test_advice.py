"""Hints: what is written for the command line reads in the TUI as what can be done there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import hubsync
from hubsync.cli.main import cli
from hubsync.tui.advice import advice

PACKAGE = Path(hubsync.__file__).parent
ELSEWHERE = {"cli", "sandbox", "tui", "web"}
"""What only the command line says, and the TUI's own texts."""

NEVER_SHOWN = {
    "--size must be multiples of X, such as 512x768",  # the form of a test has its own sentences for these three
    "--steps must be 1 or more",
    "weights and --cfg must be numbers",
    "name a LoRA, or use --all",  # the TUI begins no test without a LoRA
    "name a word, or a group with --group N",  # it asks for a word before it takes one away
}


def texts() -> Iterator[str]:
    """Every text of the services, docstrings left out; `X` stands for what is filled in."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] not in ELSEWHERE:
            yield from texts_of(ast.parse(path.read_text("utf-8")))


def texts_of(node: ast.AST) -> Iterator[str]:
    """The texts below one node of a module."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return
        case ast.JoinedStr():
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        case ast.Constant(value=str(text)):
            yield text
    for child in () if isinstance(node, ast.JoinedStr) else ast.iter_child_nodes(node):
        yield from texts_of(child)


@pytest.fixture(scope="module")
def forms() -> re.Pattern[str]:
    """A command of hubsync's or an option, unless it is pip's or the subject of a sentence about hubsync."""
    with cli.make_context("hubsync", ["--help"], resilient_parsing=True) as context:
        commands = "|".join(cli.list_commands(context))
    return re.compile(rf"(?:`|: |^)hubsync (?:{commands})\b|(?<!pip install )(?<![\w-])--[a-z]")


def test_no_hint_sends_its_reader_to_the_command_line(forms: re.Pattern[str]) -> None:
    """All hints there are, wherever they are put together: none still names a command or an option."""
    written = {text for text in texts() if forms.search(text)}
    assert len(written) > 30
    assert {text for text in written if forms.search(advice(text))} <= NEVER_SHOWN
    assert written >= NEVER_SHOWN


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        ("", ""),
        ("try again later", "try again later"),
        (
            "hubsync config set checkpoint.sdxl PATH, or use --checkpoint",
            "set checkpoint.sdxl in Settings (6), or use a Model (4, n)",
        ),
        (
            "create a key at https://civitai.com/user/account, then `hubsync config set civitai.api_key KEY`",
            "create a key at https://civitai.com/user/account, then set civitai.api_key in Settings (6)",
        ),
        (
            "hubsync config set checkpoint.sd1 stable-diffusion-v1-5/stable-diffusion-v1-5",
            "set checkpoint.sd1 to stable-diffusion-v1-5/stable-diffusion-v1-5 in Settings (6)",
        ),
        ("check the network; `hubsync doctor` tries every hub", "check the network; the doctor (F2) tries every hub"),
        ("use a smaller --size or --no-batch", "use a smaller Size (4, n)"),
        ("use a smaller --size, or --device cpu", "use a smaller Size (4, n), or render.device cpu (Settings, 6)"),
        ("--allow-failed-scan installs it all the same", "only the command line installs it all the same"),
        ("for example: hubsync triggers NAME add 'red dress'", "for example: red dress"),
    ],
)
def test_a_hint_names_keys_and_fields(hint: str, expected: str) -> None:
    """What has nothing to do with the command line stays as it is."""
    assert advice(hint) == expected
