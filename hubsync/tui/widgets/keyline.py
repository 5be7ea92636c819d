"""The bottom line: the keys that matter here."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual.binding import ActiveBinding
from textual.content import Content
from textual.style import Style
from textual.widget import Widget


class KeyLine(Widget):
    """The bindings to be shown on one line, whole ones as far as there is room, the palette's at the right.

    Textual's Footer makes a widget of each key whenever the focus moves: a tenth of the way to the first frame.
    """

    def on_mount(self) -> None:
        """Follow the focus, and boxes that come and go."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())
        self.app.screen_change_signal.subscribe(self, lambda _: self.refresh())

    def render(self) -> Content:
        """Keys left, palette right; nothing under a box, where none of them works."""
        if self.app.screen is not self.screen:
            return Content()
        room = self.content_size.width
        palette = self._drawn(self.screen.active_bindings[self.app.COMMAND_PALETTE_BINDING])
        room -= palette.cell_length
        line = Content()
        for active in self.shown():
            key = self._drawn(active)
            if line.cell_length + key.cell_length > room:
                break
            line += key
        return line + Content(" " * (room - line.cell_length)) + palette

    def shown(self) -> Iterable[ActiveBinding]:
        """The bindings to be shown, one an action."""
        first: dict[str, ActiveBinding] = {}
        for active in self.screen.active_bindings.values():
            if active.binding.show:
                first.setdefault(active.binding.action, active)
        return first.values()

    def on_click(self, event: events.Click) -> None:
        """Press the key under the mouse."""
        if key := event.style.meta.get("key"):
            self.app.simulate_key(key)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Explain the key under the mouse."""
        self.tooltip = event.style.meta.get("tooltip")

    def _drawn(self, active: ActiveBinding) -> Content:
        binding = active.binding
        meta = {"key": binding.key, "tooltip": active.tooltip}
        key = Content.styled(f" {self.app.get_key_display(binding)}", "bold $footer-key-foreground")
        label = Content.styled(f" {binding.description} ", "$footer-description-foreground")
        return (key + label).stylize(Style.from_meta(meta))
