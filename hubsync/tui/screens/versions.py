"""Every version of a LoRA with its files; one of them can be installed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from hubsync.domain import Lora, LoraFile, Scan, Version
from hubsync.tui.answers import Refused, Shown
from hubsync.tui.asking import ask
from hubsync.tui.describe import access, hub_groups, problem
from hubsync.tui.messages import InstallConfirmed
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.screens.preflight import Preflight
from hubsync.tui.session import Session
from hubsync.tui.text import day, number, size, words
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.facts import Fact
from hubsync.tui.widgets.rows import RowList

_FRAME = 3  # lines of a list that are no rows
_LEAST = 8  # lines of the list on 24, so that what is said of a file and the keys stay in sight
_REST = 18  # lines of a larger terminal for all but the list
_KEYS = "enter checks and installs that file · esc goes back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A file of a version; a version whose files are gone has none. `first` of its version."""

    version: Version
    file: LoraFile | None
    first: bool


class Versions(Dialog[Sequence[InstallConfirmed]]):
    """The answer is what the user said yes to in the pre-flight of a file or a version, from which esc leads back here.

    `known` tells that `lora` is all the hub tells.
    """

    AUTO_FOCUS = "RowList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "install", "Install", id="versions.install", tooltip="Check and install the highlighted file"),
    ]

    def __init__(self, session: Session, lora: Lora, *, known: bool) -> None:
        super().__init__(f"Versions of {lora.name}", [Fact(value=Content("asking the hub …"))])
        self._session = session
        self._lora = lora
        self._known = known

    @property
    def listing(self) -> RowList[Offer]:
        """The list."""
        return cast("RowList[Offer]", self.query_one(RowList))

    def compose_head(self) -> ComposeResult:
        """One line a file."""
        yield RowList(*_columns(), key=lambda offer: (offer.version.ref, offer.file and offer.file.ref))

    def on_mount(self) -> None:
        """Show what is known, or ask."""
        if self._known:
            self._show_files(Shown(self._lora.ref, self._lora))
            return
        ref = self._lora.ref
        ask(self, "show", lambda: Shown(ref, self._session.hubsync.search.show(ref)))

    def action_install(self) -> None:
        """Take the highlighted file."""
        self.listing.action_choose()

    @on(Shown)
    def _show_files(self, message: Shown) -> None:
        self._lora = message.lora
        rows = list(offers(message.lora.versions))
        self.listing.styles.height = min(max(1, len(rows)) + _FRAME, max(_LEAST, self.app.size.height - _REST))
        self.listing.show(rows, placeholder="No version is published.")
        self.say_keys(_KEYS if self.listing.rows else "esc goes back")

    @on(RowList.Highlighted)
    def _describe(self) -> None:
        if offer := self.listing.row:
            self.facts.show(offer_facts(offer))

    @on(RowList.Chosen)
    def _take(self, message: RowList.Chosen) -> None:
        assert isinstance(message.row, Offer)
        ref = message.row.file.ref if message.row.file else message.row.version.ref

        def confirmed(installs: Sequence[InstallConfirmed] | None) -> None:
            if installs:
                self.dismiss(installs)

        self.app.push_screen(Preflight(self._session, [self._lora], ref=ref), confirmed)

    @on(Refused)
    def _say_refused(self, message: Refused) -> None:
        message.stop()
        self.show(problem(message.error), keys="esc goes back")


def offers(versions: Sequence[Version]) -> Iterator[Offer]:
    """A row for each file, newest version first."""
    for version in versions:
        for index, file in enumerate(version.files or (None,)):
            yield Offer(version=version, file=file, first=index == 0)


def offer_facts(offer: Offer) -> list[Fact]:
    """What decides about a file, and about its version."""
    version, file = offer.version, offer.file
    fields = (
        ("File", file.name if file else "none any more"),
        ("Base", version.base_model or ""),
        ("Kind", _kind(file) if file else ""),
        ("Scan", _SCANS[file.scan] if file else ""),
        ("Access", access(version)),
        ("Weight", f"{number(version.suggested_weight)} suggested" if version.suggested_weight else ""),
    )
    return [
        *(Fact(label=label, value=words(text)) for label, text in fields if text),
        Fact(label="Words", value=hub_groups(version.trigger_words)),
    ]


_SCANS = {
    Scan.OK: "",
    Scan.DANGER: "! the hub's scan calls it dangerous",
    Scan.PENDING: "the hub has not scanned it yet",
    Scan.UNKNOWN: "",
}


def _kind(file: LoraFile) -> str:
    """What the file is, and in which format."""
    unsafe = "! " if file.format in {"pickle", "archive"} else ""
    return f"{unsafe}{file.kind.replace('_', ' ')}, {file.format}{', the main file' if file.primary else ''}"


def _columns() -> Sequence[Column[Offer]]:
    return (
        Column(
            text=lambda offer: offer.version.name if offer.first else "",
            title="Version",
            width=10,
            wide=12,
            strong=True,
        ),
        Column(text=lambda offer: day(offer.version.published_at) if offer.first else "", title="Date", width=10),
        Column(text=lambda offer: (offer.version.base_model or "") if offer.first else "", title="Base", width=8),
        Column(text=lambda offer: offer.file.name if offer.file else "no file", title="File"),
        Column(text=lambda offer: size(offer.file.size) if offer.file else "", title="Size", width=8, right=True),
        Column(text=lambda offer: _FORMATS[offer.file.format] if offer.file else "", title="Format", width=6, needs=80),
    )


_FORMATS = {"safetensors": "safe", "pickle": "pickle", "archive": "zip", "other": "other"}
