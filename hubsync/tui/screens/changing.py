"""Boxes in which a setting gets another value: typed, chosen, or a key that is pressed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from hubsync.services.settings import Kind, Setting, change
from hubsync.tui.actions import named
from hubsync.tui.answers import Refused
from hubsync.tui.asking import ask
from hubsync.tui.describe import BLANK, problem
from hubsync.tui.messages import SettingChanged
from hubsync.tui.questions import Chip, Choice
from hubsync.tui.screens.choosing import Choosing
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.session import Session
from hubsync.tui.text import words
from hubsync.tui.widgets.facts import Fact
from hubsync.tui.widgets.rows import RowList

_TYPING = "enter stores it · esc leaves it as it is"


class Typing(Dialog[SettingChanged]):
    """A value is typed; a refusal stays in the box, to be put right. A secret is never shown."""

    AUTO_FOCUS = "Input"

    def __init__(self, session: Session, setting: Setting) -> None:
        super().__init__(setting.key, [Fact(value=words(setting.about, "$foreground-muted"))], keys=_TYPING)
        self._session = session
        self._setting = setting

    def compose_head(self) -> ComposeResult:
        """The line to type into."""
        hidden = self._setting.kind is Kind.HIDDEN
        value = "" if hidden else self._setting.value
        yield Input(value, password=hidden, placeholder="paste the key" if hidden else "empty: the default", id="text")

    @on(Input.Submitted)
    def _store(self, event: Input.Submitted) -> None:
        key, value, hubsync = self._setting.key, event.value, self._session.hubsync
        wait = "asking the hub whose key it is …" if self._setting.kind is Kind.HIDDEN and value else "storing …"
        self.show([Fact(value=words(wait))], keys=_TYPING)
        ask(self, "change", lambda: SettingChanged(key, change(hubsync, key, value)))

    @on(SettingChanged)
    def _stored(self, message: SettingChanged) -> None:
        message.stop()
        self.dismiss(message)

    @on(Refused)
    def _say_refused(self, message: Refused) -> None:
        message.stop()
        about = Fact(value=words(self._setting.about, "$foreground-muted"))
        self.show([*problem(message.error), BLANK, about], keys=_TYPING)


class Previewing(Choosing):
    """A value is chosen from a list; each is tried out while it is highlighted, and `try_out` gets the old one back."""

    def __init__(self, setting: Setting, choices: Sequence[str], try_out: Callable[[str], None] | None = None) -> None:
        values = tuple(Choice(value=choice) for choice in choices)
        free = not setting.choices and try_out is None
        chip = Chip(key=setting.key, choices=values, default=setting.default, free=free)
        super().__init__(chip, value=setting.value)
        self._try_out = try_out or (lambda _: None)
        self._before = setting.value

    @on(RowList.Highlighted)
    def _preview(self) -> None:
        if self.listing.row is not None and self.is_current:
            self._try_out(self.listing.row.value)

    def action_close(self) -> None:
        """Leave it as it was."""
        self._try_out(self._before)
        super().action_close()


class Catcher(Widget, can_focus=True):
    """Takes the next key, whatever it does elsewhere."""

    def render(self) -> Content:
        """What to do."""
        return Content.styled("press the key …", "bold $text-accent")

    def on_key(self, event: events.Key) -> None:
        """Hand the key to the box; escape leaves it, as everywhere."""
        if event.key == "escape":
            return
        event.stop()
        event.prevent_default()
        screen = self.screen
        assert isinstance(screen, Pressing)
        screen.take(event.key)


class Pressing(Dialog[str]):
    """The answer is the key pressed; empty for the key there is without any setting."""

    AUTO_FOCUS = "Catcher"

    def __init__(self, binding: Binding, keys: Sequence[str]) -> None:
        facts = [
            Fact(value=words(f"{binding.description}: {binding.tooltip}")),
            Fact(value=words(f"so far: {named(keys)}", "$foreground-muted")),
        ]
        super().__init__(f"keys.{binding.id}", facts, keys="backspace takes the default · esc leaves it as it is")

    def compose_head(self) -> ComposeResult:
        """What waits for the key."""
        yield Catcher()

    def take(self, key: str) -> None:
        """This is the key."""
        self.dismiss("" if key == "backspace" else key)
