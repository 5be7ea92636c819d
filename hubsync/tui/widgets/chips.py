"""Chips: what a search is narrowed to, on one line; each shows its key and value and can be changed in place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from hubsync.tui.questions import Chip
from hubsync.tui.text import fitted, one_line

_CHANGED = "•"
_LONGEST = 14  # cells of a value: the other five chips need their room


class Chips(Widget, can_focus=True):
    """One line of chips, one of them current. A value that is not the chip's default has a dot before it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1)", "Filter before", show=False, id="chips.previous", tooltip="To the filter before"),
        Binding("right,l", "move(1)", "Next filter", show=False, id="chips.next", tooltip="To the next filter"),
        Binding("down,j", "step(1)", "Next value", show=False, id="chips.down", tooltip="The filter's next value"),
        Binding("up,k", "step(-1)", "Value before", show=False, id="chips.up", tooltip="The filter's value before"),
        Binding("enter,space", "open", "Choose", id="chips.open", tooltip="Choose among all values of the filter"),
        Binding("backspace", "reset", "Reset", id="chips.reset", tooltip="Back to what the filter is at first"),
    ]
    DEFAULT_CSS = """
    Chips { height: 1; }
    """

    current: reactive[int] = reactive(0)

    class Changed(Message):
        """A chip has another value."""

    @dataclass
    class Opened(Message):
        """All values of a chip are to be shown."""

        chip: Chip

    def __init__(self, chips: Sequence[Chip]) -> None:
        super().__init__()
        self._chips = chips
        self._values = {chip.key: chip.default for chip in chips}
        self._ends: Sequence[int] = ()

    @property
    def values(self) -> Mapping[str, str]:
        """The values by the chips' keys."""
        return self._values

    @property
    def changed(self) -> int:
        """How many chips are not at their default."""
        return sum(self._values[chip.key] != chip.default for chip in self._chips)

    def set(self, key: str, value: str) -> None:
        """Give a chip another value."""
        if self._values[key] != value:
            self._values = {**self._values, key: value}
            self.refresh()
            self.post_message(self.Changed())

    def reset(self) -> None:
        """Give every chip its default again."""
        if self.changed:
            self._values = {chip.key: chip.default for chip in self._chips}
            self.refresh()
            self.post_message(self.Changed())

    def action_move(self, chips: int) -> None:
        """Go to a chip beside."""
        self.current += chips

    def action_step(self, steps: int) -> None:
        """Take a value beside."""
        self.set(self._chip.key, self._chip.step(self._values[self._chip.key], steps))

    def action_open(self) -> None:
        """Show all values."""
        self.post_message(self.Opened(self._chip))

    def action_reset(self) -> None:
        """Take the default again."""
        self.set(self._chip.key, self._chip.default)

    def on_click(self, event: events.Click) -> None:
        """Open the chip under the mouse."""
        if (offset := event.get_content_offset(self)) is None:
            return
        at = next((index for index, end in enumerate(self._ends) if offset.x < end), None)
        if at is not None:
            self.current = at
            self.action_open()

    def validate_current(self, index: int) -> int:
        """Stay on a chip."""
        return max(0, min(index, len(self._chips) - 1))

    def render(self) -> Content:
        """The chips as they fit: where the room is short the dots go first, then the keys of those with a dot."""
        width = self.content_size.width
        shapes = [(0, " ·"), (0, " "), *((bare, " ·") for bare in range(1, self.changed + 1)), (self.changed, "")]
        texts: Sequence[str] = ()
        part = ""
        for bare, part in shapes:
            texts = list(self._texts(bare))
            if sum(map(cell_len, texts)) + len(texts) + len(part) * (len(texts) - 1) <= width:
                break
        line, ends = Content(), list[int]()
        for index, text in enumerate(texts):
            line += Content.styled(part if index else "", "$foreground-muted") + self._drawn(index, text)
            ends.append(line.cell_length)
        self._ends = ends
        return line.truncate(width, ellipsis=True)

    def _texts(self, bare: int) -> Iterable[str]:
        """Each chip's text, the first `bare` changed ones without their key."""
        for chip in self._chips:
            value = self._values[chip.key]
            if value == chip.default:
                yield f"{chip.key} {value}"
                continue
            value = fitted(value, min(_LONGEST, cell_len(one_line(value))))
            yield f"{_CHANGED}{value}" if bare > 0 else f"{_CHANGED}{chip.key} {value}"
            bare -= 1

    def _drawn(self, index: int, text: str) -> Content:
        if self.has_focus and index == self.current:
            return Content.styled(f"▸{text}", "bold $block-cursor-foreground on $block-cursor-background")
        style = "bold $text-primary" if text.startswith(_CHANGED) else "$foreground-muted"
        return Content(" ") + Content.styled(text, style)

    @property
    def _chip(self) -> Chip:
        return self._chips[self.current]
