"""Writing on pictures: text that never runs out of its room, in whatever fonts this machine has."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby, islice
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

    Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

Ink: TypeAlias = tuple[int, int, int]

LINE = 20
"""Pixels from one line to the next."""

BLACK: Ink = (25, 25, 25)
GREY: Ink = (110, 110, 110)
GREEN: Ink = (20, 115, 55)
RED: Ink = (175, 35, 30)

_SIZE = 15
_ELLIPSIS = "…"
_OTHERS = (
    "NotoSansCJK-Regular.ttc", "DejaVuSans.ttf", "Arial Unicode.ttf", "msyh.ttc", "msgothic.ttc", "arial.ttf",
    "PingFang.ttc", "AppleGothic.ttf",
)  # fmt: skip
"""Fonts of Linux, macOS and Windows, asked for what Pillow's own lacks: that is plain ASCII and little more."""


@dataclass(frozen=True, slots=True)
class Label:
    """A text, its colour, and the lines it may take in a block."""

    text: str
    ink: Ink = BLACK
    lines: int = 3


class Pen:
    """Writes on one picture."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self._draw = draw
        self._fonts = _Fonts()

    def line(self, at: tuple[int, int], label: Label, room: int) -> None:
        """One line, cut with an ellipsis where it is longer than `room` pixels."""
        text = self._fonts.readable(label.text[:room])  # no letter is narrower than a pixel
        if self._fonts.length(text) > room:
            text = text[: self._fitting(text, room - self._fonts.length(_ELLIPSIS))].rstrip() + _ELLIPSIS
        left = float(at[0])
        for font, piece in self._fonts.runs(text):
            # By the base line, on which fonts of different heights agree.
            self._draw.text((left, at[1] + _SIZE), piece, fill=label.ink, font=font, anchor="ls")
            left += font.getlength(piece)

    def fits(self, text: str, room: int) -> bool:
        """Whether a text takes no more than `room` pixels."""
        return self._fonts.length(self._fonts.readable(text[:room])) <= room

    def block(self, at: tuple[int, int], labels: Sequence[Label], *, room: int, lines: int) -> None:
        """Labels below each other, long ones broken, cut after their lines; what comes after `lines` is left out."""
        written = [Label(line, label.ink) for label in labels for line in self._lines(label, room)]
        for index, label in enumerate(written[:lines]):
            self.line((at[0], at[1] + index * LINE), label, room)

    def _lines(self, label: Label, room: int) -> list[str]:
        *lines, last = list(islice(self._broken(label.text, room), label.lines + 1)) or [""]
        if len(lines) < label.lines:
            return [*lines, last]
        return [*lines[:-1], lines[-1] + _ELLIPSIS]

    def _broken(self, text: str, room: int) -> Iterator[str]:
        """The lines of a text, broken at spaces, a word that is too long anywhere."""
        rest = self._fonts.readable(text)
        while rest:
            fits = max(1, self._fitting(rest, room))
            if fits < len(rest) and (space := rest.rfind(" ", 0, fits + 1)) > 0:
                fits = space
            yield rest[:fits]
            rest = rest[fits:].lstrip()

    def _fitting(self, text: str, room: float) -> int:
        """How many letters of a text's beginning take no more than `room` pixels."""
        return bisect_right(range(1, min(len(text), int(room)) + 1), room, key=lambda n: self._fonts.length(text[:n]))


class _Fonts:
    """Pillow's own font, and others of the machine where it lacks a letter."""

    def readable(self, text: str) -> str:
        """The text with what no font can show written otherwise: without accents, else as its number."""
        shown = (mark if mark.isascii() or self._font(mark) else _spelled(mark) for mark in text)
        return "".join(mark if mark.isprintable() else " " for mark in "".join(shown))

    def runs(self, text: str) -> Iterator[tuple[Font, str]]:
        """Pieces of a readable text, each with the font that shows it."""
        for font, marks in groupby(text, key=lambda mark: self._font(mark) or self._chain[0]):
            yield font, "".join(marks)

    def length(self, text: str) -> float:
        """Pixels a readable text takes."""
        return sum(font.getlength(piece) for font, piece in self.runs(text))

    @cached_property
    def _own(self) -> Font:
        from PIL import ImageFont

        return ImageFont.load_default(_SIZE)

    @cached_property
    def _chain(self) -> tuple[Font, ...]:
        """Read once, and only where the first one lacks something."""
        return (self._own, *_others())

    def _font(self, mark: str) -> Font | None:
        """The first font that has a letter."""
        if mark.isascii():
            return self._own
        return next((font for font in self._chain if _has(font, mark)), None)


@lru_cache(maxsize=1)
def _others() -> tuple[Font, ...]:
    from PIL import ImageFont

    found: list[Font] = []
    for name in _OTHERS:
        try:
            found.append(ImageFont.truetype(name, _SIZE))
        except OSError:
            continue
    return tuple(found)


@lru_cache(maxsize=4096)
def _has(font: Font, mark: str) -> bool:
    """Whether a font shows a letter as something else than the box for what it lacks."""
    try:
        return bytes(font.getmask(mark)) != bytes(font.getmask("\uffff"))
    except UnicodeEncodeError:  # the font of a Pillow that was built without FreeType
        return False


def _spelled(mark: str) -> str:
    plain = "".join(part for part in unicodedata.normalize("NFKD", mark) if part.isascii())
    return plain or ("" if unicodedata.combining(mark) else mark.encode("unicode_escape").decode())
