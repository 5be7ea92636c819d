"""What the library is narrowed to: families, tags, and what wants attention, each with its number of LoRAs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from hubsync.domain import Facets, ListFilter
from hubsync.services.app import Hubsync
from hubsync.tui.answers import Refused
from hubsync.tui.asking import ask
from hubsync.tui.jobs import told
from hubsync.tui.screens.browse import Box
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.text import count
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.detail import Reader
from hubsync.tui.widgets.rows import RowList


@dataclass
class FacetsRead(Message, bubble=False):
    """What the library can be narrowed to."""

    facets: Facets


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """One thing to narrow by: of which kind, with how many LoRAs; `set` gives the filter with it or without it."""

    kind: str
    name: str
    set: Callable[[ListFilter, bool], ListFilter]
    many: int = 0

    def holds(self, wanted: ListFilter) -> bool:
        """Whether a filter is narrowed by it."""
        return self.set(wanted, True) == wanted  # noqa: FBT003  (with it)


_OF_MACHINES = re.compile(r"(arxiv|base_model|dataset|diffusers|doi|language|library|license|region):")
"""Tags that Hugging Face's programs set: `base_model:adapter:…`, `license:…`, `region:us`."""

FLAGS = (
    Facet(kind="mark", name="! missing", set=lambda wanted, on: replace(wanted, missing=on)),
    Facet(kind="mark", name="↑ outdated", set=lambda wanted, on: replace(wanted, outdated=on)),
    Facet(kind="mark", name="? no words", set=lambda wanted, on: replace(wanted, no_words=on)),
    Facet(kind="mark", name="· no preview", set=lambda wanted, on: replace(wanted, no_preview=on)),
)


def family(name: str, many: int = 0) -> Facet:
    """LoRAs for one family of base models."""

    def change(wanted: ListFilter, on: bool) -> ListFilter:  # noqa: FBT001  (a callback)
        return replace(wanted, family=name if on else None)

    return Facet(kind="family", name=name, many=many, set=change)


def tag(name: str, many: int = 0) -> Facet:
    """LoRAs with one tag."""

    def change(wanted: ListFilter, on: bool) -> ListFilter:  # noqa: FBT001  (a callback)
        return replace(wanted, tag=name if on else None)

    return Facet(kind="tag", name=name, many=many, set=change)


def active(wanted: ListFilter) -> Sequence[Facet]:
    """The facets a filter is narrowed by."""
    named = [*([family(wanted.family)] if wanted.family else []), *([tag(wanted.tag)] if wanted.tag else [])]
    return [*named, *(flag for flag in FLAGS if flag.holds(wanted))]


def every(facets: Facets) -> Iterator[Facet]:
    """All that some LoRA can be found by: what wants attention first, then families, then tags that people set."""
    numbers = (facets.missing, facets.outdated, facets.no_words, facets.no_preview)
    yield from (replace(flag, many=many) for flag, many in zip(FLAGS, numbers, strict=True) if many)
    yield from (family(name, many) for name, many in facets.families.items())
    yield from (tag(name, many) for name, many in facets.tags.items() if not _OF_MACHINES.match(name))


class FacetDialog(Dialog[ListFilter]):
    """Every facet with its number; the answer is the filter with those chosen."""

    AUTO_FOCUS = "RowList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pick", "Choose", id="facets.pick", tooltip="Narrow by this, or no longer"),
        Binding("slash", "focus_box", "Find", show=False, id="facets.find", tooltip="Type a part of a family or tag"),
    ]

    def __init__(self, hubsync: Hubsync, wanted: ListFilter) -> None:
        super().__init__("Filter by", keys="space chooses · enter shows · / finds · esc goes back")
        self._hubsync = hubsync
        self._wanted = wanted
        self._picked = False
        self._every: list[Facet] = []

    @property
    def listing(self) -> RowList[Facet]:
        """The facets."""
        return cast("RowList[Facet]", self.query_one(RowList))

    def compose_head(self) -> ComposeResult:
        """A line that finds a tag among hundreds, and the facets."""
        yield Box(placeholder="part of a family or a tag", id="text")
        rows: RowList[Facet] = RowList(
            Column(text=lambda facet: "✓" if facet.holds(self._wanted) else "", width=1, strong=True),
            Column(text=lambda facet: facet.name, title="Show only", strong=True),
            Column(text=lambda facet: facet.kind, title="Kind", width=7),
            Column(text=lambda facet: count(facet.many), title="LoRAs", width=6, right=True),
            key=lambda facet: (facet.kind, facet.name),
        )
        yield rows

    def on_mount(self) -> None:
        """Ask for the numbers."""
        self.query_one(Reader).display = False
        self.listing.show([], placeholder="counting …")
        ask(self, "facets", lambda: FacetsRead(self._hubsync.library.facets()))

    def action_pick(self) -> None:
        """Narrow by the facet, or no longer, and go to the next."""
        if (facet := self.listing.row) is not None:
            self._wanted = facet.set(self._wanted, not facet.holds(self._wanted))
            self._picked = True
            self.listing.refresh()
            self.listing.action_move(1)

    def action_focus_list(self) -> None:
        """From the line into the facets."""
        self.listing.focus()

    def action_focus_box(self) -> None:
        """Into the line."""
        self.query_one(Box).focus()

    @on(RowList.Chosen)
    def _show_chosen(self) -> None:
        """Where nothing was picked, the highlighted one is meant."""
        self._answer(adding=not self._picked)

    @on(Input.Submitted)
    def _show_found(self, event: Input.Submitted) -> None:
        """Whoever typed a name means the one that was found."""
        self._answer(adding=bool(event.value.strip()) or not self._picked)

    def _answer(self, *, adding: bool) -> None:
        facet = self.listing.row if adding else None
        self.dismiss(facet.set(self._wanted, True) if facet else self._wanted)  # noqa: FBT003  (with it)

    @on(Input.Changed)
    def _find(self, event: Input.Changed) -> None:
        part = event.value.strip().casefold()
        found = [facet for facet in self._every if part in facet.name.casefold()]
        self.listing.show(found, placeholder=f"No family or tag has “{event.value.strip()}” in its name.")

    @on(FacetsRead)
    def _show(self, message: FacetsRead) -> None:
        self._every = [*every(message.facets)]
        self.listing.show(self._every, placeholder="There is nothing to narrow the list by.")

    @on(Refused)
    def _say_refused(self, message: Refused) -> None:
        message.stop()
        self.listing.show([], placeholder=told(message.error))
