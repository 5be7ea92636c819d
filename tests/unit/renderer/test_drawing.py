"""Batches: progress, memory that runs out, pictures that are none, and the session around them."""

from __future__ import annotations

import functools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")

import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from hubsync.errors import HubsyncError, NotFound, OutOfMemory
from hubsync.render import wire
from hubsync.renderer.drawing import Artist
from hubsync.renderer.session import Session
from tests.unit.renderer.conftest import Pipeline, draw, kohya, modules, random_lora, request, row, worn

# diffusers' schedulers hand tensors to numpy in a way numpy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")


class Wrapped:
    """A pipeline whose call is replaced, with everything else as it was."""

    def __init__(self, pipe: Pipeline, call: Any) -> None:
        self._pipe = pipe
        self._call = call

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipe, name)

    @functools.wraps(StableDiffusionPipeline.__call__)
    def __call__(self, **options: Any) -> Any:
        """What stands in for drawing."""
        return self._call(self._pipe, **options)


def small_memory(pipe: Pipeline, **options: Any) -> Any:
    """Holds two pictures at once."""
    if len(options["generator"]) > 2:
        raise torch.OutOfMemoryError("CUDA out of memory")
    return pipe(**options)


def test_progress_grows_step_by_step(pipe: Pipeline) -> None:
    """Three pictures in batches of two at four steps: halves and quarters of pictures, never backwards."""
    said: list[wire.Line] = []
    rows = (row(), row(seed=2), row(seed=3))
    list(Artist(pipe, worn({}), {}, said.append).draw(request(rows=rows, batch=2)))
    done = [line.pictures for line in said if isinstance(line, wire.Progress)]
    assert done == [0.5, 1.0, 1.5, 2.0, 2.25, 2.5, 2.75, 3.0]


def test_out_of_memory_halves_the_batch_and_goes_on(pipe: Pipeline) -> None:
    """Every picture is drawn all the same, and the user is told."""
    said: list[wire.Line] = []
    rows = tuple(row(seed=seed) for seed in range(5))
    drawn = dict(Artist(Wrapped(pipe, small_memory), worn({}), {}, said.append).draw(request(rows=rows)))
    expected = draw(pipe, list(rows), {})
    assert sorted(drawn) == [0, 1, 2, 3, 4]
    assert max((drawn[index] - expected[index]).abs().max() for index in drawn) <= 1e-5
    assert [line.message for line in said if isinstance(line, wire.Note)] == [
        "out of memory with 5 pictures at once; going on with 2"
    ]


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("x"), RuntimeError("MPS backend out of memory"), MemoryError()]
)
def test_memory_too_small_for_one_picture_is_an_error(pipe: Pipeline, error: Exception) -> None:
    """However the device words it."""

    def fail(_pipe: Pipeline, **_options: Any) -> Any:
        raise error

    with pytest.raises(OutOfMemory, match="even one picture"):
        list(Artist(Wrapped(pipe, fail), worn({}), {}, lambda line: line).draw(request(rows=(row(), row(seed=2)))))


def test_another_error_is_not_taken_for_memory(pipe: Pipeline) -> None:
    """It ends the render instead of drawing row by row."""

    def fail(_pipe: Pipeline, **_options: Any) -> Any:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        list(Artist(Wrapped(pipe, fail), worn({}), {}, lambda line: line).draw(request(rows=(row(), row(seed=2)))))


def test_a_picture_without_numbers_is_an_error(pipe: Pipeline) -> None:
    """Half precision that overflows would be saved as a black picture."""

    def overflow(_pipe: Pipeline, **_options: Any) -> Any:
        return SimpleNamespace(images=torch.full((1, 3, 64, 64), torch.nan))

    with pytest.raises(HubsyncError, match="no finite picture"):
        list(Artist(Wrapped(pipe, overflow), worn({}), {}, lambda line: line).draw(request(rows=(row(),))))


def test_a_session_saves_pictures_and_keeps_the_checkpoint(tmp_path: Path, pipe: Pipeline) -> None:
    """Two requests load it once; the files are the pictures, to half a level."""
    said: list[wire.Line] = []
    session = Session(said.append)
    session.answer(request(rows=(row(),), folder=str(tmp_path), device="cpu"))
    loaded = session._pipe
    session.answer(request(rows=(row(seed=2),), folder=str(tmp_path), device="cpu", sampler="Euler"))
    assert session._pipe is loaded
    assert [line for line in said if isinstance(line, wire.Loaded)] == [
        wire.Loaded(device="cpu", dtype="float32", sampler="DDIM"),
        wire.Loaded(device="cpu", dtype="float32", sampler="Euler"),
    ]
    session.answer(request(rows=(row(),), folder=str(tmp_path), device="cpu"))
    with Image.open(tmp_path / "0000.png") as picture:
        pixels = torch.tensor(list(picture.tobytes())).reshape(64, 64, 3)
    expected = draw(pipe, [row()], {})[0].permute(1, 2, 0) * 255
    assert (pixels - expected).abs().max() <= 0.501
    assert isinstance(said[-1], wire.Done)


def test_a_download_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gigabytes may come before the first picture; a path or a name that can be neither is not announced."""

    def nothing(*_: object) -> None:
        raise NotFound("it is not there")

    monkeypatch.setattr("hubsync.renderer.session.load_pipeline", nothing)
    said: list[wire.Line] = []
    for checkpoint in ("owner/checkpoint", "/no/such/file.safetensors", "nothing"):
        with pytest.raises(NotFound):
            Session(said.append).answer(request(checkpoint=checkpoint, rows=(row(),), device="cpu"))
    assert said == [wire.Note(message="fetching owner/checkpoint from Hugging Face, once")]


def test_a_session_reports_what_was_left_out(tmp_path: Path, table: dict[str, Any]) -> None:
    """The number of modules without a place and the name of one."""

    def misspelt(component: str, path: str) -> dict[str, str]:
        spelt = kohya(component, path)
        return {side: key.replace("up_blocks_1", "up_blocks_7") for side, key in spelt.items()}

    path = random_lora(tmp_path / "x.safetensors", modules(table, "attn2.to_k"), misspelt)
    said: list[wire.Line] = []
    rows = (row(x=1.0),)
    Session(said.append).answer(request(rows=rows, folder=str(tmp_path), device="cpu", loras={"x": str(path)}))
    notes = [line.message for line in said if isinstance(line, wire.Note)]
    assert len(notes) == 1
    assert notes[0].startswith(
        "'x': 2 of 7 modules have no place in this checkpoint and were left out, lora_unet_up_blocks_7"
    )
