"""The trash: what was removed and can come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.message import Message

from hubsync.services.app import Hubsync
from hubsync.tui.answers import Refused
from hubsync.tui.asking import ask
from hubsync.tui.describe import problem
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.text import home, size, words
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.facts import Fact
from hubsync.tui.widgets.rows import RowList

if TYPE_CHECKING:
    from hubsync.services.relocating import Trashed

_KEYS = "enter brings it back · space selects several · esc goes back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lying:
    """A removed LoRA, and the bytes it takes with all that lay beside it."""

    trashed: Trashed
    size: int


@dataclass
class TrashRead(Message, bubble=False):
    """What is in the trash, the newest first."""

    lying: Sequence[Lying]


class Trash(Dialog[Sequence["Trashed"]]):
    """Every LoRA in the trash; the answer is what is to come back."""

    AUTO_FOCUS = "RowList"

    def __init__(self, hubsync: Hubsync) -> None:
        super().__init__("Trash", keys=_KEYS)
        self._hubsync = hubsync

    @property
    def listing(self) -> RowList[Lying]:
        """The list."""
        return cast("RowList[Lying]", self.query_one(RowList))

    def compose_head(self) -> ComposeResult:
        """One line a LoRA."""
        rows: RowList[Lying] = RowList(
            Column(text=lambda one: one.trashed.name, title="Name", strong=True),
            Column(text=lambda one: f"{one.trashed.removed_at.astimezone():%Y-%m-%d %H:%M}", title="Removed", width=16),
            Column(text=lambda one: size(one.size), title="Size", width=8, right=True),
            key=lambda one: one.trashed.folder,
            selects=True,
        )
        yield rows

    def on_mount(self) -> None:
        """Look into it."""
        self.listing.show([], placeholder="looking …")
        ask(self, "trash", lambda: TrashRead(_lying(self._hubsync)))

    @on(TrashRead)
    def _show(self, message: TrashRead) -> None:
        self.listing.show(message.lying, placeholder="The trash is empty.")
        self.say_keys(_KEYS if message.lying else "esc goes back")

    @on(RowList.Highlighted)
    def _tell_place(self) -> None:
        row = self.listing.row
        self.facts.show([Fact(label="Back to", value=words(home(row.trashed.places[0])))] if row else [])

    @on(RowList.Chosen)
    def _take(self) -> None:
        self.dismiss([one.trashed for one in self.listing.chosen])

    @on(Refused)
    def _say_refused(self, message: Refused) -> None:
        message.stop()
        self.show(problem(message.error), keys="esc goes back")


def _lying(hubsync: Hubsync) -> Sequence[Lying]:
    return [Lying(trashed=one, size=one.size) for one in hubsync.relocating.trash() if one.usable]
