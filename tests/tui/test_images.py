"""Pictures in cells, and what the terminal says it can draw."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from hubsync.errors import NotAModel
from hubsync.tui.images import decode, fit, half_blocks, part
from hubsync.tui.terminal import draws, graphics_widget, open_outside


def test_a_cell_shows_two_pixels() -> None:
    """The upper half is the foreground of `▀`, the lower half its background."""
    image = Image.new("RGB", (2, 2))
    image.putdata([(255, 0, 0), (0, 255, 0), (0, 0, 255), (9, 8, 7)])
    (strip,) = half_blocks(image, 2, 1)
    colours = [
        (segment.style.color.triplet, segment.style.bgcolor.triplet)
        for segment in strip
        if segment.style and segment.style.color and segment.style.bgcolor
    ]
    assert strip.text == "▀▀"
    assert colours == [((255, 0, 0), (0, 0, 255)), ((0, 255, 0), (9, 8, 7))]


@pytest.mark.parametrize(
    ("pixels", "room", "expected"),
    [((64, 64), (30, 10), (20, 10)), ((200, 100), (30, 10), (30, 8)), ((10, 1000), (30, 10), (1, 10))],
)
def test_a_picture_keeps_its_shape(pixels: tuple[int, int], room: tuple[int, int], expected: tuple[int, int]) -> None:
    """A cell is twice as high as wide; a picture never leaves its room."""
    assert fit(pixels, room) == expected


@pytest.mark.parametrize(
    ("zoom", "centre", "expected"),
    [
        (1, (0.5, 0.5), (0, 0, 400, 200)),
        (1, (0.0, 1.0), (0, 0, 400, 200)),
        (2, (0.5, 0.5), (100, 0, 300, 200)),
        (4, (0.0, 0.0), (0, 0, 100, 100)),
        (4, (1.0, 1.0), (300, 100, 400, 200)),
        (400, (0.5, 0.5), (200, 100, 201, 101)),
    ],
)
def test_a_part_fills_the_room_and_stays_inside(
    zoom: float, centre: tuple[float, float], expected: tuple[int, int, int, int]
) -> None:
    """40 x 20 cells are 40 x 40 pixels: a picture of 400 x 200 is seen across first, then down; never beyond it."""
    assert part((400, 200), (40, 20), zoom, centre) == expected


def test_a_large_picture_is_shrunk_when_decoded(tmp_path: Path) -> None:
    """What stays in memory is no larger than a pane can show, in RGB."""
    path = tmp_path / "large.png"
    Image.new("RGBA", (2000, 1000), (1, 2, 3, 255)).save(path)
    picture = decode(path)
    assert (picture.size, picture.mode) == ((512, 256), "RGB")


@pytest.mark.parametrize("content", [b"<html>", b"", b"\x89PNG\r\n\x1a\n broken"])
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    """A damaged or foreign file is an ordinary error."""
    path = tmp_path / "no.png"
    path.write_bytes(content)
    with pytest.raises(NotAModel):
        decode(path)


@pytest.mark.parametrize("answer", ["\x1b[?62;4;22c", "\x1b[?1;2;4c", "\x1b_Gi=31;OK\x1b\\\x1b[?62c"])
def test_a_terminal_with_graphics_is_known(answer: str) -> None:
    """Sixel is attribute 4 of the device attributes, Kitty graphics an OK of its own."""
    assert draws(answer)


@pytest.mark.parametrize("answer", ["", "\x1b[?62;22c", "\x1b[?64;14c", "\x1b_Gi=31;ENOTSUPPORTED\x1b\\\x1b[?62c"])
def test_any_other_answer_means_half_blocks(answer: str) -> None:
    """No answer, other attributes, a refusal."""
    assert not draws(answer)


@pytest.mark.parametrize("images", ["auto", "halfcell", "off"])
def test_without_a_terminal_nothing_is_asked(images: str) -> None:
    """In a pipe, and in tests, pictures are half-blocks or absent."""
    assert graphics_widget(images) is None


@pytest.mark.skipif(sys.platform != "linux", reason="the desktop's opener is xdg-open on Linux")
def test_a_picture_opens_where_it_can_be_seen(tmp_path: Path) -> None:
    """With a display and an opener; not over SSH, not without either, not where the opener fails."""
    opener, told = tmp_path / "xdg-open", tmp_path / "told"
    opener.write_text(f'#!/bin/sh\necho "$1" > {told}\n')
    opener.chmod(0o755)
    picture, desktop = tmp_path / "a b.png", {"PATH": f"{tmp_path}{os.pathsep}/bin", "DISPLAY": ":0"}
    assert open_outside(picture, desktop)
    assert told.read_text() == f"{picture}\n"
    assert not open_outside(picture, {**desktop, "SSH_CONNECTION": "10.0.0.1 22 10.0.0.2 22"})
    assert not open_outside(picture, {"PATH": str(tmp_path)})
    assert not open_outside(picture, {"PATH": str(tmp_path / "empty"), "DISPLAY": ":0"})
    opener.write_text("#!/bin/sh\nexit 3\n")
    assert not open_outside(picture, desktop)
