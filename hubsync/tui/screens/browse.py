"""What the three modes have in common: a box, a list, a detail pane, the jobs, the keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar, cast

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static

from hubsync.tui.answers import Refused
from hubsync.tui.jobs import told
from hubsync.tui.session import Session
from hubsync.tui.text import home, words
from hubsync.tui.widgets.activity import Activity
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.detail import Detail
from hubsync.tui.widgets.keyline import KeyLine
from hubsync.tui.widgets.masthead import Masthead
from hubsync.tui.widgets.rows import RowList

Row = TypeVar("Row")

SETTLE_SECONDS = 0.2
"""How long a highlight rests before its picture and details are fetched: keys held down must not ask for each row."""


class Box(Input):
    """The line one types into."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "screen.focus_list", "Results", id="box.list", tooltip="From the box into the list"),
    ]


class Browse(Screen[None], Generic[Row]):
    """A list of one kind of row. A mode says what its rows are, how they are found and what is known of one."""

    MODE: ClassVar[str]
    PROMPT: ClassVar[str]
    TITLES: ClassVar[tuple[str, str, str]]
    """Titles of box, list and pane."""
    SELECTS: ClassVar[bool] = False
    """Whether several rows can be selected for one action."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "focus_box", "Search", key_display="/", id="browse.search", tooltip="Type what to look for"),
        Binding(
            "escape",
            "back",
            "Back",
            show=False,
            id="browse.back",
            tooltip="Into the list; there: select nothing, filter by nothing",
        ),
    ]

    box = getters.query_one("#box", Input)
    detail = getters.query_one(Detail)
    notice = getters.query_one("#notice", Static)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.hubsync = session.hubsync
        self._described: object = None

    @property
    def listing(self) -> RowList[Row]:
        """The list."""
        return cast("RowList[Row]", self.query_one(RowList))

    def columns(self) -> Sequence[Column[Row]]:
        """The list's columns."""
        raise NotImplementedError

    def key(self, row: Row) -> object:
        """What makes two rows the same thing."""
        raise NotImplementedError

    def look_for(self, text: str) -> None:
        """The text of the box changed."""
        raise NotImplementedError

    def describe(self, row: Row) -> None:
        """A row is highlighted: say at once what is known."""
        raise NotImplementedError

    def settle(self, row: Row) -> None:
        """The highlight rests on a row: fetch what takes time."""
        raise NotImplementedError

    def open(self, row: Row) -> None:  # noqa: ARG002  (modes that open something else do)
        """A row was opened: read its details."""
        self.detail.reader.focus()

    def compose(self) -> ComposeResult:
        """Top line, box, list and pane, jobs, keys."""
        yield Masthead(self.MODE, root=home(self.hubsync.root.path))
        box = Box(placeholder=self.PROMPT, id="box", select_on_focus=False)
        box.border_title, listed, known = self.TITLES
        yield box
        yield Static(id="notice")
        with Horizontal(id="panes"):
            rows: RowList[Row] = RowList(*self.columns(), key=self.key, id="list", selects=self.SELECTS)
            rows.border_title = listed
            yield rows
            detail = Detail(self.session)
            detail.border_title = known
            yield detail
        yield Activity(self.session.jobs)
        yield KeyLine()

    def on_mount(self) -> None:
        """One timer waits for the highlight to rest."""
        self.notice.display = False
        self._settling = self.set_timer(SETTLE_SECONDS, self._settled, pause=True)

    def say(self, text: Content) -> None:
        """One line above the list, or none."""
        self.notice.update(text)
        self.notice.display = bool(text)

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """The way into the box is offered outside it."""
        return action != "focus_box" or self.focused is not self.box

    @on(Input.Changed, "#box")
    def _text_changed(self, event: Input.Changed) -> None:
        self.look_for(event.value.strip())

    @on(Input.Submitted, "#box")
    def action_focus_list(self) -> None:
        """From the box into the list."""
        self.listing.focus()

    def action_focus_box(self) -> None:
        """Into the box."""
        self.box.focus()

    def action_back(self) -> None:
        """From pane and box to the list, there from a selection to none, and from a filtered list to the whole."""
        if self.focused is not self.listing:
            self.listing.focus()
        elif self.listing.marked:
            self.listing.unmark()
        else:
            self.box.value = ""

    @on(RowList.Highlighted)
    def _highlighted(self) -> None:
        row = self.listing.row
        key = None if row is None else self.key(row)
        if key != self._described:
            self.detail.picture.blank()
            self._described = key
        if row is None:
            self.detail.picture.hide()
            self.detail.show([])
            return
        self.describe(row)
        self._settling.stop()
        self._settling = self.set_timer(SETTLE_SECONDS, self._settled)

    @on(RowList.Chosen)
    def _chosen(self) -> None:
        if (row := self.listing.row) is not None:
            self.open(row)

    @on(Refused)
    def _say_refused(self, message: Refused) -> None:
        message.stop()
        self.say(words(f"! {told(message.error)}", "$text-warning"))

    def _settled(self) -> None:
        if (row := self.listing.row) is not None:
            self.settle(row)
