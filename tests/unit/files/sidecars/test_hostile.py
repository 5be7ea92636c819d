"""Sidecars are anybody's: whatever is in them, reading them ends soon, with nothing that a terminal should not see."""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hubsync.domain import WordSource
from hubsync.files.sidecars import Told, beside, sidecar_path, told_by, write
from hubsync.prompts.sources import settled
from tests.unit.files.sidecars.conftest import Tell
from tests.unit.files.sidecars.lora import installed
from tests.unit.files.sidecars.test_telling import MODEL, VERSION
from tests.unit.files.sidecars.test_writing import USER
from tests.unit.files.sidecars.tools import put, read
from tests.unit.hubs.chaos import UNPRINTABLE, changed, garbled

SLOWEST = 2.0  # seconds; honest sidecars take a thousandth
HONEST: dict[str, Any] = {
    ".civitai.info": VERSION,
    ".api_info.json": MODEL,
    ".metadata.json": {
        "model_name": "M",
        "civitai": VERSION,
        "usage_tips": '{"strength": 0.6}',
        "notes": "n",
        "tags": ["a"],
    },
    ".cm-info.json": {
        "ModelId": 10,
        "VersionId": 20,
        "TrainedWords": ["a"],
        "UserTitle": "t",
        "Tags": ["b"],
        "Nsfw": True,
    },
    ".swarm.json": {"modelspec.title": "t", "modelspec.trigger_phrase": "a; b", "modelspec.usage_hint": "h"},
}


def _check(told: Told) -> None:
    """Everything in it may be shown and kept."""
    texts = [told.title, told.base_model, told.creator, *told.tags]
    lines = [told.description]
    for one in told.statements:
        texts += [word.text for group in one.groups or () for word in group.words]
        lines += [*one.raw, one.negative, one.notes]
        assert one.weight is None or abs(one.weight) < float("inf")
    for text in filter(None, (*texts, *lines)):
        assert not UNPRINTABLE.search(text)
        text.encode("utf-8")
    assert not any("\n" in text or "\t" in text for text in texts if text)
    assert told.nsfw_level is None or 0 < told.nsfw_level < 64
    assert len({one.source for one in told.statements}) == len(told.statements)
    settled(told.statements)


@pytest.mark.parametrize("seed", range(150))
def test_no_change_to_a_sidecar_is_an_error(path: Path, seed: int) -> None:
    """Parts dropped, replaced and repeated, bytes flipped, other encodings; and writing over it stays possible."""
    chance = random.Random(seed)
    write(installed(path), user=USER, before={})
    sidecars = {**HONEST, ".json": read(path), ".txt": "x", ".description.txt": "y"}
    for ending, content in sidecars.items():
        odd = changed(content, chance, chance.choice((0, 0.05, 0.2, 0.5)))
        text = odd if isinstance(odd, str) else json.dumps(odd)
        raw = garbled(text, chance) if chance.random() < 0.3 else text.encode("utf-8", "surrogatepass")
        path.with_name(path.stem + ending).write_bytes(raw)
    _check(told_by(path, beside(path)))
    before = sidecar_path(path).read_bytes()
    wrote = write(installed(path), user=USER, before={})
    after = sidecar_path(path).read_bytes()
    assert write(installed(path), user=USER, before=wrote) == wrote
    assert sidecar_path(path).read_bytes() == after
    if after != before:
        assert told_by(path, beside(path)).statements[0] == USER


@pytest.mark.parametrize("bad", [*HONEST, ".json", ".txt"])
@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff\xfe\x00", b"{}" + b" " * (9 << 20), b"[]", b"9" * 9999])
def test_one_bad_sidecar_never_spoils_the_others(path: Path, tell: Tell, bad: str, content: bytes) -> None:
    """What the others say is told, and which could not be read."""
    for ending, honest in HONEST.items():
        put(path, ending, honest)
    put(path, ".json", {"notes": "mine"})
    path.with_name(path.stem + bad).write_bytes(content)
    told = tell()
    assert str(told.ref).startswith("civitai:10@20")
    assert {WordSource.CIVITAI, WordSource.SIDECAR} <= {one.source for one in told.statements}
    if bad != ".txt":
        assert [problem.startswith(path.stem + bad) for problem in told.problems] == [True]


@pytest.mark.parametrize(
    "piece",
    ["(", "([", "a,", "||", "<", "<lora:", "(a:1.2", "\\(", "tag:", ":)", " ", "\n", "&amp;", "<!--", "<script>"],
)
def test_endless_repetition_ends(path: Path, tell: Tell, piece: str) -> None:
    """Brackets, tags and markup by the megabyte cost no more than their length."""
    big = piece * (1_000_000 // len(piece))
    words = {"id": 1, "trainedWords": [big] * 3, "description": big, "model": {"name": big, "tags": [big] * 9}}
    put(path, ".civitai.info", words)
    put(path, ".json", dict.fromkeys(("activation text", "notes", "negative text", "description"), big + "x"))
    began = time.process_time()
    _check(tell())
    assert time.process_time() - began < SLOWEST


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and permissions are of POSIX")
def test_what_is_no_file_is_not_opened(path: Path) -> None:
    """A pipe would wait for a writer for ever; a folder or a broken link says nothing."""
    os.mkfifo(path.with_name("mona v1.5.json"))
    os.mkfifo(path.with_name("mona v1.5.png"))
    path.with_name("mona v1.5.metadata.json").mkdir()
    path.with_name("mona v1.5.civitai.info").symlink_to("gone")
    told = told_by(path, [*path.parent.iterdir()])
    assert told == Told(problems=("mona v1.5.json is not a file", "mona v1.5.metadata.json is not a file"))
    assert write(installed(path), user=None, before={"notes": "n"}) == {"notes": "n"}
