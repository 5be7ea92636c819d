"""Settings: what is set up and what is missing, every setting by section, and the keys of every action."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from hubsync.services.doctor import Check
from hubsync.services.settings import AFTER_RESTART, Kind, Setting, change, listed
from hubsync.tui.actions import actions, clashes, keys_of
from hubsync.tui.asking import ask
from hubsync.tui.entries import Entry, entry_facts, of_actions, of_checks, of_settings
from hubsync.tui.messages import SettingChanged
from hubsync.tui.screens.browse import Browse
from hubsync.tui.session import Session
from hubsync.tui.text import words
from hubsync.tui.widgets.columns import Column

_DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass
class Examined(Message, bubble=False):
    """The set-up was looked at; `whole`: both hubs were asked too."""

    checks: Sequence[Check]
    whole: bool = False


@dataclass
class SettingsRead(Message, bubble=False):
    """What can be set."""

    settings: Sequence[Setting]


@dataclass
class ActionsFound(Message, bubble=False):
    """Every action that has a key."""

    actions: Sequence[Binding]


class SettingsScreen(Browse[Entry]):
    """Findings, settings, keys, each a line; enter changes what is highlighted."""

    MODE = "settings"
    PROMPT = "part of a setting, of a value, of what a key does"
    TITLES = ("Filter", "Settings", "About")
    AUTO_FOCUS = "#list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "change", "Change", id="settings.change", tooltip="Give the highlighted setting another value"),
        Binding("backspace", "restore", "Default", id="settings.default", tooltip="Back to the default"),
        Binding("D", "examine", "Doctor", id="settings.doctor", tooltip="Look at the whole set-up, ask both hubs"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._checks: Sequence[Entry] = ()
        self._settings: Sequence[Setting] = ()
        self._actions: Sequence[Binding] = ()
        self._wanted = ""
        self._asked = False
        self._answered: object = None

    def columns(self) -> Sequence[Column[Entry]]:
        """Sign, section, name, value."""
        return (
            Column(text=lambda entry: entry.mark, width=1, strong=True),
            Column(text=lambda entry: entry.section, title="Section", width=11, needs=54),
            Column(text=lambda entry: entry.name, title="Setting", width=18, wide=22, strong=True),
            Column(text=lambda entry: entry.value, title="Value"),
        )

    def key(self, row: Entry) -> object:
        """A line is its name; a finding may be called as a setting."""
        return row.section, row.name

    def on_screen_resume(self) -> None:
        """Read what is set, and look at what takes no hub. Actions come later: every screen is imported for them."""
        self._read()
        if not self._actions:
            ask(self, "actions", lambda: ActionsFound(actions()))
        self._look_again()

    def look_for(self, text: str) -> None:
        """Keep what fits."""
        keymap = self.hubsync.settings.keys
        entries = [*self._checks, *of_settings(self._settings), *of_actions(self._actions, keymap)]
        found = [entry for entry in entries if entry.holds(text)]
        self.listing.show(found, placeholder=f"No setting fits “{text}”." if entries else "")

    def describe(self, row: Entry) -> None:
        """What it is about. An answer about another line goes."""
        if self._answered not in {None, self.key(row)}:
            self._answer(Content())
        self.detail.show(entry_facts(row, self._actions, self.hubsync.settings.keys))
        self.refresh_bindings()

    def settle(self, row: Entry) -> None:
        """There is nothing more to it."""

    def open(self, row: Entry) -> None:
        """Change a setting where it stands, take another key, or go to what cures a finding."""
        if row.cure:
            self.reveal(row.cure)
        elif row.action is not None:
            self._press(row.action)
        elif row.setting is not None:
            self._change(row.setting)

    def reveal(self, key: str) -> None:
        """Go to a setting and change it, as soon as it is there."""
        self._wanted = key
        self.box.value = ""
        self._show()

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Findings are cured by their setting."""
        row = self.listing.row if self.is_mounted else None
        if action == "restore":
            return row is not None and row.check is None
        if action == "change":
            return row is not None and (row.check is None or bool(row.cure))
        return super().check_action(action, _)

    def action_change(self) -> None:
        """The same as enter, by a key the footer can name."""
        self.listing.action_choose()

    def action_restore(self) -> None:
        """Back to the default."""
        row = self.listing.row
        if row is not None and row.setting is not None:
            self._store(row.setting.key, "")
        elif row is not None and row.action is not None:
            self._store(f"keys.{row.action.id}", "")

    def action_examine(self) -> None:
        """Every check; the hubs may take their time."""
        self.listing.border_subtitle = "looking at the set-up …"
        ask(self, "examine", lambda: Examined(self.hubsync.doctor.run(), whole=True))

    def _read(self) -> None:
        settings = self.hubsync.settings
        ask(self, "settings", lambda: SettingsRead(listed(settings)))

    def _show(self) -> None:
        self.look_for(self.box.value.strip())
        if self._wanted and self._go_to(self._wanted):
            self._wanted = ""
            self.listing.action_choose()

    def _go_to(self, name: str) -> bool:
        at = next((index for index, row in enumerate(self.listing.rows) if row.setting and row.name == name), None)
        if at is not None:
            self.listing.highlighted = at
            self.listing.focus()
        return at is not None

    def _change(self, setting: Setting) -> None:
        from hubsync.tui.screens.changing import Previewing, Typing

        if setting.kind is Kind.SWITCH:
            self._store(setting.key, "false" if setting.value == "true" else "true")
        elif choices := self._choices(setting):
            preview = self._try_theme if setting.key == "ui.theme" else None

            def chosen(value: str | None) -> None:
                if value is not None:
                    self._store(setting.key, value)

            self.app.push_screen(Previewing(setting, choices, preview), chosen)
        else:
            self.app.push_screen(Typing(self.session, setting), self._changed)

    def _choices(self, setting: Setting) -> Sequence[str]:
        if setting.key == "ui.theme":
            return sorted(self.app.available_themes)
        return _DEVICES if setting.key == "render.device" else setting.choices

    def _try_theme(self, name: str) -> None:
        if name in self.app.available_themes:
            self.app.theme = name

    def _press(self, action: Binding) -> None:
        from hubsync.tui.screens.changing import Pressing

        def pressed(key: str | None) -> None:
            if key is not None:
                self._store(f"keys.{action.id}", key)

        self.app.push_screen(Pressing(action, keys_of(action, self.hubsync.settings.keys)), pressed)

    def _store(self, key: str, value: str) -> None:
        ask(self, "change", lambda: SettingChanged(key, change(self.hubsync, key, value)))

    def _changed(self, message: SettingChanged | None) -> None:
        if message is not None:
            self.post_message(message)

    @on(SettingsRead)
    def _show_settings(self, message: SettingsRead) -> None:
        self._settings = message.settings
        self._show()

    @on(ActionsFound)
    def _show_actions(self, message: ActionsFound) -> None:
        self._actions = message.actions
        if self._settings:  # alone they would have the highlight, and keep it
            self._show()

    @on(Examined)
    def _show_checks(self, message: Examined) -> None:
        # What was found without the hubs may come after the whole that was asked for later.
        found = {entry.name: entry for entry in of_checks(message.checks)}
        self._checks = tuple(({entry.name: entry for entry in self._checks} | found).values())
        if message.whole:
            self._asked = True
            self.box.value = ""
            self.listing.border_subtitle = ""
        self._show()
        if message.whole:
            marks = [row.mark for row in self.listing.rows[: len(self._checks)]]
            self.listing.highlighted = next((at for at, mark in enumerate(marks) if mark != "✓"), 0)

    @on(SettingChanged)
    def _say_changed(self, message: SettingChanged) -> None:
        """The app makes the change count; here it is said."""
        stored, key = message.stored, message.key
        has = "has its default" if stored.unset else "is set"
        said = [
            f"{key} {has}" + (f"; it belongs to {stored.account}" if stored.account else ""),
            *stored.notes,
            *(["it counts after a restart"] if key in AFTER_RESTART else []),
            *(() if stored.unset else self._clashes(key)),
        ]
        self._answer(words(" · ".join(said), "$text-warning" if len(said) > 1 else "$text-success"))
        self._read()
        self._look_again()

    def _answer(self, text: Content) -> None:
        row = self.listing.row
        self._answered = self.key(row) if row and text else None
        self.say(text)

    def _look_again(self) -> None:
        """At what takes no hub; at everything where the hubs were asked before."""
        doctor = self.hubsync.doctor
        ask(self, "doctor", lambda: Examined(doctor.run() if self._asked else doctor.local()))

    def _clashes(self, key: str) -> Sequence[str]:
        section, _, name = key.partition(".")
        keymap = self.hubsync.settings.keys
        keys = next((keys_of(one, keymap) for one in self._actions if one.id == name), ())
        found = clashes(name, keys, self._actions, keymap) if section == "keys" else ()
        return [f"the same key: {one.description} ({one.id})" for one in found]
