"""Which file a name in a tag loads: recorded answers of AUTOMATIC1111, and the traps that follow."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from hubsync.prompts.resolution import Known, Names, walk_key


def _resolved(case: dict[str, Any]) -> dict[str, Any]:
    """What the recorded answers tell, made by hubsync of the same files."""
    asked = case["input"]
    paths = sorted(asked["files"], key=lambda path: walk_key(PurePosixPath(path)))
    headers = [(path, asked["files"][path]) for path in paths]
    files = {
        path: Known(name=PurePosixPath(path).stem, alias=header.get("ss_output_name"), family=path)
        for path, header in headers
    }
    names = Names.of(files.values())
    listed = names.by_stem
    by_stem = asked["lora_preferred_name"] == "Filename"
    return {
        "resolves": {name: file.family if (file := names.loaded(name)) else None for name in asked["names"]},
        "inserted_name": {str(file.family): file.name if by_stem else names.inserted(file) for file in listed.values()},
        "listed": {name: file.family for name, file in listed.items()},
        "forbidden": sorted(names.forbidden),
    }


def test_every_recorded_answer(shared_data: Path) -> None:
    """Tags load, and cards write, what they do in AUTOMATIC1111 itself."""
    recorded = json.loads((shared_data / "a1111" / "cases.json").read_text("utf-8"))["cases"]
    cases = [case for case in recorded if case["function"] == "lora name resolution"]
    assert cases
    for case in cases:
        found = _resolved(case)
        assert (case["note"], found) == (case["note"], {key: case["expected"][key] for key in found})


A, B = Known(name="a", alias="b"), Known(name="b", alias="own")


@pytest.mark.parametrize("files", [(A, B), (B, A)])
def test_a_stem_wins_over_an_alias(files: tuple[Known, ...]) -> None:
    """The tag loads the file of that stem, though the other's card may write the same name."""
    names = Names.of(files)
    assert (names.loaded("b"), names.namesakes("b"), names.namesakes("a")) == (B, (A,), ())
    assert names.inserted(A) == ("b" if files[0] is A else "a")


def test_an_alias_two_files_share_loads_neither() -> None:
    """Once the second arrives old prompts stop resolving; a later file takes the stem of an earlier."""
    one, two = Known(name="one", alias="Last"), Known(name="two", alias="Last")
    assert Names.of([one]).loaded("Last") == one
    assert Names.of([one, two]).loaded("Last") is None
    assert Names.of([one, two, Known(name="Last", family="x")]).loaded("Last") == Known(name="Last", family="x")


def test_strange_names() -> None:
    """An empty alias is one, `none` never is, and a file called so is still found."""
    empty, none = Known(name="e", alias=""), Known(name="n", alias="None")
    names = Names.of([empty, none, Known(name="none")])
    assert (names.loaded(""), names.inserted(empty)) == (empty, "")
    assert (names.loaded("None"), names.inserted(none), names.loaded("none")) == (None, "n", Known(name="none"))


def test_files_are_walked_as_people_count() -> None:
    """Folder by folder, 2 before 10, case aside."""
    paths = [PurePosixPath(name) for name in ("b/a", "a/x10", "a/X9", "a/b/c", "10/a", "2/a", "a/9", "a/x")]
    ordered = [str(path) for path in sorted(paths, key=walk_key)]
    assert ordered == ["2/a", "10/a", "a/9", "a/x", "a/X9", "a/x10", "a/b/c", "b/a"]
