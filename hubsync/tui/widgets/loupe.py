"""A picture to look at closely: it fills the room, and can be enlarged and moved about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.message import Message
from textual.widget import Widget

from hubsync.tui.asking import ask
from hubsync.tui.images import SIDE, part
from hubsync.tui.widgets.picture import Picture

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST = 16.0
_STEP = 0.5  # of what is seen, a move


class Loupe(Picture):
    """Shows part of a picture; `zoom` 1 shows all of it."""

    side = 3072
    """A contact sheet's pixels: 28 MB, and six pictures of 512 across are all there."""

    @dataclass
    class Cut(Message, bubble=False):
        """The part to be drawn is cut out."""

        image: Image

    class Moved(Message):
        """Another part is shown."""

    def __init__(self, *, graphics: type[Widget] | None) -> None:
        super().__init__(graphics=graphics)
        # A terminal that draws true pictures shows far more of them than two pixels a cell.
        self._most_pixels = SIDE if graphics is None else 4 * SIDE
        self._whole: Image | None = None
        self._centre = (0.5, 0.5)
        self.zoom = 1.0

    def look(self, path: Path) -> None:
        """Show a picture, all of it."""
        self.zoom, self._centre = 1.0, (0.5, 0.5)
        self.show(str(path), lambda: path)

    def draw(self, image: Image) -> None:
        """Keep the whole picture, draw the part that is looked at."""
        self._whole = image
        self._cut()

    def magnify(self, factor: float) -> None:
        """Come closer, or step back."""
        self.zoom = min(max(1.0, self.zoom * factor), _MOST)
        self._cut()

    def move(self, across: int, down: int) -> None:
        """Look at what is beside or below; an edge is not passed."""
        if (image := self._whole) is None:
            return
        left, top, right, bottom = self._part(image)
        width, height = (right - left) / image.width, (bottom - top) / image.height
        x = left / image.width + width / 2 + across * _STEP * width
        y = top / image.height + height / 2 + down * _STEP * height
        self._centre = min(max(width / 2, x), 1 - width / 2), min(max(height / 2, y), 1 - height / 2)
        self._cut()

    def on_resize(self) -> None:
        """Cut for the new room."""
        self._cut()

    def _part(self, image: Image) -> tuple[int, int, int, int]:
        return part(image.size, self.size, self.zoom, self._centre)

    def _cut(self) -> None:
        if (image := self._whole) is None or not (self.size.width and self.size.height):
            return
        box = self._part(image)

        def cut() -> Loupe.Cut:
            seen = image.crop(box)
            seen.thumbnail((self._most_pixels, self._most_pixels))
            return self.Cut(seen)

        ask(self, "cut", cut)

    @on(Cut)
    def _show_part(self, message: Cut) -> None:
        super().draw(message.image)
        self.post_message(self.Moved())
