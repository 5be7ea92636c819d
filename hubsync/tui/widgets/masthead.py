"""The top line: where one is, where one can go, and which library this is."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

MODES = {
    "discover": "Discover",
    "library": "Library",
    "prompt": "Prompt",
    "renders": "Renders",
    "activity": "Activity",
    "settings": "Settings",
}
"""The modes in the order of their digits."""


class Masthead(Widget):
    """Name, modes and library root on one line."""

    def __init__(self, active: str, *, root: str) -> None:
        super().__init__()
        self._active = active
        self._root = root

    def render(self) -> Content:
        """Modes left, root right, the root cut where there is no room."""
        tabs = [self._tab(digit, mode) for digit, mode in enumerate(MODES, start=1)]
        left = Content("").join([Content.styled("hubsync  ", "bold $text-primary"), *tabs])
        room = max(0, self.content_size.width - left.cell_length - 1)
        root = Content(self._root).truncate(room, ellipsis=True)
        return left + Content(" " * (room - root.cell_length + 1)) + root.stylize("$foreground-muted")

    def _tab(self, digit: int, mode: str) -> Content:
        label = f" {digit} {MODES[mode]} "
        if mode == self._active:
            return Content.styled(label, "bold $foreground on $background")
        return Content.from_markup(f"[@click=app.mode('{mode}')]{label}[/]")
