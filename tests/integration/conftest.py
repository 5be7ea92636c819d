"""The sandbox hubs, and the real command line run against them as a user would."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hubsync.sandbox.hub import SandboxHub
from hubsync.sandbox.playground import Playground, playground


@dataclass(frozen=True)
class Answer:
    """What one command gave."""

    exit: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.stdout)


@dataclass(frozen=True)
class CommandLine:
    """Runs `hubsync` in a process of its own, in a playground."""

    ground: Playground

    def __call__(self, *arguments: str, stdin: str = "", environ: Mapping[str, str] | None = None) -> Answer:
        """Run one command."""
        done = subprocess.run(
            [sys.executable, "-m", "hubsync", *arguments],
            env={**self.ground.environ, **(environ or {})},
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Playground]:
    """Both hubs and an empty library."""
    with playground(tmp_path / "library") as ground:
        yield ground


@pytest.fixture
def hubsync(ground: Playground) -> CommandLine:
    """The command line in an empty library."""
    return CommandLine(ground)


@pytest.fixture
def hub(ground: Playground) -> SandboxHub:
    """The hubs the command line talks to."""
    return ground.hub
