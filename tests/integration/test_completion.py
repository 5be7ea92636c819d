"""Completion as shells ask for it: in a process of its own, through Click's protocol, and through a real bash."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.conftest import CommandLine
from tests.test_imports import HEAVY


def _offered(hubsync: CommandLine, words: str, *, shell: str = "bash") -> list[str]:
    """What is offered for the last word."""
    count = len(words.split(" ")) - 1
    environ = {"_HUBSYNC_COMPLETE": f"{shell}_complete", "COMP_WORDS": words, "COMP_CWORD": str(count)}
    answer = hubsync(environ=environ)
    assert answer.exit == 0
    assert answer.stderr == ""
    return [line.removeprefix("plain,") for line in answer.stdout.split("\n") if line]


@pytest.fixture
def library(hubsync: CommandLine) -> CommandLine:
    """A library with two LoRAs, one with a space in its name."""
    assert hubsync("install", "civitai:1004", "civitai:1001", "-q").exit == 0
    assert hubsync("move", "add_detail", "--to", "Sharp Detail").exit == 0
    return hubsync


def test_commands_options_and_their_values(hubsync: CommandLine) -> None:
    """What Click knows: subcommands, options, choices."""
    assert _offered(hubsync, "hubsync re") == ["remove", "restore", "render", "renders"]
    assert "--weights" in _offered(hubsync, "hubsync render --we")
    assert _offered(hubsync, "hubsync prompt --format ") == ["a1111", "comfyui", "swarmui", "plain"]
    assert _offered(hubsync, "hubsync downloads ") == ["cancel", "list", "resume"]
    assert {"--root", "--json"} <= {*_offered(hubsync, "hubsync --")}


def test_keys_base_models_and_families(hubsync: CommandLine) -> None:
    """What hubsync knows without a library."""
    assert _offered(hubsync, "hubsync config set civitai.") == ["civitai.url", "civitai.api_key"]
    assert "SDXL\\ 1.0" in _offered(hubsync, "hubsync search --base sdxl")
    assert _offered(hubsync, "hubsync list --family flux") == ["flux1", "flux2"]


@pytest.mark.parametrize(
    "before",
    ["info", "triggers", "render", "renders", "verify", "update", "remove", "move", "prompt --lora", "prompt --remove"],
)
def test_installed_names(library: CommandLine, before: str) -> None:
    """Wherever a NAME is wanted, the library's are offered, in any case, typed as a shell reads them."""
    assert _offered(library, f"hubsync {before} s") == ["Sharp\\ Detail", "sks_frame"]
    assert _offered(library, f"hubsync {before} SK") == ["sks_frame"]


def test_names_of_the_root_that_is_typed(library: CommandLine, tmp_path: Path) -> None:
    """--root counts here too; a library that is not there, or damaged, offers nothing and says nothing."""
    assert _offered(library, f"hubsync --root {library.ground.root} info sks") == ["sks_frame"]
    assert _offered(library, f"hubsync --root {tmp_path}/none info s") == []
    assert not (tmp_path / "none").exists()
    (broken := tmp_path / "broken" / ".hubsync").mkdir(parents=True)
    (broken / "library.db").write_bytes(b"no database" * 400)
    assert _offered(library, f"hubsync --root {tmp_path}/broken info s") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts(library: CommandLine, shell: str) -> None:
    """Each shell gets its script, and names in its own form."""
    script = library("completion", shell).stdout
    assert f"_HUBSYNC_COMPLETE={shell}_complete" in script
    assert library("completion", shell, "--json").json == {"shell": shell, "script": script}


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(("word", "expected"), [("Sh", "Sharp\\ Detail"), ('"Sh', "Sharp Detail"), ("sk", "sks_frame")])
def test_in_a_real_bash(library: CommandLine, tmp_path: Path, word: str, expected: str) -> None:
    """The script fills in what bash then reads as one word, between quotes too."""
    program = tmp_path / "hubsync"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hubsync "$@"\n', "utf-8")
    program.chmod(0o755)
    script = (
        f'eval "$({program} completion bash)"; COMP_WORDS=({program} info "$1"); COMP_CWORD=2; COMPREPLY=()\n'
        f'_hubsync_completion {program}; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", word],
        env={**library.ground.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == [expected], done.stderr


def test_a_shell_never_waits_for_heavy_modules(library: CommandLine) -> None:
    """Names come without Textual, torch, the hub client or HTTP."""
    code = (
        "import atexit, sys\n"
        "from hubsync.cli import common, main\n"
        "common.os._exit = main.os._exit = lambda code: None\n"
        "atexit.register(lambda: print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr))\n"
        "sys.argv = ['hubsync']; main.main()"
    )
    environ = {"_HUBSYNC_COMPLETE": "bash_complete", "COMP_WORDS": "hubsync info s", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**library.ground.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "plain,sks_frame" in done.stdout
    assert {*done.stderr.split()}.isdisjoint({*HEAVY, "httpx2", "sqlite_utils"})
