"""Which groups and words of a LoRA go into this prompt; what the library says stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from hubsync.domain import Installed, TriggerGroup
from hubsync.services.triggers import Wish, with_groups
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.text import words
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.facts import Fact
from hubsync.tui.widgets.rows import RowList

_MOST_LINES = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLine:
    """A group, or with `word` one of its words."""

    group: int
    word: str | None
    text: str


class GroupsDialog(Dialog[Wish]):
    """The groups of one LoRA with their words; the answer says which are wanted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space", "switch", "On or off", id="groups.switch", tooltip="Put the group or word in, or leave it out"
        ),
    ]
    AUTO_FOCUS = "RowList"

    def __init__(self, lora: Installed, wish: Wish) -> None:
        keys = "space on or off · enter takes it · esc goes back"
        hint = words("For this prompt alone: the library keeps its groups.", "$foreground-muted")
        super().__init__(f"Words of {lora.name}", [Fact(value=hint)], keys=keys)
        self._lora = lora
        self._wish = wish
        self._on = _inserted(with_groups(lora, wish))

    @property
    def listing(self) -> RowList[GroupLine]:
        """The list."""
        return cast("RowList[GroupLine]", self.query_one(RowList))

    def compose_head(self) -> ComposeResult:
        """One row a group, one a word."""
        rows: RowList[GroupLine] = RowList(
            Column(text=self._mark, width=1, strong=True),
            Column(text=lambda line: line.text, title="Groups and their words", strong=True),
            Column(text=lambda line: "in" if self._mark(line) != "○" else "out", width=3),
            key=lambda line: (line.group, line.word),
        )
        rows.styles.height = min(sum(1 for _ in self._lines()), _MOST_LINES) + 3
        yield rows

    def on_mount(self) -> None:
        """Show them."""
        self.listing.show([*self._lines()])

    def action_switch(self) -> None:
        """A word is put in or left out; a group with all its words."""
        line = self.listing.row
        if line is None:
            return
        if line.word is not None:
            self._on ^= {(line.group, line.word)}
        else:
            self._switch_group(next(group for group in self._lora.groups if group.index == line.group))
        self.listing.refresh()

    @on(RowList.Chosen)
    def _done(self) -> None:
        self.dismiss(wished(self._lora, self._wish, self._on))

    def _switch_group(self, group: TriggerGroup) -> None:
        whole = {(group.index, word.text) for word in group.words}
        usual = {(group.index, text) for text in group.texts} or whole
        self._on = self._on - whole if self._on & whole else self._on | usual

    def _lines(self) -> Iterator[GroupLine]:
        for group in self._lora.groups:
            default = " (default)" if group.enabled else ""
            yield GroupLine(group=group.index, word=None, text=f"group {group.index}{default}")
            yield from (GroupLine(group=group.index, word=word.text, text=f"  {word.text}") for word in group.words)

    def _mark(self, line: GroupLine) -> str:
        inserted = {word for group, word in self._on if group == line.group}
        return "●" if (line.word in inserted if line.word is not None else inserted) else "○"


def wished(lora: Installed, wish: Wish, on: set[tuple[int, str]]) -> Wish:
    """The wish for these words, as plainly as it can be said: the usual ones, whole groups, else word by word."""
    wish = replace(wish, groups=(), every=False, words=None)
    if on == _inserted(lora):
        return wish
    numbers = tuple(dict.fromkeys(group.index for group in lora.groups if any(index == group.index for index, _ in on)))
    by_groups = replace(wish, groups=numbers)
    if numbers and on == _inserted(with_groups(lora, by_groups)):
        return by_groups
    ordered = ((group.index, word.text) for group in lora.groups for word in group.words)
    return replace(wish, words=tuple(word for word in ordered if word in on))


def _inserted(lora: Installed) -> set[tuple[int, str]]:
    return {(group.index, text) for group in lora.groups if group.enabled for text in group.texts}
