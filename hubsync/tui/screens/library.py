"""Library: what is installed, read in pages, filtered while typing, narrowed and ordered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from hubsync.domain import Installed, ListFilter, ListSort
from hubsync.refs import Ref
from hubsync.tui.about import installed_facts, marks
from hubsync.tui.answers import Listed, LoraEdited, LoraKnown, Moved, Refused
from hubsync.tui.asking import ask
from hubsync.tui.describe import base_name
from hubsync.tui.jobs import told
from hubsync.tui.screens.facets import active
from hubsync.tui.screens.tending import Tending
from hubsync.tui.session import Session
from hubsync.tui.text import home, number, words
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.rows import PAGE, RowList

_ORDERS = {ListSort.NAME: "by name", ListSort.NEWEST: "newest first", ListSort.SIZE: "largest first"}
_FIRST_STEP = (
    "Nothing is installed yet.\n\n"
    "S reads in the LoRAs that lie in {folder} already, and asks Civitai what they are.\n\n"
    "1 goes to the search: press i on a LoRA there. It is checked, downloaded, verified and appears here with its "
    "trigger words."
)
_UNREADABLE = (
    "The library cannot be read.\n\n{problem}\n\nYour files are untouched: all hubsync knows of them is read from disk "
    "again with S once the database can be used. 2 tries again, F2 looks at the set-up."
)


@dataclass
class Counted(Message, bubble=False):
    """How many of the library's LoRAs fit `wanted`."""

    wanted: ListFilter
    total: int


class Library(Tending):
    """The installed LoRAs. An answer to an older question than the box and the facets ask is dropped."""

    MODE = "library"
    PROMPT = "part of a name, a tag, a creator, a trigger word"
    TITLES = ("Filter", "Installed", "Details")
    AUTO_FOCUS = "#list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "facets", "Filter", id="library.facets", tooltip="Only a family, a tag, or what wants attention"),
        Binding("s", "sort", "Sort", show=False, id="library.sort", tooltip="By name, newest first, or largest first"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._wanted = ListFilter()
        self._total: int | None = None
        self._whole = False
        self._known: LoraKnown | None = None
        self._goal: Path | None = None
        self._stands_for: tuple[Path, Path] | None = None
        """The LoRA that is highlighted in the place of another, and that other."""

    def columns(self) -> Sequence[Column[Installed]]:
        """Marks, name, words, base model, weight."""
        return (
            Column(text=lambda lora: "".join(mark[0] for mark in marks(lora)), width=1, wide=4, strong=True),
            Column(text=lambda lora: lora.name, title="Name", strong=True),
            Column(text=_first_words, title="Words", width=16, needs=54, most=64),
            Column(text=lambda lora: base_name(lora.base_model, lora.family), title="Base", width=8, wide=10, most=24),
            Column(text=lambda lora: number(lora.weight), title="Weight", width=6, right=True),
        )

    def key(self, row: Installed) -> object:
        """A LoRA is its file."""
        return row.path

    def on_mount(self) -> None:
        """Follow what is installed meanwhile; the facets stand between box and list."""
        facets = Static(id="facets")
        facets.display = False
        self.mount(facets, before="#panes")
        self.session.library_changed.subscribe(self, self._changed)

    def on_screen_resume(self) -> None:
        """Other programs install too: read again whenever the screen comes up."""
        self._read_again()

    def look_for(self, text: str) -> None:
        """Read the library's rows that fit."""
        self._narrow(replace(self._wanted, text=text))

    def listed(self) -> Sequence[Installed]:
        """Every LoRA that fits."""
        return self.hubsync.library.list(self._wanted)

    def describe(self, row: Installed) -> None:
        """What the row tells, and what its files told when it was described last."""
        known = self._known
        if known is None or known.lora.path != row.path:
            self.detail.show(installed_facts(row, self.hubsync.settings))
        else:
            self.detail.facts.show(installed_facts(row, self.hubsync.settings, known.known))

    def settle(self, row: Installed) -> None:
        """Its picture, and what its files tell."""
        library = self.hubsync.library
        ask(self, "known", lambda: LoraKnown(row, library.known(row)))
        if (preview := row.preview) is not None:
            self.detail.picture.show(str(preview), lambda: preview)
        else:
            self.detail.picture.hide()

    def action_sort(self) -> None:
        """Take the next order."""
        orders = [*ListSort]
        self._narrow(replace(self._wanted, sort=orders[(orders.index(self._wanted.sort) + 1) % len(orders)]))

    def action_facets(self) -> None:
        """Show what the list can be narrowed to."""
        from hubsync.tui.screens.facets import FacetDialog

        def answered(wanted: ListFilter | None) -> None:
            if wanted is not None:
                self._narrow(wanted)

        self.app.push_screen(FacetDialog(self.hubsync, self._wanted), answered)

    def action_back(self) -> None:
        """From pane and box to the list; then selection, text and facets are undone one by one."""
        facets = active(self._wanted)
        settled = self.focused is self.listing and not self.listing.marked and not self.box.value
        if settled and facets:
            self._narrow(facets[-1].set(self._wanted, False))  # noqa: FBT003  (without it)
        else:
            super().action_back()

    def _narrow(self, wanted: ListFilter) -> None:
        """List what fits from its beginning."""
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self._say_narrowed()
        self._ask()

    def _changed(self, _: Ref | None) -> None:
        self._read_again()

    def _read_again(self) -> None:
        """As many rows as were read so far, so that the highlight stays where it is."""
        pages = max(1, -(-len(self.listing.rows) // PAGE))
        self._ask(limit=pages * PAGE)

    def _ask(self, *, offset: int = 0, limit: int = PAGE) -> None:
        wanted, library, goal = self._wanted, self.hubsync.library, self._goal
        self._whole = True  # until the answer is here no further page is asked for

        def read() -> Listed:
            rows = library.list(wanted, limit=limit, offset=offset)
            if goal and len(rows) == limit and goal not in {row.path for row in rows}:
                rows = library.list(wanted)
            return Listed(wanted, offset, rows)

        ask(self, "list", read)

    @on(RowList.NearEnd)
    def _next_page(self) -> None:
        if not self._whole:
            self._ask(offset=len(self.listing.rows))

    @on(Listed)
    def _show_rows(self, message: Listed) -> None:
        wanted, rows = message.wanted, message.rows
        if wanted != self._wanted:
            return
        self._whole = len(rows) % PAGE != 0 or not rows
        if message.offset:
            self.listing.append(rows if message.offset == len(self.listing.rows) else ())
            return
        self._replace(rows)
        self.say(Content())
        if self._whole:
            self._count(len(rows))
        else:
            library = self.hubsync.library
            ask(self, "count", lambda: Counted(wanted, library.count(wanted)))

    def _replace(self, rows: Sequence[Installed]) -> None:
        """Other rows; where the highlighted LoRA is gone, the one in its place is highlighted."""
        before, place = self.listing.row, self.listing.highlighted
        self.listing.show(rows, placeholder=self._nothing())
        wanted = self._goal or (before and before.path)
        found = next((index for index, row in enumerate(rows) if row.path == wanted), None)
        self.listing.highlighted = place if found is None else found
        if self._whole or found is not None:
            self._goal = None
        if found is None and before and self.listing.row:
            self._stands_for = (self.listing.row.path, before.path)

    @on(Counted)
    def _show_count(self, message: Counted) -> None:
        if message.wanted == self._wanted:
            self._count(message.total)

    @on(RowList.Marked)
    def _show_selected(self) -> None:
        self._count(self._total)

    def _count(self, total: int | None) -> None:
        """How many there are, and how many of them are selected."""
        self._total = total
        narrowed = self._wanted.text or active(self._wanted)
        selected = f"{self.listing.marked} selected" if self.listing.marked else ""
        there = f"{total:,} {'fit' if narrowed else 'installed'}" if total else ""
        self.listing.border_subtitle = " · ".join(filter(None, (selected, there)))

    def _say_narrowed(self) -> None:
        facets = active(self._wanted)
        shown = self.query_one("#facets", Static)
        shown.display = bool(facets)
        chips = "  ".join(
            f"[{facet.kind}: {facet.name}]" if facet.kind != "mark" else f"[{facet.name}]" for facet in facets
        )
        shown.update(
            words(chips, "$text-primary") + Content.styled("   esc takes the last one away", "$foreground-muted")
        )
        order = _ORDERS[self._wanted.sort] if self._wanted.sort is not ListSort.NAME else ""
        self.listing.border_title = " · ".join(filter(None, (self.TITLES[1], order)))

    def _nothing(self) -> str:
        """Why the list is empty, and the next step."""
        if self._wanted.text:
            return f"Nothing installed fits “{self._wanted.text}”."
        if active(self._wanted):
            return "Nothing installed fits all of this: esc takes the last filter away."
        return _FIRST_STEP.format(folder=home(self.hubsync.root.loras))

    @on(LoraEdited)
    def _follow(self, message: LoraEdited) -> None:
        edited = message.lora
        self.listing.change(lambda row: edited if row.path == edited.path else row)
        if (row := self.listing.row) is not None and row.path == edited.path:
            self.describe(edited)

    @on(Moved)
    def _go_along(self, message: Moved) -> None:
        """The highlight stays on a LoRA that goes elsewhere in the list: the next key is meant for it."""
        if (row := self.listing.row) is None:
            return
        # The list may have been read between the move and this news of it: another LoRA took the place then.
        there, before = self._stands_for or (row.path, row.path)
        moved = message.here.get(before if row.path == there else row.path)
        if moved is not None:
            self._goal = moved.path
            self._read_again()

    @on(LoraKnown)
    def _tell_all(self, message: LoraKnown) -> None:
        if (row := self.listing.row) is not None and row.path == message.lora.path:
            self._known = message
            self.describe(row)

    @on(Refused)
    def _show_unreadable(self, message: Refused) -> None:
        if message.group == "list":
            message.prevent_default().stop()
            self.listing.show([], placeholder=_UNREADABLE.format(problem=_short(told(message.error))))
            self._count(None)


def _short(text: str) -> str:
    """A sentence with the home folder as `~`: a path is most of it."""
    return text.replace(f"{Path.home()}/", "~/")


def _first_words(lora: Installed) -> str:
    return ", ".join(word for group in lora.trigger_words for word in group)
