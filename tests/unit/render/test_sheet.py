"""The contact sheet: where everything stands, sizes, enlargement and labels, read back from its pixels."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from hubsync.domain import Render
from hubsync.render import lettering, paper
from hubsync.render.lettering import Label, Pen
from hubsync.render.paper import Cell, Section, SheetRow, draw_sheet, stacked
from hubsync.render.plan import RenderPlan
from hubsync.render.sheet import contact_sheet
from tests.unit.render.conftest import Plan

RED, GREEN, BLUE = (200, 30, 30), (30, 200, 30), (30, 30, 200)
PAPER = (250, 250, 250)
LEFT, HEAD, STEP = 200, 64 + 32, 256 + 20 + 12
"""Pixels left of the first column, above the first row, and from one row of 256 pixels to the next."""


@pytest.fixture
def cell(tmp_path: Path) -> Callable[..., Cell]:
    """Makes a picture of one colour; one black pixel at the top left shows how it was enlarged."""

    def make(colour: tuple[int, int, int] = RED, size: tuple[int, int] = (64, 64), caption: str = "") -> Cell:
        path = tmp_path / f"{size[0]}x{size[1]}-{colour[0]}-{colour[1]}.png"
        picture = Image.new("RGB", size, colour)
        picture.putpixel((0, 0), (0, 0, 0))
        picture.save(path)
        return Cell(path, size, (caption,))

    return make


def section(*rows: SheetRow, columns: int = 3) -> Section:
    """Rows below numbered columns."""
    return Section(columns=tuple((Label(str(column)),) for column in range(columns)), rows=rows)


def ink(sheet: Image.Image, box: tuple[int, int, int, int]) -> int:
    """Pixels of a region that are not paper."""
    region = sheet.crop(box)
    return sum(count for count, colour in region.getcolors(1 << 20) or [] if colour != PAPER)


def colour_at(sheet: Image.Image, column: int, row: int, head: int = HEAD) -> object:
    """The colour in the middle of a cell of 256 pixels."""
    return sheet.getpixel((LEFT + column * 268 + 128, head + row * STEP + 128))


def test_small_pictures_are_enlarged_without_blur(cell: Callable[..., Cell]) -> None:
    """64 px become 256 by whole pixels, the columns stand in their order, a row below the other."""
    cells = {0: cell(RED), 1: cell(GREEN), 2: cell(BLUE)}
    sheet = draw_sheet([section(SheetRow((), cells), SheetRow((), cells))], title="t", subtitle="s")
    assert sheet.size == (LEFT + 3 * 268 + 12, HEAD + 2 * STEP)
    assert [colour_at(sheet, column, 1) for column in range(3)] == [RED, GREEN, BLUE]
    corner = sheet.crop((LEFT, HEAD, LEFT + 8, HEAD + 8)).getcolors()
    assert sorted(corner or []) == [(16, (0, 0, 0)), (48, RED)]


@pytest.mark.parametrize(
    ("size", "columns", "expected"),
    [
        ((1024, 512), 1, (384, 192)),
        ((512, 768), 3, (256, 384)),
        ((768, 512), 6, (256, 171)),
        ((64, 128), 1, (128, 256)),
        ((300, 300), 2, (300, 300)),
        ((2048, 8), 1, (384, 2)),
    ],
)
def test_pictures_keep_their_shape(
    cell: Callable[..., Cell], size: tuple[int, int], columns: int, expected: tuple[int, int]
) -> None:
    """384 pixels at most, 256 where many stand in a row; flat ones leave room for six lines of labels."""
    sheet = draw_sheet([section(SheetRow((), {0: cell(size=size)}), columns=columns)], title="", subtitle="")
    width, height = expected
    assert sheet.width == LEFT + columns * (width + 12) + 12
    assert sheet.height == HEAD + max(height + 20, 120) + 12
    assert sheet.getpixel((LEFT + width - 1, HEAD + height - 1)) == RED
    assert sheet.getpixel((LEFT + width, HEAD + height - 1)) == PAPER


@pytest.mark.parametrize(("rows", "columns"), [(100, 3), (5, 60)])
def test_a_huge_sheet_has_smaller_cells(cell: Callable[..., Cell], rows: int, columns: int) -> None:
    """A hundred LoRAs, or sixty weights, make a sheet that viewers open."""
    row = SheetRow((Label("name"),), {0: cell(size=(512, 512))})
    sheet = draw_sheet([section(*[row] * rows, columns=columns)], title="", subtitle="")
    assert sheet.height <= paper.MOST_HIGH
    assert sheet.width <= paper.MOST_WIDE
    assert sheet.height >= rows * 100


def test_one_weight_has_the_kinds_across(plan: Plan) -> None:
    """Base, LoRA and LoRA with words in one row; a further group's picture stands below in the column of words."""
    made = plan("add_detail", "outfits")
    sheet = contact_sheet(made, drawn(made))
    assert sheet.size == (LEFT + 3 * 268 + 12, HEAD + 3 * STEP)
    shown = [[colour_at(sheet, column, row) for column in range(3)] for row in range(3)]
    assert shown == [
        [level(0), level(1), PAPER],
        [level(0), level(2), level(3)],
        [PAPER, PAPER, level(4)],
    ]


def test_an_embedding_has_no_picture_without_its_word(plan: Plan) -> None:
    """Alone on a sheet it leaves out the column that nothing has."""
    made = plan("blue_ring")
    assert contact_sheet(made, drawn(made)).width == LEFT + 2 * 268 + 12


def test_a_sweep_has_the_weights_across(plan: Plan) -> None:
    """A section for each LoRA; the base once at the left of each seed, without and with words below each other."""
    made = plan("sks_frame", "add_detail", weights=(-1.0, 0.0, 1.0), seeds=(1, 2))
    renders = drawn(made)
    sheet = contact_sheet(made, renders)
    head = 64 + 52 + 56  # a rule with the LoRA's name, two lines above each column
    assert sheet.size == (LEFT + 4 * 268 + 12, 64 + 2 * (52 + 56) + 6 * STEP)
    numbers = {(row.lora, row.weight, row.kind.value, row.drawn.seed): level(at) for at, row in enumerate(made.rows)}
    first = [
        [
            numbers[None, None, "base", seed] if kind == "lora" else PAPER,
            *(numbers["sks_frame", weight, kind, seed] for weight in (-1.0, 0.0, 1.0)),
        ]
        for seed in (1, 2)
        for kind in ("lora", "lora+triggers")
    ]
    assert [[colour_at(sheet, column, row, head) for column in range(4)] for row in range(4)] == first
    second = head + 4 * STEP + 52 + 56
    assert colour_at(sheet, 3, 1, second) == numbers["add_detail", 1.0, "lora", 2]


def level(index: int) -> tuple[int, int, int]:
    """The grey of a plan's row."""
    return (5 * index, 5 * index, 5 * index)


def drawn(plan: RenderPlan) -> list[Render]:
    """Renders of a plan, each of a grey of its own, 64 pixels."""
    plan.out.mkdir()
    renders = []
    for index, row in enumerate(plan.rows):
        path = plan.out / f"{index}.png"
        Image.new("RGB", (64, 64), level(index)).save(path)
        render = Render(
            path=path, kind=row.kind, loras=row.uses, trigger_words=row.trigger_words, prompt=row.prompt,
            seed=row.drawn.seed, steps=1, cfg=1, size=(64, 64), sampler="DDIM", checkpoint="c",
            effect=0.1 if row.lora else None, trigger_effect=0.1 if row.trigger_words else None,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )  # fmt: skip
        renders.append(render)
    return renders


def test_labels_and_numbers_are_written(cell: Callable[..., Cell]) -> None:
    """Title, row label and caption leave ink; what is empty leaves none."""
    bare = draw_sheet([section(SheetRow((), {0: cell()}))], title="", subtitle="")
    labels = (Label("add_detail"), Label("seed 1"))
    row = SheetRow(labels, {0: cell(caption="effect 0.100")})
    full = draw_sheet([section(row)], title="a red circle", subtitle="8 steps")
    title, margin, caption = (12, 12, 400, 30), (12, HEAD, 160, 130), (LEFT, HEAD + 257, 320, HEAD + 276)
    assert [ink(bare, box) for box in (title, margin, caption)] == [0, 0, 0]
    assert min(ink(full, box) for box in (title, margin, caption)) > 50


@pytest.mark.parametrize("name", ["x" * 120, "日本語の名前" * 10, "a b " * 30, "é😀\n\u200f\x00" * 20])
def test_long_names_stay_in_the_margin(cell: Callable[..., Cell], name: str) -> None:
    """A long stem is broken over lines, a long title cut; neither runs into a picture or the next row."""
    row = SheetRow((Label(name * 9, lines=99),), {0: cell(caption=name)})
    sheet = draw_sheet([section(row, SheetRow((), {0: cell()}), columns=1)], title=name * 3, subtitle="")
    assert ink(sheet, (0, HEAD + STEP, 188, sheet.height)) == 0
    assert ink(sheet, (188, HEAD, LEFT, sheet.height)) == 0
    assert ink(sheet, (sheet.width - 10, 0, sheet.width, sheet.height)) == 0
    assert ink(sheet, (12, HEAD, 188, HEAD + 256)) > 500


def test_what_no_font_shows_is_spelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accents go, other letters become their number: never a box, never an error."""
    monkeypatch.setattr(lettering, "_others", tuple)
    fonts = Pen(ImageDraw.Draw(Image.new("RGB", (1, 1))))._fonts
    assert fonts.readable("naïve Ångström") == "naive Angstrom"
    assert fonts.readable("日 ж\n") == r"\u65e5 \u0436 "


def test_a_label_takes_no_more_than_its_lines() -> None:
    """What follows it keeps its place; the cut is shown."""
    pen = Pen(ImageDraw.Draw(Image.new("RGB", (1, 1))))
    assert pen._lines(Label("one two three four five", lines=2), 60) == ["one two", "three…"]
    assert pen._lines(Label("one two", lines=2), 60) == ["one two"]


def test_sheets_of_several_families_are_stacked(tmp_path: Path) -> None:
    """Below each other, in full size unless that would be too high."""
    paths = []
    for index, (size, colour) in enumerate((((300, 400), RED), ((500, 9000), GREEN), ((100, 9000), BLUE))):
        paths.append(tmp_path / f"{index}.png")
        Image.new("RGB", size, colour).save(paths[-1])
    two = stacked(paths[:2])
    assert (two.size, two.getpixel((10, 10)), two.getpixel((490, 410))) == ((500, 9400), RED, GREEN)
    assert two.getpixel((400, 10)) == PAPER
    three = stacked(paths)
    assert three.height <= paper.MOST_HIGH
    assert three.getpixel((10, three.height - 10)) == BLUE
