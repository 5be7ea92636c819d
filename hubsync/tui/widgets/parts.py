"""The LoRAs in a prompt: which are on, their weights, what they put in."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from hubsync.services.drafting import Part
from hubsync.tui.text import number
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.rows import RowList


class LoraList(RowList[Part]):
    """One row a LoRA. `g` and space are the screen's: they open its groups and switch it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("home", "top", "First LoRA", show=False, id="prompt.top", tooltip="Highlight the first LoRA"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(
            Column(text=mark, width=1, strong=True),
            Column(text=lambda part: part.name, title="Name", strong=True),
            Column(text=weight, title="Weight", width=6, right=True),
            Column(text=groups, title="Groups", width=8),
            Column(text=lambda part: ", ".join(words_of(part)), title="Words", width=18, needs=52),
            key=lambda part: part.name.casefold(),
            id=id,
        )

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Leaves the keys of these two to the screen."""
        return action not in {"first", "mark"}

    def action_top(self) -> None:
        """Highlight the first row."""
        self.highlighted = 0

    def go_to(self, name: str) -> None:
        """Highlight the LoRA of that name, if it is there."""
        found = (index for index, part in enumerate(self.rows) if part.name == name)
        self.highlighted = next(found, self.highlighted)


def mark(part: Part) -> str:
    """A sign for the state; `state` says it in words."""
    if part.lora is None or part.lora.missing:
        return "!"
    return "¶" if not part.listed else "●" if part.on else "○"


def state(part: Part) -> str:
    """All that is to be said of a LoRA in a prompt, in a few words."""
    if part.lora is None:
        return "not installed"
    file = "its file is missing" if part.lora.missing else ""
    place = "its tag is in your text" if part.tag else ""
    switched = "" if not part.listed else "on" if part.on else "off"
    return " · ".join(filter(None, (switched, file, place)))


def weight(part: Part) -> str:
    """The weight in effect; an embedding has none."""
    return number(part.weight) if part.tagged else "-"


def groups(part: Part) -> str:
    """How many of its groups of words go into the prompt, or why none does."""
    if part.lora is None:
        return "unknown"
    if part.listed and not part.on:
        return "off"
    if not part.lora.groups:
        return "no words"
    chosen = part.chosen
    used = [group for group in chosen.groups if group.enabled and group.texts] if chosen else []
    return f"{len(used)} of {len(part.lora.groups)}"


def words_of(part: Part) -> list[str]:
    """The words it puts into the prompt."""
    chosen = part.chosen
    return [word for group in chosen.inserted_words for word in group] if chosen else []
