"""The house rules at run time: what a command really loads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ["textual", "torch", "diffusers", "transformers", "huggingface_hub", "PIL"]
_LOADED = """
import json, sys
from hubsync.cli.main import cli
try:
    assert not cli.main(sys.argv[1:], standalone_mode=False)
except SystemExit as done:
    assert done.code == 0, done.code
print(json.dumps(sorted(name.partition(".")[0] for name in sys.modules)), file=sys.stderr)
"""


def _modules_after(arguments: list[str], root: Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, *arguments, "--root", str(root)], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments",
    [["--version"], ["list"], ["search", "--help"], ["install", "--help"], ["config", "list"], ["completion", "zsh"]],
    ids=" ".join,
)
def test_light_commands_load_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    """Neither Textual nor torch nor the hub client is imported by a command that does not need it."""
    assert _modules_after(arguments, tmp_path).isdisjoint(HEAVY)


def test_list_makes_no_http_client(tmp_path: Path) -> None:
    """The library is read without importing the HTTP stack."""
    assert "httpx2" not in _modules_after(["list"], tmp_path)
