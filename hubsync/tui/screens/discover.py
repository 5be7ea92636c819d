"""Discover: both hubs in one list, searched while typing, with everything known of a LoRA beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content

from hubsync.domain import Lora, Nsfw, Query, SearchResult, Sort
from hubsync.errors import BadReference, HubsyncError
from hubsync.refs import Ref, Source, parse_ref
from hubsync.tui.asking import ask
from hubsync.tui.describe import lora_facts
from hubsync.tui.jobs import told
from hubsync.tui.messages import InstallRequested, LibraryCounted, Refused, Searched, Shown
from hubsync.tui.paging import Paging
from hubsync.tui.screens.browse import Browse
from hubsync.tui.session import Session
from hubsync.tui.text import count, words
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.rows import RowList

TYPING_SECONDS = 0.3
"""Pause in typing after which the hubs are asked."""

_NAMES = {Source.CIVITAI: "Civitai", Source.HUGGINGFACE: "Hugging Face"}
_MARKS = {Source.CIVITAI: "civitai", Source.HUGGINGFACE: "hf"}
_NO_KEY = (
    "No Civitai key yet: most downloads there want one. Make one on your account page, then run\n"
    "hubsync config set civitai.api_key KEY. Everything that needs none works already."
)


class Discover(Browse[Lora]):
    """Search results. An answer to an older question than the box holds is dropped."""

    MODE = "discover"
    PROMPT = "what should it draw? or paste a page's address"
    TITLES = ("Search both hubs", "LoRAs", "Details")
    AUTO_FOCUS = "#box"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i,d", "install", "Install", id="discover.install", tooltip="Check and install the highlighted LoRA"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._paging = Paging(self._question(""))
        self._known: dict[Ref, Lora] = {}
        self._tip = Content()

    def columns(self) -> Sequence[Column[Lora]]:
        """Installed mark, name, base model, downloads, source."""
        return (
            Column(text=lambda lora: "✓" if lora.installed else "", width=1, strong=True),
            Column(text=lambda lora: lora.name, title="Name", strong=True),
            Column(text=base_name, title="Base", width=8, wide=14),
            Column(text=lambda lora: count(lora.downloads), title="Down", width=5, right=True),
            Column(text=lambda lora: _MARKS[lora.source], title="Hub", width=3, wide=7),
        )

    def key(self, row: Lora) -> object:
        """A LoRA is its reference."""
        return row.ref

    def on_mount(self) -> None:
        """Ask nothing before the first frame stands: a thread's imports would delay it."""
        self._typing = self.set_timer(TYPING_SECONDS, self._search, pause=True)
        self.session.library_changed.subscribe(self, self._mark)
        self.call_after_refresh(self._begin)

    def look_for(self, text: str) -> None:
        """Wait for a pause in typing."""
        question = self._question(text)
        if question == self._paging.query:
            return
        self._paging = Paging(question)
        self.listing.border_subtitle = "searching…"
        self._typing.stop()
        self._typing = self.set_timer(TYPING_SECONDS, self._search)

    def describe(self, row: Lora) -> None:
        """What the search told, or all of it if it was fetched before."""
        self.detail.show(lora_facts(self._fullest(row)))

    def settle(self, row: Lora) -> None:
        """Fetch the page's full record and one picture within the ceiling."""
        from hubsync.services.install import best_preview

        if row.ref not in self._known:
            ask(self, "show", lambda: Shown(row.ref, self.hubsync.search.show(row.ref)))
        ceiling = Nsfw(self.hubsync.settings.search.nsfw)
        previews = [preview for version in row.versions for preview in version.previews]
        if preview := best_preview(previews, ceiling):
            self.detail.picture.show(preview.url, lambda: self.hubsync.previews.picture(preview.url))
        else:
            self.detail.picture.hide()

    def action_install(self) -> None:
        """Show what an install would do."""
        if self.listing.row is not None:
            self.post_message(InstallRequested(self._fullest(self.listing.row)))

    def _fullest(self, row: Lora) -> Lora:
        return replace(self._known.get(row.ref, row), installed=row.installed)

    def _question(self, text: str) -> Query:
        search = self.hubsync.settings.search
        sort = Sort.RELEVANCE if text else Sort.DOWNLOADS
        return Query(text=text, sort=sort, nsfw=Nsfw(search.nsfw), limit=search.limit)

    def _begin(self) -> None:
        self._search()
        if not self.hubsync.settings.civitai.api_key:
            ask(self, "library", lambda: LibraryCounted(len(self.hubsync.library.list())))

    def _search(self) -> None:
        self._ask(self._paging.query)

    def _ask(self, query: Query) -> None:
        self.listing.border_subtitle = "searching…"
        ask(self, "search", lambda: Searched(query, self._answer(query)))

    def _answer(self, query: Query) -> SearchResult:
        """What the hubs say; a pasted reference is looked up instead of searched for."""
        service = self.hubsync.search
        ref = reference(query.text)
        return SearchResult(items=(service.show(ref),)) if ref else service.run(query)

    @on(RowList.NearEnd)
    def _next_page(self) -> None:
        if query := self._paging.next():
            self._ask(query)

    @on(Searched)
    def _show_results(self, message: Searched) -> None:
        query, result, paging = message.query, message.result, self._paging
        if not paging.answers(query):
            return
        fresh = paging.take(result)
        self.say(down(result.errors) if result.errors else self._tip)
        if query.cursors:
            self.listing.append(fresh)
        else:
            self.listing.show(fresh, placeholder=nothing(query, result))
        self.listing.border_subtitle = f"{len(self.listing.rows)}{'+' if paging.more else ''} found"

    @on(Shown)
    def _show_all(self, message: Shown) -> None:
        self._known[message.ref] = message.lora
        row = self.listing.row
        if row is not None and row.ref == message.ref:
            self.describe(row)
            self.settle(self._fullest(row))

    @on(Refused)
    def _show_nothing(self, message: Refused) -> None:
        if message.group == "search":
            self.listing.show([], placeholder="Nothing to show.")
            self.listing.border_subtitle = ""

    @on(LibraryCounted)
    def _greet(self, message: LibraryCounted) -> None:
        if not message.count:
            self._tip = words(_NO_KEY, "$foreground-muted")
            if not self.notice.display:
                self.say(self._tip)

    def _mark(self, ref: Ref | None) -> None:
        self.listing.change(lambda row: replace(row, installed=True) if row.ref == ref else row)
        if (row := self.listing.row) is not None:
            self.describe(row)


def base_name(lora: Lora) -> str:
    """The base model in a few letters: Hugging Face names whole repositories, whose family says as much."""
    name = next(iter(lora.base_models), "")
    return next(iter(lora.families), "") if "/" in name else name


def reference(text: str) -> Ref | None:
    """The reference a text is, if nobody would mean it as words: `owner/name` and numbers are searched for."""
    try:
        return parse_ref(text) if ":" in text else None
    except BadReference:
        return None


def down(errors: Mapping[Source, HubsyncError]) -> Content:
    """Which hubs did not answer, a line each."""
    lines = [words(f"! {_NAMES[source]}: {told(error)}", "$text-warning") for source, error in errors.items()]
    return Content("\n").join(lines)


def nothing(query: Query, result: SearchResult) -> str:
    """Why a list is empty, and what to do."""
    if len(result.errors) == len(_NAMES):
        return "No hub answers.\n\nWhat is installed works without a connection: press 2."
    return f"Nothing found for “{query.text}”. Fewer or other words may help." if query.text else "Nothing found."
