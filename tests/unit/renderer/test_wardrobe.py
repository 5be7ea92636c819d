"""LoRAs of a request: read when needed, kept while there is room, refused once and by name."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

from hubsync.render import wire
from hubsync.renderer.drawing import Artist
from hubsync.renderer.names import Table
from hubsync.renderer.wardrobe import Wardrobe
from tests.unit.renderer.conftest import Pipeline, kohya, modules, random_lora, request, row


def wardrobe(folder: Path, table: Table, said: list[wire.Line], *, room: int = 1 << 30) -> Wardrobe:
    """Three LoRAs, of which `bad` is a page of HTML and `gone` no file."""
    files = {name: random_lora(folder / name, modules(table, "attn2"), kohya, rank=2) for name in ("a", "b", "c")}
    (folder / "bad").write_bytes(b"<html>")
    paths = {**files, "bad": folder / "bad", "gone": folder / "gone"}
    return Wardrobe(
        files={name: str(path) for name, path in paths.items()},
        table=table,
        device=torch.device("cpu"),
        say=said.append,
        room=room,
    )


def test_a_lora_is_read_once_while_there_is_room(tmp_path: Path, table: Table) -> None:
    """And anew where another took its place: the one longest unused goes."""
    roomy, narrow = wardrobe(tmp_path, table, []), wardrobe(tmp_path, table, [], room=1)
    first = roomy.get("a")
    assert roomy.get("b") is not None
    assert roomy.get("a") is first
    kept = narrow.get("a")
    assert narrow.get("a") is kept
    assert narrow.get("b") is not None
    assert narrow.get("a") is not kept


def test_a_lora_that_cannot_be_applied_ends_no_other(tmp_path: Path, pipe: Pipeline, table: Table) -> None:
    """Each is refused once; pictures without it are drawn."""
    said: list[wire.Line] = []
    rows = (row(), row(a=1.0), row(bad=1.0), row(seed=2, bad=0.5), row(gone=1.0), row(a=0.5, gone=0.5), row(c=0.0))
    drawn = dict(Artist(pipe, wardrobe(tmp_path, table, said), {}, said.append).draw(request(rows=rows)))
    assert sorted(drawn) == [0, 1, 6]
    refused = [(line.lora, line.code) for line in said if isinstance(line, wire.Refused)]
    assert sorted(refused) == [("bad", "not_safetensors"), ("gone", "not_found")]


def test_rows_far_down_the_list_hold_up_nobody(tmp_path: Path, pipe: Pipeline, table: Table) -> None:
    """The first pictures come before the last LoRA is even looked at."""
    said: list[wire.Line] = []
    rows = (*(row(seed=seed) for seed in range(64)), row(bad=1.0))
    pictures = Artist(pipe, wardrobe(tmp_path, table, said), {}, said.append).draw(request(rows=rows, steps=1))
    next(pictures)
    assert not any(isinstance(line, wire.Refused) for line in said)
    assert len([*pictures]) == 63
    assert any(isinstance(line, wire.Refused) for line in said)
