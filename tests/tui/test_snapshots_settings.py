"""What Settings looks like; see test_snapshots.py for how pictures are accepted."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.binding import Binding

from hubsync.sandbox.hub import SandboxHub
from hubsync.services.doctor import Check, DoctorService
from hubsync.tui.messages import StepsMissing
from hubsync.tui.screens.changing import Pressing, Typing
from hubsync.tui.screens.settings import SettingsScreen
from hubsync.tui.screens.welcome import Welcome
from tests.tui.conftest import Journey, OpenHubsync, SameAs, Start

FOUND = (
    Check(name="python", status="ok", message="3.13.1 at /usr/bin/python3"),
    Check(name="configuration", status="ok", message="/home/mona/.config/hubsync.toml"),
    Check(name="library", status="ok", message="LoRAs go to /home/mona/hubsync/models/Lora"),
    Check(
        name="renderer",
        status="warning",
        message="not installed: torch, diffusers",
        hint='for test renders: pip install "hubsync[render]"',
    ),
    Check(name="device", status="ok", message="NVIDIA's driver is here"),
    Check(
        name="checkpoints",
        status="warning",
        message="none: test renders need one",
        hint="hubsync config set checkpoint.sd1 PATH (a .safetensors checkpoint or a diffusers folder)",
    ),
)
"""What takes no hub, as on no machine in particular."""

SET = {"root": "~/hubsync", "checkpoint__sd1": "", "huggingface__token": ""}
"""Values that are the same on every machine; of the two keys one is set, as in every playground."""

ACTIONS = [
    Binding("r", "render", "Test render", id="library.render", tooltip="Draw with and without them, now"),
    Binding("v", "verify", "Verify", id="library.verify", tooltip="Hash the files again and compare"),
    Binding("ctrl+q", "quit", "Quit", id="app.quit", tooltip="Leave hubsync"),
]
"""A key map that no screen's new action changes."""

HUBS = (
    Check(
        name="civitai key",
        status="error",
        message="civitai.com does not accept the key that was sent",
        hint="create a key at https://civitai.com/user/account, then `hubsync config set civitai.api_key KEY`",
    ),
    Check(name="huggingface key", status="ok", message="none: gated and private repositories only want one"),
    Check(
        name="civitai",
        status="error",
        message="civitai.com did not answer in time",
        hint="check the network; `hubsync doctor` tries every hub",
    ),
    Check(name="huggingface", status="ok", message="answers"),
)


@pytest.fixture(autouse=True)
def of_no_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The doctor finds the same everywhere, and nobody's configuration file is written."""
    monkeypatch.setattr(DoctorService, "local", lambda _: list(FOUND))
    monkeypatch.setattr(DoctorService, "run", lambda _: [*FOUND, *HUBS])
    monkeypatch.setattr("hubsync.tui.screens.settings.actions", lambda: ACTIONS)
    monkeypatch.setenv("HUBSYNC_CONFIG", str(tmp_path / "hubsync.toml"))
    monkeypatch.setenv("CIVITAI_API_KEY", SandboxHub.KEY)


async def go_to(journey: Journey, name: str, *, among: str = "") -> None:
    """To the line of that name in the sixth mode, the list narrowed to a text."""
    await journey.press("escape", "6")
    journey.browse.box.value = among
    await journey.rest()
    screen = journey.app.screen
    assert isinstance(screen, SettingsScreen)
    screen.listing.highlighted = [row.name for row in screen.listing.rows].index(name)
    await journey.rest()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_setting(open_library: OpenHubsync, start: Start, same_as: SameAs, size: tuple[int, int]) -> None:
    """A key that is set, unseen, among others that are not; what it is for and where it comes from."""
    async with start(open_library(**SET), size=size) as journey:
        await go_to(journey, "civitai.api_key")
        same_as(journey, f"settings-{size[0]}x{size[1]}")


async def test_what_the_doctor_says(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """120x40 in light colours: a hub refuses the key; beside the findings what to do and where enter leads."""
    async with start(open_library(**SET, ui__theme="textual-light"), size=(120, 40)) as journey:
        await journey.press("escape", "f2")
        await journey.rest()
        await journey.press(*"jjj")
        await journey.rest()
        same_as(journey, "settings-doctor-light-120x40")


async def test_changes(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24 in the terminal's own colours: a secret is typed unseen; another key is pressed for an action."""
    async with start(open_library(**SET, ui__theme="ansi-dark")) as journey:
        await go_to(journey, "huggingface.token")
        await journey.press("enter")
        assert isinstance(journey.app.screen, Typing)
        await journey.press(*"secret")
        await journey.rest()
        same_as(journey, "settings-secret-ansi-80x24")
        await journey.press("escape")
        await go_to(journey, "library.render", among="library.")
        await journey.press("enter")
        assert isinstance(journey.app.screen, Pressing)
        await journey.rest()
        same_as(journey, "settings-key-ansi-80x24")


async def test_the_first_steps_on_a_large_terminal(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """120x40: what a newcomer sets up, with what helps in the words of this place."""
    async with start(open_library(**SET), size=(120, 40)) as journey:
        await journey.rest()
        journey.app.post_message(StepsMissing((FOUND[2], HUBS[0], *FOUND[3:]), "Welcome to hubsync", "checkpoints"))
        await journey.until(lambda: isinstance(journey.app.screen, Welcome))
        await journey.rest()
        same_as(journey, "welcome-120x40")
