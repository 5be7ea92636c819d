"""The app as a whole: keys, help, palette, themes, sizes, start."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from inspect import getmembers, isclass
from pkgutil import walk_packages
from typing import cast

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import hubsync.tui
from hubsync.sandbox.hub import Fault, FaultKind
from hubsync.sandbox.playground import Playground
from hubsync.services.triggers import Wish
from hubsync.tui.answers import Listed
from hubsync.tui.app import HubsyncApp
from hubsync.tui.messages import RenderRequested, StepsMissing
from hubsync.tui.screens.changing import Typing
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.screens.searching import Searched
from hubsync.tui.screens.settings import Examined
from hubsync.tui.screens.welcome import Welcome
from hubsync.tui.widgets.keyline import KeyLine
from hubsync.tui.widgets.masthead import MODES
from tests.tui.conftest import OpenHubsync, Start, install


def own_bindings() -> Iterator[tuple[str, Binding]]:
    """Every binding the TUI declares, with its class."""
    for module in walk_packages(hubsync.tui.__path__, "hubsync.tui."):
        for name, kind in getmembers(__import__(module.name, fromlist=["*"]), isclass):
            if kind.__module__ == module.name and issubclass(kind, DOMNode):
                for binding in vars(kind).get("BINDINGS", ()):
                    yield name, binding


def test_every_binding_can_be_remapped_and_explains_itself() -> None:
    """Each has an id of its own, a verb and a tooltip; none uses a key that plain terminals cannot tell apart."""
    bindings = [binding for _, binding in own_bindings()]
    ids = [binding.id for binding in bindings]
    assert len(bindings) > 20
    assert len(ids) == len(set(ids))
    assert [binding for binding in bindings if not (binding.id and binding.description and binding.tooltip)] == []
    keys = {key for binding in bindings for key in binding.key.split(",")}
    assert keys.isdisjoint({"ctrl+i", "ctrl+m", "ctrl+j", "ctrl+h"})


async def test_the_footer_is_short_and_fits(open_library: OpenHubsync, start: Start) -> None:
    """In each of the six modes: at most six keys, all of them inside 80 columns, and the palette has them all."""
    async with start(open_library()) as journey:
        for digit, mode in enumerate(MODES, start=1):
            await journey.press("escape", "escape", str(digit))
            await journey.until(lambda: journey.app.current_mode == mode)  # noqa: B023
            await journey.rest()
            line = journey.app.screen.query_one(KeyLine)
            labels = [active.binding.description for active in line.shown()]
            assert 2 <= len(labels) <= 6, mode
            assert all(f" {label} " in line.render().plain for label in (*labels, "palette")), mode
            titles = [command.title for command in journey.app.get_system_commands(journey.app.screen)]
            assert len(titles) == len(set(titles)), mode
            assert set(labels) <= set(titles), mode


async def test_help_lists_the_keys_that_work(open_library: OpenHubsync, start: Start) -> None:
    """? shows what the screen, its list and the app understand; esc closes it."""
    async with start(open_library(), size=(100, 60)) as journey:
        await journey.press("escape", "question_mark")
        assert isinstance(journey.app.screen, Dialog)
        for text in ("Check and install the highlighted LoRA", "Highlight the next row", "Leave hubsync", "↓ j"):
            assert text in journey.text
        await journey.press("escape")
        assert len(journey.app.screen_stack) == 1


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("1", {"Install", "Search", "Library", "Renders", "Doctor", "Help", "Quit", "Theme"}),
        ("2", {"Test render", "Prompt", "Discover", "Search"}),
        ("3", {"Write", "LoRAs", "Copy", "Save", "Open saved", "Library"}),
    ],
)
async def test_the_palette_holds_every_action(
    open_library: OpenHubsync, start: Start, mode: str, expected: set[str]
) -> None:
    """Whatever a key does can be found by its name, and says by which key."""
    hubsync = open_library()
    install(hubsync, "civitai:1004")
    async with start(hubsync) as journey:
        await journey.press("escape", mode)
        await journey.rest()
        commands = [*journey.app.get_system_commands(journey.app.screen)]
        titles = [command.title for command in commands]
        assert expected <= set(titles)
        assert len(titles) == len(set(titles))
        [leave] = [command.help for command in commands if command.title == "Quit"]
        assert leave == "^q · Leave hubsync"


async def test_the_palette_runs_an_action(open_library: OpenHubsync, start: Start) -> None:
    """From the search box, without any of the keys, the palette leads to the library."""
    async with start(open_library()) as journey:
        await journey.press("ctrl+p", *"library")
        await journey.until(lambda: "What is installed" in journey.text)
        await journey.press("enter")
        await journey.sees(Listed)
        assert journey.library.MODE == "library"


async def test_the_mouse_switches_modes(open_library: OpenHubsync, start: Start) -> None:
    """The modes in the top line are links."""
    async with start(open_library()) as journey:
        await journey.pilot.click("Masthead", offset=(25, 0))
        await journey.sees(Listed)
        assert journey.library.MODE == "library"
        await journey.pilot.click("Masthead", offset=(15, 0))
        await journey.until(lambda: len(journey.app.screen_stack) == 1 and journey.app.current_mode == "discover")


async def test_the_doctor_says_what_is_missing(open_library: OpenHubsync, ground: Playground, start: Start) -> None:
    """f2 looks at the set-up in Settings: what is well and what to do about the rest."""
    async with start(open_library(civitai__api_key="", network__retries="0"), size=(100, 40)) as journey:
        await journey.sees(Searched)
        ground.hub.switch(Fault(kind=FaultKind.STATUS, path="/api/models*", status=503))
        await journey.press("f2")
        await journey.until(lambda: any(message.whole for message in journey.all(Examined)))
        checks = journey.all(Examined)[-1].checks
        assert {check.status for check in checks} >= {"ok", "warning", "error"}
        assert journey.app.current_mode == "settings"
        await journey.until(lambda: "✗ Doctor       huggingface" in journey.text)


@pytest.mark.parametrize("theme", ["textual-light", "ansi-dark", "ansi-light", "no colour"])
async def test_every_mode_stands_in_every_light(
    open_library: OpenHubsync, start: Start, monkeypatch: pytest.MonkeyPatch, theme: str
) -> None:
    """Light, the terminal's own colours, and none: each of the six modes is drawn, with a sign for what is chosen."""
    if theme == "no colour":
        monkeypatch.setenv("NO_COLOR", "1")
    hubsync = open_library(ui__theme=theme)
    install(hubsync, "civitai:1004")
    async with start(hubsync) as journey:
        for digit, mode in enumerate(MODES, start=1):
            await journey.press("escape", "escape", str(digit))
            await journey.until(lambda: journey.app.current_mode == mode)  # noqa: B023
            await journey.rest()
            assert f"{digit} {mode.capitalize()}" in journey.text
        assert "▸" in journey.text


async def test_animations_are_off_where_the_user_says_so(
    open_library: OpenHubsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TEXTUAL_ANIMATIONS is Textual's own, and nothing here overrides it."""
    monkeypatch.setattr("textual.constants.TEXTUAL_ANIMATIONS", "none")
    assert HubsyncApp(open_library()).animation_level == "none"


async def test_whoever_has_nothing_is_led(
    open_library: OpenHubsync, ground: Playground, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without root, key and checkpoint the first start shows the steps; one key does a step, another puts it off."""
    for name in ("HUBSYNC_ROOT", "HUBSYNC_CHECKPOINT__SD1", "CIVITAI_API_KEY", "HF_TOKEN"):
        monkeypatch.delitem(cast("dict[str, str]", ground.environ), name)
    hubsync = open_library(huggingface__token="")
    async with start(hubsync) as journey:
        await journey.until(lambda: isinstance(journey.app.screen, Welcome))
        for text in ("Library folder", "Civitai key", "Checkpoint", "esc looks around first"):
            assert text in journey.text
        await journey.press("enter")
        await journey.until(lambda: isinstance(journey.app.screen, Typing))
        assert "civitai.api_key" in journey.text
    async with start(open_library()) as journey:
        await journey.until(lambda: isinstance(journey.app.screen, Welcome))
        await journey.press("escape", *"cat")
        assert journey.discover.box.value == "cat"


async def test_whoever_has_something_is_left_alone(open_library: OpenHubsync, start: Start) -> None:
    """One setting is enough to know that this is no newcomer."""
    async with start(open_library()) as journey:
        await journey.sees(Searched)
        await journey.rest()
        assert journey.all(StepsMissing) == []


async def test_a_render_without_a_checkpoint_leads_to_it_once(open_library: OpenHubsync, start: Start) -> None:
    """The first failure shows the step that is missing; the second is a line at the foot, as any other."""
    hubsync = open_library(checkpoint__sd1="")
    install(hubsync, "civitai:1004")
    async with start(hubsync) as journey:
        await journey.press("escape", "2")
        for _ in range(2):
            journey.app.post_message(RenderRequested([Wish(name="sks_frame")]))
            await journey.until(lambda: journey.app.jobs.all and not journey.app.jobs.running())
        await journey.until(lambda: isinstance(journey.app.screen, Welcome))
        await journey.press("enter")
        await journey.until(lambda: isinstance(journey.app.screen, Typing))
        assert "checkpoint.sd1" in journey.text
        assert len(journey.all(StepsMissing)) == 1


@pytest.mark.parametrize("theme", ["textual-light", "ansi-dark", "ansi-light", "nord"])
async def test_a_theme_is_chosen_by_setting(open_library: OpenHubsync, start: Start, theme: str) -> None:
    """Any of Textual's themes works; the highlighted row has a sign beside its colour."""
    async with start(open_library(ui__theme=theme)) as journey:
        await journey.sees(Searched)
        assert journey.app.theme == theme
        assert "▸" in journey.text


async def test_an_unknown_theme_does_no_harm(open_library: OpenHubsync, start: Start) -> None:
    """A theme nobody knows leaves the default."""
    async with start(open_library(ui__theme="no-such-theme")) as journey:
        assert journey.app.theme == "textual-dark"


async def test_no_color_is_honoured(open_library: OpenHubsync, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR every cell is grey."""
    monkeypatch.setenv("NO_COLOR", "1")
    hubsync = open_library()
    install(hubsync, "civitai:1004")
    async with start(hubsync) as journey:
        await journey.press("escape", "2")
        await journey.until(lambda: journey.library.detail.picture.image)
        colours = {
            colour.triplet
            for strip in journey.app.screen._compositor.render_strips()
            for segment in strip
            if segment.style
            for colour in (segment.style.color, segment.style.bgcolor)
            if colour and colour.triplet
        }
        assert colours
        assert all(len(set(triplet)) == 1 for triplet in colours)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (40, 12)])
async def test_every_size_has_list_and_details(open_library: OpenHubsync, start: Start, size: tuple[int, int]) -> None:
    """Both panes are visible and use the width; nothing is drawn outside."""
    async with start(open_library(), size=size) as journey:
        await journey.sees(Searched)
        listing, detail = journey.discover.listing.region, journey.discover.detail.region
        assert (listing.x, detail.right, listing.right) == (0, size[0], detail.x)
        assert min(listing.height, detail.height, listing.width, detail.width) >= 6


def test_nothing_heavy_is_loaded_before_the_first_paint() -> None:
    """Importing the app brings no HTTP client, no Pillow, no torch, and no screen that is not shown."""
    code = (
        "import sys, hubsync.tui.app; print(*sorted(set(sys.modules) & {'httpx2', 'PIL', 'torch', 'diffusers', "
        "'huggingface_hub', 'textual_image', 'hubsync.tui.screens.library', 'hubsync.services.render'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
