"""The house rules on size: a room that outgrows them holds two things."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "hubsync"
MODULES = sorted(PACKAGE.rglob("*.py"))


def _functions(module: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_outgrows_its_room(module: Path) -> None:
    """A module has a docstring and at most 300 lines, a function at most 60."""
    text = module.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= 300
    assert [name for name, lines in _functions(module) if lines > 60] == []


def test_functions_stay_small() -> None:
    """Half of all functions have at most 12 lines, 95 of 100 at most 40."""
    lengths = [lines for module in MODULES for _, lines in _functions(module)]
    assert statistics.median(lengths) <= 12
    assert statistics.quantiles(lengths, n=20)[-1] <= 40


def test_broad_excepts_stand_at_the_borders_only() -> None:
    """`except Exception` occurs at the command line's edge, around a batch item or a worker, and in the renderer."""
    broad = {
        str(module.relative_to(PACKAGE))
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or getattr(node.type, "id", "") in {"Exception", "BaseException"})
    }
    allowed = {
        "cli/main.py",
        "services/install.py",
        "files/transfer/threads.py",
        "renderer/__main__.py",
        "store/database.py",
    }
    assert broad <= allowed
