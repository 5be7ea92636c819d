"""A LoRA with an inner dot in its name, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from hubsync.domain import Statement, WordSource
from hubsync.files.sidecars import Told, beside, told_by

Tell: TypeAlias = Callable[[], Told]
Say: TypeAlias = Callable[[], dict[WordSource, Statement]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The LoRA's file, empty."""
    path = tmp_path / "mona v1.5.safetensors"
    path.touch()
    return path


@pytest.fixture
def tell(path: Path) -> Tell:
    """Read everything beside the LoRA."""
    return lambda: told_by(path, beside(path))


@pytest.fixture
def say(tell: Tell) -> Say:
    """Read the statements beside the LoRA, by their sources."""

    def statements() -> dict[WordSource, Statement]:
        found = tell().statements
        assert len({one.source for one in found}) == len(found)
        return {one.source: one for one in found}

    return statements
