"""Renders: every picture drawn so far, newest first; one of them opens the whole test it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from hubsync.domain import Render, RenderKind
from hubsync.refs import Ref
from hubsync.tui.asking import ask
from hubsync.tui.describe import kind, percent, render_facts, render_name
from hubsync.tui.messages import ComparisonRequested, HistoryRead
from hubsync.tui.screens.browse import Browse
from hubsync.tui.session import Session
from hubsync.tui.text import day
from hubsync.tui.widgets.columns import Column

_FIRST_STEP = (
    "Nothing is rendered yet.\n\n"
    "Press 2, choose a LoRA and press r: the same prompt and seed are drawn without it, with it, and with its words."
)
_SETUP = 'Rendering needs torch and diffusers (pip install "hubsync[render]") and a checkpoint.'


class Renders(Browse[Render]):
    """The pictures of all test renders."""

    MODE = "renders"
    PROMPT = "part of a LoRA's name or of a prompt"
    TITLES = ("Filter", "Pictures", "Picture")
    AUTO_FOCUS = "#list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "compare", "Compare", id="renders.compare", tooltip="See the whole test side by side"),
    ]

    def columns(self) -> Sequence[Column[Render]]:
        """LoRA and weight, kind of picture, effect, day."""
        return (
            Column(text=render_name, title="LoRA", strong=True),
            Column(text=kind, title="Picture", width=12),
            Column(text=lambda render: percent(render.effect), title="Effect", width=6, right=True),
            Column(text=lambda render: day(render.created_at), title="Day", width=10, needs=50),
        )

    def key(self, row: Render) -> object:
        """A render is its picture."""
        return row.path

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.history: Sequence[Render] = ()

    def on_mount(self) -> None:
        """Follow what is drawn meanwhile."""
        self.session.library_changed.subscribe(self, self._read)

    def on_screen_resume(self) -> None:
        """Read again whenever the screen comes up."""
        self._read(None)

    def look_for(self, text: str) -> None:
        """Keep what fits."""
        wanted = text.casefold()
        found = [one for one in self.history if wanted in f"{render_name(one)}\n{one.prompt}".casefold()]
        placeholder = f"No picture fits “{text}”." if text else f"{_FIRST_STEP}\n\n{_SETUP}"
        self.listing.show(found, placeholder=placeholder)
        self.listing.border_subtitle = f"{len(found)} drawn" if found else ""

    def describe(self, row: Render) -> None:
        """Everything is in the row."""
        self.detail.show(render_facts(row))

    def settle(self, row: Render) -> None:
        """Show the picture."""
        self.detail.picture.show(str(row.path), lambda: row.path)

    def open(self, row: Render) -> None:
        """See the test this picture belongs to."""
        self.post_message(ComparisonRequested(test_of(row, self.history)))

    def action_compare(self) -> None:
        """The same, by a key that the footer can name."""
        self.listing.action_choose()

    def _read(self, _: Ref | None) -> None:
        ask(self, "history", lambda: HistoryRead(self.hubsync.render.history()))

    @on(HistoryRead)
    def _show_history(self, message: HistoryRead) -> None:
        self.history = message.renders
        self.look_for(self.box.value.strip())


def test_of(render: Render, history: Sequence[Render]) -> Sequence[Render]:
    """The pictures one is fairly compared with: same run, seed and LoRAs, and the base they share; base first."""
    same = [one for one in history if one.path.parent == render.path.parent and one.seed == render.seed]
    loras = render.loras or next((one.loras for one in same if one.loras), ())
    kinds = {one.kind: one for one in same if one.loras in {(), loras}}
    return [kinds[kind] for kind in RenderKind if kind in kinds]
