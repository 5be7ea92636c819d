"""One picture of a test with its caption."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from hubsync.services.history import Drawn
from hubsync.tui.describe import effects, kind, render_name, title
from hubsync.tui.session import Session
from hubsync.tui.widgets.facts import Facts
from hubsync.tui.widgets.picture import Picture


class Frame(Vertical, can_focus=True):
    """One picture with its caption."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.magnify", "Enlarge", show=False, id="frame.magnify", tooltip="See it in full size"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.drawn: Drawn | None = None

    def compose(self) -> ComposeResult:
        """Picture, or what there is instead; then what it is and what it changed."""
        yield Picture(graphics=self._session.graphics, enabled=self._session.pictures)
        yield Static(classes="state")
        yield Facts()

    def show(self, drawn: Drawn | None, state: str = "") -> None:
        """Show a picture of the test, or say why there is none, or keep out of the way."""
        self.drawn = drawn
        self.display = drawn is not None
        if drawn is None:
            return
        render, picture, said = drawn.render, self.query_one(Picture), self.query_one(".state", Static)
        caption = title(kind(render), (render_name(render),))[:2]
        self.query_one(Facts).show([*caption, *effects(render)])
        said.update(state)
        said.display = bool(state)
        if state:
            picture.hide()
        else:
            # The captions keep their place while it is read.
            picture.display = self._session.pictures
            picture.show(str(render.path), lambda: render.path)
