"""Sidecars: what hubsync writes for other tools, and whose words win."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hubsync.domain import Installed, TriggerGroup, TriggerWord, WordSource
from hubsync.errors import NotAModel
from hubsync.files import previews, sidecars


@pytest.fixture
def lora(tmp_path: Path) -> Installed:
    """A LoRA with an inner dot in its name and two outfits."""
    day = TriggerWord(text="mona (day)", source=WordSource.CIVITAI)
    off = TriggerWord(text="hat", source=WordSource.CIVITAI, enabled=False)
    night = TriggerWord(text="night", source=WordSource.CIVITAI)
    return Installed(
        name="mona v1.5",
        path=tmp_path / "mona v1.5.safetensors",
        title="Mona",
        family="sdxl",
        weight=0.7,
        groups=(TriggerGroup(index=1, words=(day, off), enabled=True), TriggerGroup(index=2, words=(night,))),
    )


def _write(lora: Installed, before: dict[str, Any], **changes: object) -> dict[str, Any]:
    return sidecars.write(lora.path, {**sidecars.content_of(lora), **changes}, before=before)


def _read(lora: Installed) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((lora.path.parent / "mona v1.5.json").read_text("utf-8"))
    return content


def test_a_new_sidecar_says_what_other_tools_read(lora: Installed) -> None:
    """The default group's enabled words, ready for a prompt, the weight, the base model by AUTOMATIC1111's name."""
    _write(lora, {})
    assert _read(lora) == {
        "description": "",
        "sd version": "SDXL",
        "activation text": r"mona \(day\)",
        "preferred weight": 0.7,
        "negative text": "",
        "notes": "",
    }


def test_a_humans_words_stay(lora: Installed) -> None:
    """What was edited, emptied or unknown to hubsync is not touched; what hubsync wrote is renewed."""
    before = _write(lora, {})
    edited = {**_read(lora), "activation text": "my words", "preferred weight": 0, "my key": [1]}
    sidecars.sidecar_path(lora.path).write_text(json.dumps(edited))
    again = _write(lora, before, **{"activation text": "new words", "preferred weight": 1.0, "description": "text"})
    assert _read(lora) == {**edited, "description": "text"}
    assert again == {**before, "description": "text"}


def test_a_foreign_sidecar_is_filled_where_empty(lora: Installed) -> None:
    """Another tool's file keeps its keys; 0 and "Unknown" count as empty."""
    foreign = {"activation text": "theirs", "preferred weight": 0, "sd version": "Unknown", "x": 1}
    sidecars.sidecar_path(lora.path).write_text(json.dumps(foreign), encoding="utf-8-sig")
    _write(lora, {})
    found = _read(lora)
    assert (found["activation text"], found["preferred weight"], found["sd version"], found["x"]) == (
        "theirs", 0.7, "SDXL", 1,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["[1]", "not json", ""])
def test_a_sidecar_that_is_no_object_is_left_alone(lora: Installed, text: str) -> None:
    """hubsync does not repair what it does not understand."""
    path = sidecars.sidecar_path(lora.path)
    path.write_text(text)
    assert _write(lora, {"notes": "n"}) == {"notes": "n"}
    assert path.read_text() == text


def _picture(form: str, size: tuple[int, int]) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, "red").save(data, form)
    return data.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_previews_become_true_pngs_of_modest_size(tmp_path: Path, form: str) -> None:
    """Whatever the bytes are, `.preview.png` holds a PNG no longer than 768 px."""
    path = tmp_path / "a.preview.png"
    previews.save_preview(_picture(form, (1600, 800)), path)
    with Image.open(path) as picture:
        assert (picture.format, picture.size) == ("PNG", (768, 384))


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    """HTML, a video, or a picture of absurd size leaves no file."""
    for content in (b"<html>", b"\x00\x00\x00\x18ftypmp42", _picture("PNG", (9000, 9000))):
        with pytest.raises(NotAModel):
            previews.save_preview(content, tmp_path / "a.preview.png")
    assert list(tmp_path.iterdir()) == []
