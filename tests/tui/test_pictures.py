"""Pictures fetched from a hub that hangs: few at a time, and the one wanted last is shown."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from hubsync.errors import Unreachable
from hubsync.tui.widgets.picture import MOST_FETCHES, Picture


class OnePicture(App[None]):
    """Room for one picture."""

    def compose(self) -> ComposeResult:
        """The picture alone."""
        yield Picture(graphics=None)

    @property
    def picture(self) -> Picture:
        """The picture."""
        return self.query_one(Picture)


class SlowHub:
    """Brings pictures of one colour each, none before it is told to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.asked: list[int] = []
        self.answers = threading.Event()

    def fetch(self, red: int) -> Callable[[], Path]:
        """What brings the picture of that red; there is none of red 0."""

        def path() -> Path:
            self.asked.append(red)
            assert self.answers.wait(60)
            if not red:
                raise Unreachable("the hub is gone")
            file = self._folder / f"{red}.png"
            Image.new("RGB", (8, 8), (red, 0, 0)).save(file)
            return file

        return path


@pytest.fixture
def hub(tmp_path: Path) -> SlowHub:
    """A hub that hangs."""
    return SlowHub(tmp_path)


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Let the app work until something is true."""
    for _ in range(6000):
        if condition():
            return
        await pilot.pause(0.01)
    pytest.fail("it never came true")


async def test_few_fetches_run_and_the_newest_wins(hub: SlowHub) -> None:
    """Of pictures passed by while all turns are taken only the last one is ever asked for, and it is shown."""
    app = OnePicture()
    async with app.run_test() as pilot:
        for red in range(1, 40):
            app.picture.show(str(red), hub.fetch(red))
        await until(pilot, lambda: len(hub.asked) == MOST_FETCHES)
        hub.answers.set()
        await until(pilot, lambda: app.picture.image)
        await pilot.pause()
        assert sorted(hub.asked) == [1, 2, 3, 4, 39]
        assert app.picture.image is not None
        assert app.picture.image.getpixel((0, 0)) == (39, 0, 0)


async def test_what_waits_is_dropped_with_its_room(hub: SlowHub) -> None:
    """A picture nobody waits for any more is not asked for when its turn comes."""
    app = OnePicture()
    async with app.run_test() as pilot:
        for red in range(1, 10):
            app.picture.show(str(red), hub.fetch(red))
        app.picture.hide()
        await until(pilot, lambda: len(hub.asked) == MOST_FETCHES)
        hub.answers.set()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert (sorted(hub.asked), app.picture.display) == ([1, 2, 3, 4], False)


async def test_a_fetch_that_fails_makes_room_too(hub: SlowHub) -> None:
    """Refusals of pictures passed by take nothing away from the one that is wanted, and end their turn."""
    app = OnePicture()
    async with app.run_test() as pilot:
        for index in range(2 * MOST_FETCHES):
            app.picture.show(f"gone {index}", hub.fetch(0))
        app.picture.show("here", hub.fetch(7))
        hub.answers.set()
        await until(pilot, lambda: app.picture.image)
        assert hub.asked.count(0) == MOST_FETCHES
        assert app.picture.display
