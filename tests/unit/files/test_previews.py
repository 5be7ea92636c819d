"""Previews: whatever bytes come, one true PNG or none."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from hubsync.errors import NotAModel
from hubsync.files import previews


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
