"""The library's commands as scripts see them: keys, exit codes, one document."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hubsync.sandbox.playground import DATA, Playground
from tests.integration.conftest import CommandLine

LORAS = DATA / "loras"


@pytest.fixture
def filled(hubsync: CommandLine, ground: Playground) -> CommandLine:
    """A library of two LoRAs that lay there."""
    folder = ground.root / "models" / "Lora"
    folder.mkdir(parents=True)
    for stem in ("mona_outfits", "sks_frame"):
        shutil.copyfile(LORAS / f"{stem}.safetensors", folder / f"{stem}.safetensors")
    assert hubsync("scan", "--json").exit == 0
    return hubsync


def _words(hubsync: CommandLine, name: str) -> list[list[tuple[str, str, bool]]]:
    groups = hubsync("triggers", name, "--json").json["groups"]
    return [[(word["text"], word["source"], word["enabled"]) for word in group["words"]] for group in groups]


def test_a_scan_counts_and_names_problems(hubsync: CommandLine, ground: Playground) -> None:
    """The contract's keys; problems with whole paths."""
    folder = ground.root / "models" / "Lora"
    folder.mkdir(parents=True)
    shutil.copyfile(LORAS / "sks_frame.safetensors", folder / "sks_frame.safetensors")
    (folder / "half.safetensors").write_bytes((LORAS / "sks_frame.safetensors").read_bytes()[:-9])
    scanned = hubsync("scan", "--json").json
    assert [scanned[key] for key in ("added", "updated", "removed", "unchanged", "identified")] == [1, 0, 0, 0, 1]
    (problem,) = scanned["problems"]
    assert (problem["path"], problem["code"]) == (str(folder / "half.safetensors"), "not_safetensors")
    assert "9 of its" in problem["message"]
    said = hubsync("scan")
    assert said.stdout.startswith("0 added, 0 updated, 0 removed, 1 unchanged, 0 identified in ")


def test_rot_and_loss_have_their_exits(filled: CommandLine, ground: Playground) -> None:
    """6 where bytes are wrong, 3 where a file is gone, 1 where both happened, 0 where all is well."""
    folder = ground.root / "models" / "Lora"
    fine = filled("verify", "--json")
    assert (fine.exit, {item["status"] for item in fine.json["items"]}) == (0, {"ok"})
    with (folder / "sks_frame.safetensors").open("r+b") as file:
        file.seek(-5, 2)
        file.write(b"x")
    rotten = filled("verify", "sks_frame", "--json")
    assert rotten.exit == 6
    assert rotten.json == {
        "items": [{"name": "sks_frame", "path": str(folder / "sks_frame.safetensors"), "status": "changed"}]
    }
    (folder / "mona_outfits.safetensors").unlink()
    assert filled("verify", "mona_outfits").exit == 3
    assert filled("verify").exit == 1


def test_duplicates_are_groups_of_names_and_paths(filled: CommandLine, ground: Playground) -> None:
    """The contract's keys."""
    folder = ground.root / "models" / "Lora"
    assert filled("duplicates", "--json").json == {"groups": []}
    shutil.copyfile(folder / "sks_frame.safetensors", folder / "copy.safetensors")
    filled("scan")
    same = next(group for group in filled("duplicates", "--json").json["groups"] if group["kind"] == "same_file")
    assert same["names"] == ["copy", "sks_frame"]
    assert same["paths"] == [str(folder / "copy.safetensors"), str(folder / "sks_frame.safetensors")]


def test_trigger_words_are_edited(filled: CommandLine) -> None:
    """Every action of the contract; prompts follow, and `reset` undoes."""
    filled("triggers", "mona_outfits", "add", "red hat, boots")
    filled("triggers", "mona_outfits", "remove", "mona", "--group", "1")
    filled("triggers", "mona_outfits", "disable", "boots")
    filled("triggers", "mona_outfits", "enable", "--group", "2")
    filled("triggers", "mona_outfits", "disable", "mona", "--group", "2")
    assert _words(filled, "mona_outfits") == [
        [("day outfit", "civitai", True), ("red hat", "user", True), ("boots", "user", False)],
        [("mona", "civitai", False), ("night outfit", "civitai", True)],
    ]
    filled("triggers", "mona_outfits", "weight", "-0.5")
    said = filled("triggers", "mona_outfits", "negative", "blurry, low quality", "--json").json
    assert (said["weight"], said["negative"]) == (-0.5, "blurry, low quality")
    composed = filled("prompt", "a castle", "--lora", "mona_outfits", "--json").json
    assert composed["prompt"] == "a castle, day outfit, red hat, night outfit <lora:mona_outfits:-0.5>"
    assert composed["negative_prompt"] == "blurry, low quality"
    back = filled("triggers", "mona_outfits", "reset", "--json").json
    assert [[word["text"] for word in group["words"]] for group in back["groups"]] == [
        ["mona", "day outfit"], ["mona", "night outfit"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code"),
    [
        (("triggers", "mona_outfits", "remove", "nothing"), 3, "not_found"),
        (("triggers", "mona_outfits", "add", "x", "--group", "9"), 2, "usage"),
        (("triggers", "mona_outfits", "weight", "much"), 2, "usage"),
        (("triggers", "mona_outfits", "add", "--gruop"), 2, "usage"),
        (("move", "mona_outfits", "--to", "sks_frame"), 7, "unsafe_name"),
        (("move", "mona_outfits", "--to", "../out"), 7, "unsafe_name"),
        (("remove", "nothing"), 3, "not_found"),
        (("restore", "nothing"), 3, "not_found"),
        (("scan", "nowhere"), 3, "not_found"),
        (("update", "--ignore"), 2, "usage"),
    ],
)
def test_what_cannot_be_done_has_its_exit(
    filled: CommandLine, arguments: tuple[str, ...], exit_code: int, code: str
) -> None:
    """One document with the code, and nothing changed."""
    answer = filled(*arguments, "--json")
    assert (answer.exit, answer.json["error"]["code"]) == (exit_code, code)
    assert {item["name"] for item in filled("list", "--json").json["items"]} == {"mona_outfits", "sks_frame"}


def test_a_lora_goes_and_comes_back(filled: CommandLine, ground: Playground) -> None:
    """Moved, removed, listed in the trash, restored, removed for good."""
    moved = filled("move", "mona_outfits", "--to", "people/mona", "--json").json
    assert (moved["name"], moved["path"]) == ("mona", str(ground.root / "models/Lora/people/mona.safetensors"))
    (removed,) = filled("remove", "mona", "--json").json["items"]
    assert Path(removed["trash"]).is_dir()
    assert [item["name"] for item in filled("restore", "--json").json["items"]] == ["mona"]
    assert filled("restore", "mona", "--json").json["path"] == moved["path"]
    several = filled("remove", "mona", "nothing", "--json")
    assert several.exit == 3
    assert ["error" in item for item in several.json["items"]] == [False, True]
    filled("remove", "--empty-trash")
    assert filled("restore", "mona").exit == 3
    assert json.loads(filled("list", "--json").stdout)["items"][0]["name"] == "sks_frame"


def test_an_update_is_checked_and_brought(hubsync: CommandLine) -> None:
    """`--check` changes nothing but what the library knows; `list --outdated` shows it."""
    hubsync("install", "civitai:1003@2103")
    checked = hubsync("update", "--check", "--json").json
    assert [(item["status"], item["newer"]) for item in checked["items"]] == [("outdated", "civitai:1003@2003")]
    assert checked["results"] == []
    assert [item["newer"] for item in hubsync("list", "--outdated", "--json").json["items"]] == ["civitai:1003@2003"]
    brought = hubsync("update", "--json").json["results"]
    assert [result["name"] for result in brought] == ["add_brightness"]
    assert hubsync("list", "--outdated", "--json").json["items"] == []
    assert {item["name"] for item in hubsync("list", "--json").json["items"]} == {
        "add_brightness", "add_brightness_v1",
    }  # fmt: skip
