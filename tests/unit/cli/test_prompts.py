"""`prompt` as a Unix filter, and what `--parse` shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def _hubsync(root: Path, *arguments: str, stdin: bytes = b"") -> tuple[str, str]:
    command = [sys.executable, "-m", "hubsync", "--root", str(root), "prompt", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, env=os.environ, check=True)
    return done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize(
    ("stdin", "stdout"),
    [
        (b"a\n", "a\n"),
        (b"a", "a\n"),
        (b"a\n\n", "a\n\n"),
        (b"a\tb\xe3\x80\x80c\r\nd\r\n", "a\tb\u3000c\nd\n"),
        (b"a\nNegative prompt: b, c\n", "a\nNegative prompt: b, c\n"),
        (b"\xef\xbb\xbfa \xff", "a \ufffd\n"),
    ],
)
def test_a_pipe_gives_the_text_back(tmp_path: Path, stdin: bytes, stdout: str) -> None:
    """To the last line break, with its negative prompt where it holds one."""
    assert _hubsync(tmp_path, "-", stdin=stdin)[0] == stdout


def test_negative_prompts(tmp_path: Path) -> None:
    """They stand below the prompt where the user speaks of one."""
    assert _hubsync(tmp_path, "a", "--negative", "b")[0] == "a\nNegative prompt: b\n"
    assert _hubsync(tmp_path, "-", "--negative", "b", stdin=b"a\n")[0] == "a\nNegative prompt: b\n"
    answer = json.loads(_hubsync(tmp_path, "-", "--json", stdin=b"a\nNegative prompt: b")[0])
    assert (answer["prompt"], answer["negative_prompt"]) == ("a", "b")


def _parsed(root: Path, text: str) -> Any:
    return json.loads(_hubsync(root, text, "--parse", "--steps", "10")[0])


def test_parse_follows_automatic1111_to_the_end(tmp_path: Path) -> None:
    """Comments go first, then tags; AND parts prompts, each with its schedule."""
    parsed = _parsed(tmp_path, "a <lora:x:0.5> # <lora:y:1>\n[b:c:0.5] AND (d:1.2) :0.7")
    assert parsed["prompt"] == "a  \n[b:c:0.5] AND (d:1.2) :0.7"
    assert [one["positional"] for one in parsed["networks"]] == [["x", "0.5"]]
    assert parsed["prompts"] == [
        {"text": "a  \n[b:c:0.5]", "weight": 1.0, "schedule": [[5, "a  \nb"], [10, "a  \nc"]]},
        {"text": " (d:1.2)", "weight": 0.7, "schedule": [[10, " (d:1.2)"]]},
    ]
