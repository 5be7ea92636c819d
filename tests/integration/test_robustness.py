"""Whatever happens to a process, a library stays whole: kills, several processes at once, a read-only disk."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from hubsync.files.header import read_header
from hubsync.sandbox.playground import DATA, Playground
from tests.integration.conftest import CommandLine

LORAS = DATA / "loras"
KILLS = 4

# Counts what touches the library's disk, noting each in a file, and kills the process before the one asked for.
KILLER = """
import os, signal, sys
root, counter, at = sys.argv[1], sys.argv[2], int(sys.argv[3])
del sys.argv[1:4]
count, log = 0, os.open(counter, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
touching = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "open", "sqlite3.connect"}

def hook(event, arguments):
    global count
    if event in touching and str(arguments[0]).startswith(root):
        count += 1
        os.write(log, b".")
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
from hubsync.cli.main import main
main()
"""


def _run(ground: Playground, counter: Path, at: int, *arguments: str) -> int:
    command = [sys.executable, "-c", KILLER, str(ground.root), str(counter), str(at), *arguments]
    done = subprocess.run(command, env=dict(ground.environ), capture_output=True, timeout=120, check=False)
    return done.returncode


def _fill(hubsync: CommandLine, ground: Playground) -> None:
    """Two LoRAs from the hub, one with an edit, and one put there by hand."""
    hubsync("install", "civitai:1005", "civitai:1003@2103")
    hubsync("triggers", "mona_outfits", "add", "red hat")
    shutil.copyfile(LORAS / "sks_frame.safetensors", ground.root / "models/Lora/by hand.safetensors")


COMMANDS: dict[str, Sequence[str]] = {
    "scan": ("scan",),
    "install": ("install", "civitai:1001"),
    "edit": ("triggers", "mona_outfits", "add", "boots"),
    "move": ("move", "mona_outfits", "--to", "people/mona"),
    "remove": ("remove", "mona_outfits"),
    "restore": ("restore", "mona_outfits"),
    "rehash": ("scan", "--rehash"),
    "update": ("update", "add_brightness_v1", "--replace"),
}


@pytest.mark.parametrize("name", list(COMMANDS))
def test_a_kill_at_any_moment_leaves_a_whole_library(
    hubsync: CommandLine, ground: Playground, tmp_path: Path, name: str
) -> None:
    """After it the next command puts things right: nothing half, nothing lost, and the command can be given again."""
    _fill(hubsync, ground)
    if name != "scan":
        hubsync("scan")
    if name == "restore":
        hubsync("remove", "mona_outfits")
    aside, counter = tmp_path / "aside", tmp_path / "counter"
    shutil.copytree(ground.root, aside)
    assert _run(ground, counter, 0, *COMMANDS[name]) == 0
    moments = range(1, counter.stat().st_size + 1)
    for at in random.sample(moments, min(KILLS, len(moments))):
        shutil.rmtree(ground.root)
        shutil.copytree(aside, ground.root, symlinks=True)
        # Threads of an install take turns as they like: at times it ends before that moment comes.
        assert _run(ground, counter, at, *COMMANDS[name]) in ({-9, 0} if name in {"install", "update"} else {-9})
        _check_whole(hubsync, ground)
        again = hubsync(*COMMANDS[name])
        assert again.exit in {0, 3}, again.stderr  # 3: what was to be removed or moved is, under its new name
        _check_whole(hubsync, ground)


def _check_whole(hubsync: CommandLine, ground: Playground) -> None:
    scanned = hubsync("scan", "--no-identify", "--json")
    assert scanned.exit == 0, scanned.stderr
    # Two versions of one LoRA were trained under one name: that is said, and no harm to the library.
    assert {problem["code"] for problem in scanned.json["problems"]} <= {"alias_collision"}
    listed = hubsync("list", "--json").json["items"]
    with closing(sqlite3.connect(ground.root / ".hubsync" / "library.db")) as library:
        assert library.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert library.execute("PRAGMA foreign_key_check").fetchall() == []
    here = list((ground.root / "models").rglob("*.safetensors"))
    assert sorted(item["path"] for item in listed if not item["missing"]) == sorted(map(str, here))
    trashed = list((ground.root / ".hubsync").glob("trash/*/*.safetensors"))
    for path in (*here, *trashed):
        read_header(path)
    for path in (ground.root / "models").rglob("*.json"):
        json.loads(path.read_text("utf-8"))
    (mona,) = [path for path in (*here, *trashed) if path.stem in {"mona_outfits", "mona"}]
    sidecar = json.loads(mona.with_suffix(".json").read_text("utf-8"))
    assert "red hat" in sidecar["activation text"]
    assert not list((ground.root / ".hubsync").glob("moves/*.json"))


def test_several_processes_write_at_once(hubsync: CommandLine, ground: Playground) -> None:
    """Each edit and each scan is kept; none meets a locked database."""
    _fill(hubsync, ground)
    commands: list[tuple[str, ...]] = [
        *(("triggers", "add_brightness_v1", "add", f"word {number}") for number in range(4)),
        *(("scan",) for _ in range(3)),
    ]
    with ThreadPoolExecutor(max_workers=len(commands)) as pool:
        answers = list(pool.map(lambda command: hubsync(*command), commands))
    assert [answer.exit for answer in answers] == [0] * len(commands), [answer.stderr for answer in answers]
    _check_whole(hubsync, ground)
    assert {item["name"] for item in hubsync("list", "--json").json["items"]} == {
        "mona_outfits", "add_brightness_v1", "by hand",
    }  # fmt: skip
    (group,) = hubsync("triggers", "add_brightness_v1", "--json").json["groups"]
    assert {word["text"] for word in group["words"]} == {f"word {number}" for number in range(4)}


@pytest.fixture
def read_only(ground: Playground) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command where the library lies on a disk that cannot be written."""
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare here")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        root = ground.root
        script = f"mount --bind '{root}' '{root}' && mount -o remount,ro,bind '{root}' && exec \"$@\""
        command = ["unshare", "-rm", "sh", "-c", script, "sh", sys.executable, "-m", "hubsync", *arguments]
        return subprocess.run(
            command, env=dict(ground.environ), capture_output=True, encoding="utf-8", timeout=60, check=False
        )

    ground.root.mkdir(parents=True, exist_ok=True)
    if run("--version").returncode:
        pytest.skip("no mount namespace is to be had here")
    return run


@pytest.mark.parametrize(
    "command",
    [
        ("triggers", "mona_outfits", "add", "boots"),
        ("move", "mona_outfits", "--to", "mona"),
        ("remove", "mona_outfits"),
        ("install", "civitai:1001"),
        ("scan",),
    ],
    ids=lambda command: str(command[0]),
)
def test_a_read_only_disk_is_said_and_can_be_read(
    hubsync: CommandLine,
    ground: Playground,
    read_only: Callable[..., subprocess.CompletedProcess[str]],
    command: tuple[str, ...],
) -> None:
    """What writes fails with the reason and exit 8; what reads works."""
    _fill(hubsync, ground)
    done = read_only(*command)
    assert done.returncode == 8, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error:") >= 1
    listed = read_only("list", "--json")
    assert listed.returncode == 0, listed.stderr
    assert {item["name"] for item in json.loads(listed.stdout)["items"]} == {"mona_outfits", "add_brightness_v1"}
    prompt = read_only("prompt", "a castle", "--lora", "mona_outfits")
    assert "<lora:mona_outfits:" in prompt.stdout
