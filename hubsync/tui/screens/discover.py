"""Discover: both hubs in one list, searched while typing, with everything known of a LoRA beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message

from hubsync.domain import Lora
from hubsync.errors import HubsyncError
from hubsync.refs import Ref, Source
from hubsync.tui.album import Album
from hubsync.tui.answers import Shown
from hubsync.tui.asking import ask
from hubsync.tui.describe import base_name, lora_facts
from hubsync.tui.messages import InstallConfirmed, InstallRequested
from hubsync.tui.paging import UNDER_WAY, Turns
from hubsync.tui.questions import ceiling_of
from hubsync.tui.screens import browse
from hubsync.tui.screens.searching import Searching
from hubsync.tui.session import Session
from hubsync.tui.text import count, plain, words
from hubsync.tui.widgets.chips import Chips
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.facts import Fact
from hubsync.tui.widgets.rows import RowList

_MARKS = {Source.CIVITAI: "civitai", Source.HUGGINGFACE: "hf"}


@dataclass
class Marked(Message, bubble=False):
    """Which rows are installed was read again."""

    rows: Sequence[Lora]


@dataclass
class PictureRefused(Message, bubble=False):
    """The preview at `url` cannot be had."""

    url: str
    error: HubsyncError


class Discover(Searching):
    """What is known of a search result, and what can be done with it."""

    MODE = "discover"
    PROMPT = "what should it draw? or paste a page's address"
    TITLES = ("Search both hubs", "LoRAs", "Details")
    SELECTS = True
    AUTO_FOCUS = "#box"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i,d", "install", "Install", id="discover.install", tooltip="Check and install the highlighted LoRA"),
        Binding("v,I", "versions", "Versions", id="discover.versions", tooltip="Choose a version or a file to install"),
        Binding(
            "right_square_bracket", "turn(1)", "Next picture", key_display="]", show=False, id="discover.picture_next",
            tooltip="The next preview picture",
        ),
        Binding(
            "left_square_bracket", "turn(-1)", "Picture before", key_display="[", show=False,
            id="discover.picture_previous", tooltip="The preview picture before",
        ),
        Binding("o", "page", "Copy address", show=False, id="discover.page", tooltip="Copy the address of its page"),
    ]  # fmt: skip

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._known: dict[Ref, Lora] = {}
        self._reading = Turns(UNDER_WAY)
        self._album = Album()

    def columns(self) -> Sequence[Column[Lora]]:
        """Installed mark, name, base model, downloads, source."""
        return (
            Column(text=lambda lora: "✓" if lora.installed else "", width=1, strong=True),
            Column(text=lambda lora: lora.name, title="Name", strong=True),
            Column(text=_base, title="Base", width=8, wide=14, most=24),
            Column(text=lambda lora: count(lora.downloads), title="Downloads", width=5, wide=9, right=True),
            Column(text=lambda lora: _MARKS[lora.source], title="Hub", width=3, wide=7),
        )

    def key(self, row: Lora) -> object:
        """A LoRA is its reference."""
        return row.ref

    def on_mount(self) -> None:
        """Follow what is installed."""
        self.session.library_changed.subscribe(self, self._look_again)

    def describe(self, row: Lora) -> None:
        """What the search told, or all of it if it was fetched before."""
        lora = self._fullest(row)
        self._album = self._album.of(lora, ceiling_of(self.chips.values))
        self._show_facts(lora)

    def settle(self, row: Lora) -> None:
        """Fetch the page's full record and the open picture."""
        if row.ref not in self._known:
            ticket = self._reading.ticket()
            ask(self, "show", lambda: Shown(row.ref, self._reading.take(ticket, lambda: self._read(row.ref))))
        preview = self._album.preview
        if preview is None:
            self.detail.picture.hide()
        elif not self._album.problem:
            self.detail.picture.show(preview.url, partial(self._picture, preview.url))

    def action_install(self) -> None:
        """Show what an install of the selected rows would do."""
        if rows := self.listing.chosen if self.listing.marked or self.fits else ():
            self.post_message(InstallRequested([self._fullest(row) for row in rows]))

    def action_versions(self) -> None:
        """Choose a version and file of the highlighted LoRA."""
        from hubsync.tui.screens.versions import Versions

        if (row := self.listing.row) is None or not self.fits:
            return

        def confirmed(installs: Sequence[InstallConfirmed] | None) -> None:
            for install in installs or ():
                self.post_message(install)

        self.app.push_screen(Versions(self.session, self._fullest(row), known=row.ref in self._known), confirmed)

    def action_turn(self, pictures: int) -> None:
        """Another preview picture, fetched when the keys rest."""
        if (row := self.listing.row) is None or len(self._album.previews) < 2:
            return
        self._album = self._album.turned(pictures)
        self._show_facts(self._fullest(row))
        self._turn_over()

    def action_page(self) -> None:
        """Hand the page's address to the terminal's clipboard (OSC 52), and show it."""
        if (row := self.listing.row) is not None and row.page_url:
            self.app.copy_to_clipboard(plain(row.page_url))
            self.notify(plain(row.page_url), title="Copied", markup=False)

    def _fullest(self, row: Lora) -> Lora:
        return replace(self._known.get(row.ref, row), installed=row.installed)

    def _read(self, ref: Ref) -> Lora:
        return self.hubsync.search.show(ref)

    def _turn_over(self) -> None:
        """Another picture is open: fetch it when the keys rest."""
        self.detail.picture.blank()
        self._settling.stop()
        self._settling = self.set_timer(browse.SETTLE_SECONDS, self._settled)

    def _picture(self, url: str) -> Path:
        """The file of a picture, in a thread; the screen hears why there is none."""
        try:
            return self.hubsync.previews.picture(url)
        except HubsyncError as error:
            self.post_message(PictureRefused(url, error))
            raise

    def _show_facts(self, lora: Lora) -> None:
        album = self._album
        problem = f"! {album.caption}: {album.problem}" if album.problem else ""
        facts = [Fact(value=words(problem, "$text-warning"))] if problem else []
        self.detail.show([*facts, *lora_facts(lora)])
        self.detail.border_subtitle = album.caption if self.session.pictures else ""

    @on(RowList.Highlighted)
    def _no_row(self) -> None:
        if self.listing.row is None:
            self.detail.border_subtitle = ""

    @on(Chips.Changed)
    def _keep_to_the_ceiling(self) -> None:
        before = self._album.preview
        if (row := self.listing.row) is not None:
            self.describe(row)
            if self._album.preview != before:
                self._turn_over()

    @on(Shown)
    def _show_all(self, message: Shown) -> None:
        self._known[message.ref] = message.lora
        if message.lora.installed:  # the page tells hashes that a search leaves out
            self._mark([message.lora])
        row = self.listing.row
        if row is not None and row.ref == message.ref:
            self.describe(row)
            self.settle(self._fullest(row))

    @on(PictureRefused)
    def _say_no_picture(self, message: PictureRefused) -> None:
        row, preview = self.listing.row, self._album.preview
        if row is not None and preview is not None and preview.url == message.url:
            self._album = replace(self._album, problem=message.error.message)
            self._show_facts(self._fullest(row))

    @on(InstallConfirmed)
    def _unmark(self) -> None:
        self.listing.unmark()

    def _look_again(self, _: Ref | None) -> None:
        """Installed or removed: the same bytes may stand in several rows."""
        rows, search = [self._fullest(row) for row in self.listing.rows], self.hubsync.search
        ask(self, "marks", lambda: Marked(search.marked(rows)))

    @on(Marked)
    def _show_marks(self, message: Marked) -> None:
        self._mark(message.rows)

    def _mark(self, told: Sequence[Lora]) -> None:
        installed = {lora.ref: lora.installed for lora in told}
        self.listing.change(lambda row: replace(row, installed=installed.get(row.ref, row.installed)))
        if (row := self.listing.row) is not None:
            self.describe(row)


def _base(lora: Lora) -> str:
    return base_name(next(iter(lora.base_models), ""), next(iter(lora.families), ""))
