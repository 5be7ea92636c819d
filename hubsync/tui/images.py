"""Pictures for a terminal: decoding, fitting into cells, and half-block drawing; Pillow is loaded when first needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from hubsync.errors import NotAModel

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 512  # pixels kept of a picture: more than any pane shows, little enough to resize in a millisecond or two
CELL_ASPECT = 2  # a terminal cell is about twice as high as wide


def decode(path: Path, side: int = SIDE) -> Image:
    """The picture at `path`, RGB, its longer side at most `side` px.

    Raises:
        NotAModel: the file is gone or is no picture.
    """
    from PIL import Image

    try:
        with Image.open(path) as file:
            picture = file.convert("RGB")
    except (OSError, Image.DecompressionBombError) as error:
        raise NotAModel(f"{path.name} is not a picture that can be shown") from error
    picture.thumbnail((side, side))
    return picture


def fit(pixels: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """The largest size in cells, at most `room`, that keeps the picture's shape."""
    width, height = pixels
    scale = min(room[0] / width, room[1] * CELL_ASPECT / height)
    return max(1, round(width * scale)), max(1, round(height * scale / CELL_ASPECT))


def part(
    pixels: tuple[int, int], room: tuple[int, int], zoom: float, centre: tuple[float, float]
) -> tuple[int, int, int, int]:
    """What of a picture fills `room` cells: left, top, right, bottom in its pixels.

    At `zoom` 1 all of it is seen. The part is around `centre`, shares of width and height; it never leaves the picture.
    """
    width, height = pixels
    scale = zoom * min(room[0] / width, room[1] * CELL_ASPECT / height)
    across, down = min(width, round(room[0] / scale)), min(height, round(room[1] * CELL_ASPECT / scale))
    left = min(max(0, round(centre[0] * width - across / 2)), width - across)
    top = min(max(0, round(centre[1] * height - down / 2)), height - down)
    return left, top, left + max(1, across), top + max(1, down)


def half_blocks(image: Image, columns: int, rows: int) -> list[Strip]:
    """The picture as lines of `▀`, two pixels a cell."""
    pixels = image.resize((columns, rows * CELL_ASPECT)).tobytes()
    return [Strip([_cell(pixels, x, 2 * y, columns) for x in range(columns)], columns) for y in range(rows)]


def _cell(pixels: bytes, x: int, y: int, width: int) -> Segment:
    upper, lower = ((line * width + x) * 3 for line in (y, y + 1))
    return Segment("▀", Style(color=_color(pixels, upper), bgcolor=_color(pixels, lower)))


def _color(pixels: bytes, at: int) -> Color:
    return Color.from_triplet(ColorTriplet(*pixels[at : at + 3]))
