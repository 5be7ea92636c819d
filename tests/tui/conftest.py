"""The TUI on a real library and the sandbox hubs, driven by keys; and pictures of it, kept as SVG files."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeVar

import pytest
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input

from hubsync import config
from hubsync.domain import Lora
from hubsync.limiter import Limiter
from hubsync.roots import find_root
from hubsync.sandbox.playground import Playground, playground
from hubsync.services.app import Hubsync
from hubsync.tui.app import HubsyncApp
from hubsync.tui.screens.browse import Browse
from hubsync.tui.screens.discover import Discover
from hubsync.tui.screens.library import Library
from hubsync.tui.screens.searching import Searched

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
RENDERER = (sys.executable, str(Path(__file__).with_name("scripted_renderer.py")))
SNAPSHOTS = Path(__file__).with_name("snapshots")
ACCEPT = bool(os.environ.get("ACCEPT_SNAPSHOTS"))

Kind = TypeVar("Kind", bound=Message)


@pytest.fixture(autouse=True)
def quick_and_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for a pause in typing; `~` is the test's own folder, so that paths on screen are always the same."""
    monkeypatch.setattr("hubsync.tui.screens.browse.SETTLE_SECONDS", 0.001)
    monkeypatch.setattr("hubsync.tui.screens.searching.TYPING_SECONDS", 0.001)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Playground]:
    """Both sandbox hubs and an empty library."""
    with playground(tmp_path / "hubsync") as ground:
        yield ground


OpenHubsync = Callable[..., Hubsync]


@pytest.fixture
def open_library(ground: Playground) -> Iterator[OpenHubsync]:
    """Makes the services, with settings changed as wished; all are closed at the end."""
    opened: list[Hubsync] = []

    def make(*, renderer: Sequence[str] = RENDERER, limiter: Limiter | None = None, **settings: str) -> Hubsync:
        options = {key.replace("__", "."): value for key, value in settings.items()}
        loaded = config.load(environ=ground.environ, options=options)
        root = find_root(loaded, cwd=ground.root, home=ground.root)
        opened.append(Hubsync(loaded, root, renderer=renderer, now=lambda: NOW, limiter=limiter))
        return opened[-1]

    yield make
    for hubsync in opened:
        hubsync.close()


def install(hubsync: Hubsync, *references: str) -> None:
    """Install without the TUI."""
    plans = hubsync.install.plan(references)
    results = hubsync.install.run(plans, sink=lambda event: event, cancel=threading.Event())
    assert [result.error for result in results] == [None] * len(references)


@dataclass
class Journey:
    """A user at the keyboard, and everything that happened."""

    app: HubsyncApp
    pilot: Pilot[None]
    seen: list[Message] = field(default_factory=list)

    async def press(self, *keys: str) -> None:
        """Type keys."""
        await self.pilot.press(*keys)

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the app work until something is true, a minute at most."""
        try:
            async with asyncio.timeout(60):
                while not condition():
                    await self.pilot.pause(0.01)
        except TimeoutError:
            pytest.fail(f"it never came true; the screen:\n{self.text}")
        await self.pilot.pause()

    async def sees(self, kind: type[Kind], times: int = 1) -> Kind:
        """Wait for a message that was handled so often, and give the last one."""
        await self.until(lambda: len(self.all(kind)) >= times)
        return self.all(kind)[-1]

    def all(self, kind: type[Kind]) -> list[Kind]:
        """Messages of a kind so far."""
        found = [message for message in self.seen if isinstance(message, kind)]
        return list({id(message): message for message in found}.values())

    async def find(self, text: str, name: str) -> Lora:
        """Search, and go to the row of that name."""
        await self.press(*text)
        await self.until(lambda: any(message.query.text == text for message in self.all(Searched)))
        await self.press("down")
        await self.until(lambda: name in [row.name for row in self.discover.listing.rows])
        while (row := self.discover.listing.row) and row.name != name:
            await self.press("j")
        assert row
        return row

    async def rest(self) -> None:
        """Wait until nothing is asked any more, so that a picture of the screen is always the same."""
        async with asyncio.timeout(60):
            while True:
                await self.pilot.pause(0.02)
                if not [worker for worker in self.app.workers if not worker.is_finished]:
                    break
        await self.pilot.pause(0.05)

    @property
    def browse(self) -> Browse[object]:
        """The mode's own screen."""
        assert isinstance(self.app.screen, Browse)
        return self.app.screen

    @property
    def library(self) -> Library:
        """The second mode's screen."""
        assert isinstance(self.app.screen, Library)
        return self.app.screen

    @property
    def discover(self) -> Discover:
        """The first mode's screen."""
        assert isinstance(self.app.screen, Discover)
        return self.app.screen

    @property
    def text(self) -> str:
        """What the terminal shows."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text for strip in strips)


class Start(Protocol):
    """Opens the TUI."""

    def __call__(self, hubsync: Hubsync, *, size: tuple[int, int] = (80, 24)) -> AbstractAsyncContextManager[Journey]:
        """For as long as the block lasts."""


@pytest.fixture
def start() -> Start:
    """The TUI without a terminal."""

    @asynccontextmanager
    async def open_tui(hubsync: Hubsync, *, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Journey]:
        app = HubsyncApp(hubsync)
        app.animation_level = "none"
        seen: list[Message] = []
        async with app.run_test(size=size, message_hook=seen.append) as pilot:
            yield Journey(app, pilot, seen)
        app.threads.shutdown()  # a request under way must not outlive its client
        app.downloading.shutdown()

    return open_tui


class SameAs(Protocol):
    """Compares the screen with the picture of that name."""

    def __call__(self, journey: Journey, name: str) -> None:
        """Fails where they differ, and says where both pictures are."""


@pytest.fixture
def same_as(tmp_path: Path) -> SameAs:
    """Pictures in `snapshots/`; with ACCEPT_SNAPSHOTS=1 they are written instead of compared."""

    def compare(journey: Journey, name: str) -> None:
        for box in journey.app.screen.query(Input):
            box.cursor_blink = False
        drawn = _still(journey.app.export_screenshot(title=name))
        expected = SNAPSHOTS / f"{name}.svg"
        if ACCEPT:
            assert "PYTEST_XDIST_WORKER" not in os.environ, "accept pictures in one process"
            SNAPSHOTS.mkdir(exist_ok=True)
            expected.write_text(drawn, "utf-8")
        actual = tmp_path / f"{name}.svg"
        actual.write_text(drawn, "utf-8")
        known = expected.read_text("utf-8") if expected.exists() else ""
        assert drawn == known, f"the screen changed: see {actual}, expected {expected}"

    return compare


def _still(svg: str) -> str:
    """The picture without what differs from run to run: Rich's random class names and the sandbox's ports."""
    return re.sub(r"127\.0\.0\.1:\d{5}", "127.0.0.1:00000", re.sub(r"terminal-\d+", "terminal", svg))
