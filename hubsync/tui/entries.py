"""The lines of the settings: findings of the doctor, settings by section, and the key map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual.binding import Binding
from textual.content import Content

from hubsync.services.doctor import Check
from hubsync.services.settings import AFTER_RESTART, Kind, Setting
from hubsync.tui.actions import clashes, keys_of, named
from hubsync.tui.advice import advice
from hubsync.tui.describe import BLANK, title
from hubsync.tui.text import words
from hubsync.tui.widgets.facts import Fact

_SECTIONS = {
    "root": "Library",
    "lora_dir": "Library",
    "install": "Library",
    "library": "Library",
    "civitai.api_key": "Keys",
    "huggingface.token": "Keys",
    "checkpoint": "Checkpoints",
    "render": "Renderer",
    "search": "Search",
    "prompt": "Prompt",
    "ui": "Look",
    "civitai": "Network",
    "huggingface": "Network",
    "network": "Network",
}
"""Where a setting stands, by its name or the first part of it; the sections in their order."""

_ORIGINS = {"default": "the default", "file": "the configuration file", "environment": "an environment variable"}
_SWITCHED = {"true": "yes", "false": "no"}
_OWN = "•"
"""The mark of an action whose key is the user's own."""

_MARKS = {"ok": "✓", "warning": "!", "error": "✗"}
_STYLES = {"ok": "$text-success", "warning": "$text-warning", "error": "$text-error"}
_CURES = {
    "library": "root",
    "renderer": "render.python",
    "device": "render.device",
    "checkpoints": "checkpoint.sd1",
    "civitai key": "civitai.api_key",
    "huggingface key": "huggingface.token",
    "civitai": "civitai.url",
    "huggingface": "huggingface.endpoint",
}
"""The setting that a finding of the doctor is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line: a finding, a setting, or an action with its keys."""

    section: str
    name: str
    value: str
    mark: str = ""
    check: Check | None = None
    setting: Setting | None = None
    action: Binding | None = None

    @property
    def cure(self) -> str:
        """The setting a finding is about, if there is one."""
        return _CURES.get(self.name, "") if self.check else ""

    def holds(self, text: str) -> bool:
        """Whether a typed text is part of what the line and its explanation say."""
        about = self.setting.about if self.setting else self.action.tooltip if self.action else ""
        return text.casefold() in f"{self.section} {self.name} {self.value} {about}".casefold()


def of_checks(checks: Sequence[Check]) -> Sequence[Entry]:
    """What the doctor found."""
    return [
        Entry(
            section="Doctor",
            name=one.name,
            value=one.message if one.status == "ok" else f"{one.status}: {one.message}",
            mark=_MARKS[one.status],
            check=one,
        )
        for one in checks
    ]


def of_settings(settings: Sequence[Setting]) -> Sequence[Entry]:
    """The settings, section by section."""
    order = list(dict.fromkeys(_SECTIONS.values()))
    found = [
        Entry(section=_section(one.key), name=one.key, value=shown(one), mark="!" if one.doubt else "", setting=one)
        for one in settings
    ]
    return sorted(found, key=lambda entry: order.index(entry.section))


def of_actions(actions: Sequence[Binding], keymap: Mapping[str, str]) -> Sequence[Entry]:
    """Every action with its keys."""
    return [
        Entry(
            section="Key map",
            name=one.id or "",
            value=named(keys_of(one, keymap)),
            mark=_OWN if one.id in keymap else "",
            action=one,
        )
        for one in actions
    ]


def shown(setting: Setting) -> str:
    """A value on a line."""
    if setting.kind in {Kind.SWITCH, Kind.CHOICE, Kind.NUMBER}:
        return _SWITCHED.get(setting.value, setting.value)
    return setting.value or ("not set" if setting.kind is Kind.HIDDEN or setting.key.startswith("checkpoint.") else "–")  # noqa: RUF001


def entry_facts(entry: Entry, actions: Sequence[Binding], keymap: Mapping[str, str]) -> list[Fact]:
    """What a line is about, and what can be done with it."""
    if entry.check is not None:
        return _finding(entry, entry.check)
    if entry.setting is not None:
        return _explained(entry, entry.setting)
    assert entry.action is not None
    return _bound(entry.action, actions, keymap)


def _finding(entry: Entry, check: Check) -> list[Fact]:
    state = Content.styled(f"{entry.mark} {check.status}", _STYLES[check.status])
    cure = f"enter goes to {entry.cure}" if entry.cure else ""
    told = (words(advice(check.hint)), words(cure, "$foreground-muted"))
    facts = [*title(check.name, ()), Fact(value=state), Fact(value=words(check.message))]
    return [*facts, *(fact for text in told if text for fact in (BLANK, Fact(value=text)))]


def _explained(entry: Entry, setting: Setting) -> list[Fact]:
    fields = (
        ("Value", entry.value),
        ("From", _ORIGINS[setting.origin]),
        ("Default", _SWITCHED.get(setting.default, setting.default)),
        ("Choices", ", ".join(setting.choices)),
        ("Note", "a change counts after a restart" if setting.key in AFTER_RESTART else ""),
    )
    doubt = [BLANK, Fact(value=words(f"! {setting.doubt}", "$text-warning"))] if setting.doubt else []
    return [
        *title(setting.key, (entry.section,)),
        Fact(value=words(setting.about)),
        BLANK,
        *(Fact(label=label, value=words(text)) for label, text in fields if text),
        *doubt,
    ]


def _bound(action: Binding, actions: Sequence[Binding], keymap: Mapping[str, str]) -> list[Fact]:
    keys = keys_of(action, keymap)
    others = [f"{one.description} ({one.id})" for one in clashes(action.id or "", keys, actions, keymap)]
    origin = f"{_OWN} your key map" if action.id in keymap else _ORIGINS["default"]
    fields = (
        ("Keys", named(keys)),
        ("From", origin),
        ("Default", named(keys_of(action, {}))),
        ("Also", "\n".join(others)),
    )
    return [
        *title(action.description, (action.id or "",)),
        Fact(value=words(action.tooltip)),
        BLANK,
        *(Fact(label=label, value=words(text)) for label, text in fields if text),
    ]


def _section(key: str) -> str:
    return _SECTIONS.get(key) or _SECTIONS[key.partition(".")[0]]
