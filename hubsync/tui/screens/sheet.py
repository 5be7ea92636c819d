"""A contact sheet, or one picture, as large as the terminal is: enlarged and moved about with the keys."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from hubsync.tui.answers import OpenedOutside
from hubsync.tui.screens.pictured import open_picture, say_opened
from hubsync.tui.session import Session
from hubsync.tui.text import ending, home, words
from hubsync.tui.widgets.keyline import KeyLine
from hubsync.tui.widgets.loupe import Loupe

_CLOSER = 1.5


class SheetScreen(Screen[None]):
    """One picture file in the whole window."""

    CSS_PATH = "renders.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,c", "app.pop_screen", "Back", id="sheet.back", tooltip="Back to the comparison"),
        Binding("plus,equals_sign", "zoom(1)", "Closer", id="sheet.closer", tooltip="Enlarge it"),
        Binding("minus", "zoom(-1)", "Further", id="sheet.further", tooltip="See more of it"),
        Binding("0", "whole", "Whole", show=False, id="sheet.whole", tooltip="See all of it"),
        Binding("left,h", "look(-1, 0)", "Left", show=False, id="sheet.left", tooltip="See what is to the left"),
        Binding("right,l", "look(1, 0)", "Right", show=False, id="sheet.right", tooltip="See what is to the right"),
        Binding("up,k", "look(0, -1)", "Up", show=False, id="sheet.up", tooltip="See what is above"),
        Binding("down,j", "look(0, 1)", "Down", show=False, id="sheet.down", tooltip="See what is below"),
        Binding("o", "outside", "Open outside", id="sheet.outside", tooltip="Open the file in the desktop's program"),
    ]

    loupe = getters.query_one(Loupe)

    def __init__(self, session: Session, path: Path) -> None:
        super().__init__()
        self._session = session
        self._path = path

    def compose(self) -> ComposeResult:
        """Where the file is, the picture, the keys."""
        yield Static(id="where")
        yield Loupe(graphics=self._session.graphics)
        yield KeyLine()

    def on_mount(self) -> None:
        """Show all of it."""
        self.loupe.look(self._path)
        self._say_where()

    def action_zoom(self, steps: int) -> None:
        """Come closer, or step back."""
        self.loupe.magnify(_CLOSER**steps)

    def action_whole(self) -> None:
        """See all of it."""
        self.loupe.magnify(0)

    def action_look(self, across: int, down: int) -> None:
        """See what is beside."""
        self.loupe.move(across, down)

    def action_outside(self) -> None:
        """Open the file in the desktop's own program."""
        open_picture(self, self._path)

    @on(OpenedOutside)
    def _say_opened(self, message: OpenedOutside) -> None:
        say_opened(self, message)

    @on(Loupe.Moved)
    def _say_where(self) -> None:
        closer = f"{self.loupe.zoom:.3g} times, arrows move it" if self.loupe.zoom > 1 else "all of it"
        where = self.query_one("#where", Static)
        said = f"{closer} · "
        room = where.content_size.width - len(said)
        where.update(words(said + ending(home(self._path), room), "$foreground-muted"))

    def on_resize(self) -> None:
        """Fit the path to the new width."""
        self._say_where()
