"""Settings: values changed where they stand, keys entered unseen, findings with their cure, keys of one's own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from textual.widgets import Input

from hubsync import config
from hubsync.sandbox.hub import SandboxHub
from hubsync.sandbox.playground import CHECKPOINT, Playground
from hubsync.services.app import Hubsync
from hubsync.tui.answers import LibraryCounted
from hubsync.tui.messages import SettingChanged, SettingRequested, StepsMissing
from hubsync.tui.screens.changing import Pressing, Previewing, Typing
from hubsync.tui.screens.settings import Examined, SettingsRead, SettingsScreen
from tests.tui.conftest import Journey, OpenHubsync, Start, install

Written = Callable[[], str]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Written:
    """What the user's configuration file holds; it is not there yet."""
    path = tmp_path / "config" / "hubsync.toml"
    monkeypatch.setenv("HUBSYNC_CONFIG", str(path))
    return lambda: path.read_text("utf-8") if path.exists() else ""


async def go_to_settings(journey: Journey, key: str = "") -> SettingsScreen:
    """Open the sixth mode, and highlight a setting."""
    await journey.press("escape", "6")
    await journey.sees(SettingsRead)
    screen = journey.app.screen
    assert isinstance(screen, SettingsScreen)
    await journey.until(lambda: key in ["", *(row.name for row in screen.listing.rows)])
    if key:
        screen.listing.highlighted = [row.name for row in screen.listing.rows].index(key)
    return screen


def value_of(screen: SettingsScreen, name: str) -> str:
    """What a line says."""
    return next(row.value for row in screen.listing.rows if row.name == name and not row.check)


def said(box: Typing) -> str:
    """The text of a box."""
    return "\n".join(str(fact.value) for fact in box.facts.facts)


@pytest.mark.usefixtures("written")
async def test_every_setting_and_every_action_has_a_line(open_library: OpenHubsync, start: Start) -> None:
    """What the configuration file can hold is here, by section, with what it is for; so is every key."""
    async with start(open_library(), size=(120, 40)) as journey:
        screen = await go_to_settings(journey, "app.quit")
        settings = [row.setting for row in screen.listing.rows if row.setting]
        assert {setting.key for setting in settings} == set(config.known_keys())
        assert [setting.key for setting in settings if not setting.about] == []
        assert {row.section for row in screen.listing.rows} >= {"Library", "Keys", "Checkpoints", "Look", "Key map"}
        assert value_of(screen, "app.quit") == "^q"
        assert value_of(screen, "browse.search") == "/"
        assert value_of(screen, "browse.back") == "esc"
        assert value_of(screen, "civitai.api_key") == "set"
        assert SandboxHub.KEY not in journey.text


async def test_a_switch_and_a_choice(open_library: OpenHubsync, start: Start, written: Written) -> None:
    """enter turns a switch; a choice is made from a list; both are written, and count at once."""
    hubsync = open_library()
    async with start(hubsync) as journey:
        screen = await go_to_settings(journey, "install.previews")
        await journey.press("enter")
        await journey.sees(SettingChanged)
        await journey.until(lambda: value_of(screen, "install.previews") == "no")
        await go_to_settings(journey, "search.nsfw")
        await journey.press("enter")
        assert isinstance(journey.app.screen, Previewing)
        await journey.press("G", "enter")
        await journey.until(lambda: value_of(screen, "search.nsfw") == "x")
        assert "search.nsfw is set" in journey.text
    assert hubsync.settings.search.nsfw == "x"
    assert "previews = false" in written()


async def test_the_default_is_no_setting(open_library: OpenHubsync, start: Start, written: Written) -> None:
    """backspace takes the entry out of the file, and the value comes from the default; the answer goes with the row."""
    hubsync = open_library()
    async with start(hubsync, size=(120, 40)) as journey:
        screen = await go_to_settings(journey, "install.previews")
        await journey.press("enter")
        await journey.until(lambda: "From     the configuration file" in journey.text)
        assert "previews" in written()
        await journey.press("backspace")
        await journey.until(lambda: "From     the default" in journey.text)
        assert "install.previews has its default" in journey.text
        assert "previews" not in written()
        assert hubsync.settings.install.previews
        assert all(text in journey.text for text in ("Value    yes", "Default  yes"))
        await journey.press("j")
        await journey.until(lambda: "has its default" not in journey.text)
        assert not screen.notice.display


async def test_a_theme_of_the_palette_is_kept(open_library: OpenHubsync, start: Start, written: Written) -> None:
    """ctrl+p, Theme: going through the list writes nothing, the choice is there at the next start."""
    hubsync = open_library()
    async with start(hubsync) as journey:
        await journey.rest()
        journey.app.search_themes()
        await journey.until(lambda: "textual-light" in journey.text or "dracula" in journey.text)
        await journey.press("down", "up")
        assert written() == ""
        await journey.press(*"textual-light")
        await journey.until(lambda: "dracula" not in journey.text)
        await journey.press("enter")
        await journey.sees(SettingChanged)
        assert journey.app.theme == "textual-light"
    assert hubsync.settings.ui.theme == config.load().ui.theme == "textual-light"
    assert 'theme = "textual-light"' in written()


async def test_a_theme_is_seen_before_it_is_taken(open_library: OpenHubsync, start: Start, written: Written) -> None:
    """Moving through the list shows each theme; esc brings the old one back, enter keeps the new one."""
    hubsync = open_library()
    async with start(hubsync) as journey:
        screen = await go_to_settings(journey, "ui.theme")
        await journey.press("enter", "g")
        await journey.until(lambda: journey.app.theme == min(journey.app.available_themes))
        assert written() == ""
        await journey.press("escape")
        assert journey.app.theme == "textual-dark"
        await journey.press("enter", "j", "enter")
        await journey.until(lambda: value_of(screen, "ui.theme") == "textual-light")
        assert journey.app.theme == hubsync.settings.ui.theme == "textual-light"


async def test_a_typed_value_is_checked(open_library: OpenHubsync, start: Start, written: Written) -> None:
    """A value its key cannot hold is refused in the box, in words, where it can be put right."""
    hubsync = open_library()
    async with start(hubsync) as journey:
        await go_to_settings(journey, "search.limit")
        await journey.press("enter")
        box = journey.app.screen
        assert isinstance(box, Typing)
        box.query_one(Input).value = "1000"
        await journey.press("enter")
        await journey.until(lambda: "search.limit wants a whole number from 1 to 100" in journey.text)
        assert written() == ""
        box.query_one(Input).value = "50"
        await journey.press("enter")
        await journey.sees(SettingChanged)
    assert (hubsync.settings.search.limit, config.load().search.limit) == (50, 50)


async def test_a_key_is_entered_unseen_and_checked(
    open_library: OpenHubsync, start: Start, written: Written, caplog: pytest.LogCaptureFixture
) -> None:
    """The hub is asked whose key it is: a wrong one is refused, a good one counts for the next question."""
    caplog.set_level(logging.DEBUG)
    hubsync = open_library(civitai__api_key="")
    async with start(hubsync) as journey:
        screen = await go_to_settings(journey, "civitai.api_key")
        assert value_of(screen, "civitai.api_key") == "not set"
        await journey.press("enter")
        box = journey.app.screen
        assert isinstance(box, Typing)
        box.query_one(Input).value = "nonsense"
        assert "nonsense" not in journey.text
        await journey.press("enter")
        await journey.until(lambda: "it was not stored" in said(box))
        assert written() == ""
        box.query_one(Input).value = SandboxHub.KEY
        await journey.press("enter")
        stored = (await journey.sees(SettingChanged)).stored
        await journey.until(lambda: value_of(screen, "civitai.api_key") == "set")
        assert "it belongs to sandbox" in " ".join(journey.text.split())
        assert SandboxHub.KEY not in journey.text
    assert (stored.account, stored.path) == ("sandbox", config.config_path())
    assert hubsync.settings.civitai.api_key == SandboxHub.KEY
    checks = {check.name: check.message for check in hubsync.doctor.run()}
    assert checks["civitai key"] == "belongs to sandbox"
    assert SandboxHub.KEY not in caplog.text


@pytest.mark.usefixtures("written")
async def test_a_checkpoint_is_looked_at(open_library: OpenHubsync, start: Start) -> None:
    """A path where nothing lies is stored with a doubt, which the line shows; one that is there has none."""
    hubsync = open_library()
    async with start(hubsync, size=(120, 40)) as journey:
        screen = await go_to_settings(journey, "checkpoint.sdxl")
        for value, mark in (("/nowhere/model.safetensors", "!"), (str(CHECKPOINT), "")):
            await journey.press("enter")
            journey.app.screen.query_one(Input).value = value
            await journey.press("enter")
            expected = (value, mark)
            await journey.until(lambda: [(row.value, row.mark) for row in screen.listing.chosen] == [expected])  # noqa: B023
    assert hubsync.settings.checkpoint["sdxl"] == str(CHECKPOINT)


async def test_a_key_of_one_s_own(open_library: OpenHubsync, start: Start, written: Written) -> None:
    """The new key is pressed, works at once, and is said to mean something else as well; backspace takes it back."""
    hubsync = open_library()
    async with start(hubsync) as journey:
        screen = await go_to_settings(journey, "app.library")
        await journey.press("enter")
        assert isinstance(journey.app.screen, Pressing)
        await journey.press("D")
        await journey.until(lambda: value_of(screen, "app.library") == "D")
        assert "the same key: Doctor (settings.doctor)" in " ".join(journey.text.split())
        await journey.press("enter", "f8")
        await journey.until(lambda: value_of(screen, "app.library") == "f8")
        assert '"app.library" = "f8"' in written()
        await journey.press("f8")
        await journey.until(lambda: journey.app.current_mode == "library")
        await go_to_settings(journey, "app.library")
        await journey.press("backspace")
        await journey.until(lambda: value_of(screen, "app.library") == "2")
        assert "app.library" not in written()
        assert [row.mark for row in screen.listing.rows if row.name == "app.library"] == [""]
        await journey.press("2")
        await journey.until(lambda: journey.app.current_mode == "library")


@pytest.mark.usefixtures("written")
async def test_what_the_environment_sets_comes_first(
    open_library: OpenHubsync, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value that is stored and cannot count says why."""
    monkeypatch.setenv("HUBSYNC_INSTALL__PREVIEWS", "true")
    hubsync = open_library(install__previews="true")
    async with start(hubsync, size=(120, 40)) as journey:
        await go_to_settings(journey, "install.previews")
        await journey.press("enter")
        assert (await journey.sees(SettingChanged)).stored.overruled
        await journey.until(lambda: "comes first" in journey.text)
    assert hubsync.settings.install.previews


@pytest.mark.usefixtures("written")
async def test_a_finding_leads_to_its_cure(open_library: OpenHubsync, start: Start) -> None:
    """The doctor's lines stand above the settings; enter on one opens the setting that helps."""
    async with start(open_library(civitai__api_key=""), size=(120, 40)) as journey:
        screen = await go_to_settings(journey)
        await journey.press("D")
        await journey.until(lambda: any(message.whole for message in journey.all(Examined)))
        row = screen.listing.row
        assert row is not None
        assert row.check is not None
        assert row.check.status != "ok"
        names = [entry.name for entry in screen.listing.rows]
        screen.listing.highlighted = names.index("civitai key")
        await journey.press("enter")
        box = journey.app.screen
        assert isinstance(box, Typing)
        assert box.query_one(Input).password


@pytest.mark.usefixtures("written")
async def test_another_screen_asks_for_a_setting(open_library: OpenHubsync, start: Start) -> None:
    """Whoever needs a setting leads to it, with its box open."""
    async with start(open_library()) as journey:
        journey.app.post_message(SettingRequested("checkpoint.sd1"))
        await journey.until(lambda: isinstance(journey.app.screen, Typing))
        assert journey.app.screen.query_one(Input).value == str(CHECKPOINT)
        await journey.press("escape")
        assert journey.app.current_mode == "settings"


@pytest.mark.usefixtures("written")
async def test_the_list_is_filtered(open_library: OpenHubsync, start: Start) -> None:
    """What a setting is for is found too."""
    async with start(open_library()) as journey:
        screen = await go_to_settings(journey)
        screen.box.value = "sampling steps"
        await journey.until(lambda: [row.name for row in screen.listing.rows] == ["render.steps"])


async def test_what_to_do_is_said_for_somebody_here(
    open_library: OpenHubsync, ground: Playground, start: Start
) -> None:
    """A finding's hint names a setting or a key, not a command."""
    del cast("dict[str, str]", ground.environ)["HUBSYNC_CHECKPOINT__SD1"]
    async with start(open_library(), size=(120, 40)) as journey:
        screen = await go_to_settings(journey)
        await journey.until(lambda: "checkpoints" in [row.name for row in screen.listing.rows])
        screen.listing.highlighted = [row.name for row in screen.listing.rows].index("checkpoints")
        await journey.until(lambda: "set checkpoint.sd1 in Settings (6)" in journey.text)
        assert "hubsync config" not in journey.text


async def test_a_lora_is_enough_to_be_no_newcomer(
    open_library: OpenHubsync, ground: Playground, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is set, one LoRA is installed: the first steps do not come up again."""
    install(open_library(), "civitai:1004")
    for name in ("HUBSYNC_ROOT", "HUBSYNC_CHECKPOINT__SD1", "CIVITAI_API_KEY", "HF_TOKEN"):
        monkeypatch.delitem(cast("dict[str, str]", ground.environ), name)
    async with start(open_library(huggingface__token="")) as journey:
        assert (await journey.sees(LibraryCounted)).count == 1
        await journey.rest()
        assert journey.all(StepsMissing) == []


def test_services_go_on_with_other_settings(open_library: OpenHubsync) -> None:
    """What is made after a change goes by it; the library stays."""
    hubsync: Hubsync = open_library()
    before, library = hubsync.triggers, hubsync.records
    hubsync.adopt(config.build({**config.flatten(hubsync.settings), "prompt.placement": "start"}))
    assert hubsync.triggers is not before
    assert hubsync.triggers.defaults.placement == "start"
    assert hubsync.records is library
