"""One picture: fetched and decoded in a thread, drawn as half-blocks or by the terminal's own graphics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from hubsync.tui.answers import Refused
from hubsync.tui.asking import ask
from hubsync.tui.images import SIDE, decode, fit, half_blocks

if TYPE_CHECKING:
    from PIL.Image import Image


MOST_FETCHES = 4
"""Fetches for one room at a time. Whoever moves through the rows of a hub that hangs is soon beyond that."""


@dataclass
class PictureDecoded(Message, bubble=False):
    """A picture is ready to be drawn; `key` is what it is a picture of."""

    key: str
    image: Image


class _Canvas(Protocol):
    image: Image | None


class HalfBlocks(Widget):
    """Draws a picture with two pixels a cell, which every terminal can."""

    def __init__(self) -> None:
        super().__init__()
        self._image: Image | None = None
        self._strips: list[Strip] = []

    @property
    def image(self) -> Image | None:
        """What is drawn."""
        return self._image

    @image.setter
    def image(self, image: Image | None) -> None:
        self._image = image
        self._draw()

    def on_resize(self) -> None:
        """Draw for the new size."""
        self._draw()

    def _draw(self) -> None:
        width, height = self.size
        self._strips = half_blocks(self._image, width, height) if self._image and width and height else []
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of half-blocks."""
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)


class Picture(Container):
    """Room for one picture, centred and in its own shape; hidden while there is none."""

    side = SIDE
    """Pixels kept of its longer side."""

    class Fetched(Message, bubble=False):
        """A fetch ended, with its picture or without."""

    def __init__(self, *, graphics: type[Widget] | None, enabled: bool = True, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._graphics = graphics
        self._enabled = enabled
        self._key = ""
        self._waiting: Callable[[], Path] | None = None
        self._wishes = 0
        self._fetches = 0
        self.display = False

    def compose(self) -> ComposeResult:
        """The canvas."""
        yield (self._graphics or HalfBlocks)()

    @property
    def image(self) -> Image | None:
        """The picture shown now."""
        return self._canvas.image

    def show(self, key: str, path: Callable[[], Path]) -> None:
        """Show the picture `path` brings, called in a thread; `key` says what it is a picture of.

        While too many fetches are under way, it waits for one to end, unless another picture is wanted by then.
        """
        if not self._enabled or key == self._key:
            return
        self.blank()
        self._key, self._waiting = key, path
        self._fetch()

    def _fetch(self) -> None:
        if self._waiting is None or self._fetches == MOST_FETCHES:
            return
        key, path, self._waiting = self._key, self._waiting, None
        self._fetches += 1

        def fetch() -> PictureDecoded:
            try:
                return PictureDecoded(key, decode(path(), self.side))
            finally:
                self.post_message(self.Fetched())

        # In a group of its own: one that was cancelled before it began would never be counted as ended.
        ask(self, self._group, fetch)

    @property
    def _group(self) -> str:
        """What is wanted, by a number: a key may be wanted again."""
        return f"picture {self._wishes}"

    @on(Fetched)
    def _go_on(self) -> None:
        self._fetches -= 1
        self._fetch()

    def blank(self) -> None:
        """Show nothing, and keep the room: another picture is likely to come."""
        self._key, self._waiting = "", None
        self._wishes += 1
        if self._canvas.image is not None:
            self._canvas.image = None

    def hide(self) -> None:
        """Give the room away."""
        self.blank()
        self.display = False

    @on(PictureDecoded)
    def _prepare(self, message: PictureDecoded) -> None:
        message.stop()
        self.display = self.display or message.key == self._key
        # Drawing on a canvas that has no place yet makes Textual forget to repaint what it covers.
        self.call_after_refresh(self._draw, message)

    def _draw(self, message: PictureDecoded) -> None:
        if message.key == self._key:
            self.draw(message.image)

    def draw(self, image: Image) -> None:
        """Draw a picture that is decoded."""
        self._canvas.image = image
        self._fit()

    @on(Refused)
    def _no_picture(self, message: Refused) -> None:
        """A picture that cannot be had is simply not there: everything else is."""
        message.stop()
        if message.group == self._group:
            self.hide()

    def on_resize(self) -> None:
        """Keep the picture's shape."""
        self._fit()

    def _fit(self) -> None:
        if (image := self.image) and self.size.width and self.size.height:
            self._widget.styles.width, self._widget.styles.height = fit(image.size, self.size)

    @property
    def _widget(self) -> Widget:
        return self.children[0]

    @property
    def _canvas(self) -> _Canvas:
        return cast("_Canvas", self._widget)
