"""One test render: base, LoRA and LoRA with words side by side, with what they change in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Footer

from hubsync.domain import Render
from hubsync.tui.describe import effects, kind, render_name, title
from hubsync.tui.session import Session
from hubsync.tui.text import home, words
from hubsync.tui.widgets.activity import Activity
from hubsync.tui.widgets.facts import Fact, Facts
from hubsync.tui.widgets.masthead import Masthead
from hubsync.tui.widgets.picture import Picture


class Frame(Vertical):
    """One picture with its caption."""

    def __init__(self, render: Render, session: Session) -> None:
        super().__init__()
        self._drawn = render
        self._session = session

    def compose(self) -> ComposeResult:
        """Picture, then what it is and what it changed."""
        yield Picture(graphics=self._session.graphics, enabled=self._session.pictures)
        yield Facts([*title(kind(self._drawn), (render_name(self._drawn),))[:2], *effects(self._drawn)])

    def on_mount(self) -> None:
        """Fetch the picture."""
        path = self._drawn.path
        self.query_one(Picture).show(str(path), lambda: path)


class ComparisonScreen(Screen[None]):
    """The pictures of one test. `sheet` is the contact sheet, where one was just made."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back", id="comparison.back", tooltip="Back to the list"),
    ]

    def __init__(self, session: Session, renders: Sequence[Render], *, sheet: Path | None = None) -> None:
        super().__init__()
        self._session = session
        self._renders = renders
        self._sheet = sheet

    def compose(self) -> ComposeResult:
        """Pictures above, what they have in common below."""
        yield Masthead("", root=home(self._session.hubsync.root.path))
        with Horizontal(id="frames"):
            for render in self._renders:
                yield Frame(render, self._session)
        yield Facts(self._common(), id="common")
        yield Activity(self._session.jobs)
        yield Footer()

    def _common(self) -> list[Fact]:
        last = self._renders[-1]
        texts = (
            ("Prompt", last.prompt),
            ("Words", ", ".join(last.trigger_words)),
            ("Drawn", f"seed {last.seed} · {last.steps} steps · {last.sampler}"),
            ("Sheet", home(self._sheet) if self._sheet else ""),
        )
        return [Fact(label=label, value=words(text)) for label, text in texts if text]
