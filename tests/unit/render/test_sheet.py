"""The contact sheet: sizes, enlargement and labels, read back from its pixels."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from hubsync.domain import LoraUse, Render, RenderKind
from hubsync.render.sheet import SheetRow, draw_sheet

RED, GREEN, BLUE = (200, 30, 30), (30, 200, 30), (30, 30, 200)
PAPER = (250, 250, 250)


def render(folder: Path, kind: RenderKind, colour: tuple[int, int, int], size: tuple[int, int] = (64, 64)) -> Render:
    """A render of one colour, its picture on disk; one black pixel at the top left shows how it was enlarged."""
    path = folder / f"{kind.value}-{size[0]}-{colour[0]}.png"
    picture = Image.new("RGB", size, colour)
    picture.putpixel((0, 0), (0, 0, 0))
    picture.save(path)
    return Render(
        path=path, kind=kind, loras=(LoraUse(name="a", weight=1),), prompt="p", seed=1, steps=1, cfg=1, size=size,
        sampler="DDIM", checkpoint="c", effect=0.25, created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def ink(sheet: Image.Image, box: tuple[int, int, int, int]) -> int:
    """Pixels of a region that are not paper."""
    region = sheet.crop(box)
    return sum(count for count, colour in region.getcolors(1 << 20) or [] if colour != PAPER)


def test_small_pictures_are_enlarged_without_blur(tmp_path: Path) -> None:
    """64 px become 256 by whole pixels, the columns stand in their order, a row below the other."""
    full = {
        RenderKind.BASE: render(tmp_path, RenderKind.BASE, RED),
        RenderKind.LORA: render(tmp_path, RenderKind.LORA, GREEN),
        RenderKind.TRIGGERED: render(tmp_path, RenderKind.TRIGGERED, BLUE),
    }
    sheet = draw_sheet([SheetRow(("a",), full), SheetRow(("b",), full)], title="t", subtitle="s")
    assert sheet.size == (176 + 3 * 268 + 12, 84 + 2 * 288)
    assert [sheet.getpixel((176 + column * 268 + 200, 84 + 288 + 200)) for column in range(3)] == [RED, GREEN, BLUE]
    corner = sheet.crop((176, 84, 176 + 8, 84 + 8)).getcolors()
    assert sorted(corner or []) == [(16, (0, 0, 0)), (48, RED)]


def test_a_column_nothing_has_is_not_there(tmp_path: Path) -> None:
    """Without trigger words there are two columns; a row without a picture leaves its cell empty."""
    base = render(tmp_path, RenderKind.BASE, RED)
    both = {RenderKind.BASE: base, RenderKind.LORA: render(tmp_path, RenderKind.LORA, GREEN)}
    sheet = draw_sheet([SheetRow(("a",), both), SheetRow(("b",), {RenderKind.BASE: base})], title="", subtitle="")
    assert sheet.width == 176 + 2 * 268 + 12
    assert sheet.getpixel((176 + 268 + 200, 84 + 288 + 200)) == PAPER


def test_large_pictures_are_shrunk_and_keep_their_shape(tmp_path: Path) -> None:
    """1024x512 fits into 384 pixels."""
    wide = render(tmp_path, RenderKind.BASE, RED, (1024, 512))
    sheet = draw_sheet([SheetRow((), {RenderKind.BASE: wide})], title="", subtitle="")
    assert sheet.size == (176 + 384 + 24, 84 + 192 + 32)


def test_labels_and_numbers_are_written(tmp_path: Path) -> None:
    """Title, column, row label and caption leave ink; an empty title leaves none."""
    base = {RenderKind.BASE: render(tmp_path, RenderKind.BASE, RED)}
    bare = draw_sheet([SheetRow((), base)], title="", subtitle="")
    full = draw_sheet([SheetRow(("add_detail", "seed 1"), base)], title="a red circle", subtitle="8 steps")
    title, labels, caption = (12, 12, 400, 30), (12, 84, 160, 130), (176, 341, 300, 360)
    assert (ink(bare, title), ink(bare, labels)) == (0, 0)
    assert min(ink(full, title), ink(full, labels), ink(full, caption)) > 50


@pytest.mark.parametrize("name", ["x" * 120, "日本語の名前" * 10, "a b " * 30])
def test_long_names_stay_in_the_margin(tmp_path: Path, name: str) -> None:
    """A long stem is broken over lines, a long title cut; neither runs into a picture or the next row."""
    base = {RenderKind.BASE: render(tmp_path, RenderKind.BASE, RED)}
    sheet = draw_sheet([SheetRow((name * 9,), base), SheetRow((), base)], title=name * 3, subtitle="")
    assert ink(sheet, (0, 84 + 256, 165, sheet.height)) == 0
    assert ink(sheet, (165, 84, 176, sheet.height)) == 0
    assert ink(sheet, (sheet.width - 10, 0, sheet.width, sheet.height)) == 0
