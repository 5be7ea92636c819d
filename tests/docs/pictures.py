"""Draws docs/pictures in the sandbox: the six screens as SVG, and contact sheets. `make pictures`.

Real hubs on loopback, real LoRAs, the real small checkpoint: what a reader sees is what hubsync does.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

from hubsync import config
from hubsync.sandbox.playground import Playground, playground
from hubsync.services.app import Hubsync
from hubsync.services.opening import open_hubsync
from hubsync.tui.app import HubsyncApp
from hubsync.tui.screens.comparison import ComparisonScreen

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
SIZE = (120, 40)
LARGEST = 150_000
"""Bytes of a picture that loads at once wherever the page is read."""

_NOT_SHOWN = (tempfile.gettempdir(), "/".join(PICTURES.parts[:2]).replace("//", "/"))
_LORAS = ("civitai:1001", "civitai:1002", "civitai:1005", "hf:sandbox/ohwx-lora")


@dataclass(frozen=True)
class Photographer:
    """Drives the app, and keeps pictures of it."""

    app: HubsyncApp
    pilot: Pilot[None]

    async def press(self, *keys: str) -> None:
        """Press keys, and wait until nothing is asked any more."""
        await self.pilot.press(*keys)
        await self.rest()

    async def rest(self) -> None:
        """Wait until no question is open; jobs may run."""
        async with asyncio.timeout(120):
            while [worker for worker in self.app.workers if not worker.is_finished] or self.app.jobs.running():
                await self.pilot.pause(0.05)
        await self.pilot.pause(0.5)  # what rests is described a moment later

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for something, two minutes at most."""
        async with asyncio.timeout(120):
            while not condition():
                await self.pilot.pause(0.05)
        await self.rest()

    def take(self, name: str) -> None:
        """Write the screen as it stands."""
        for box in self.app.screen.query(Input):
            box.cursor_blink = False
        drawn = small(self.app.export_screenshot(title="hubsync"))
        drawn = re.sub(r"127\.0\.0\.1:\d{5}", "127.0.0.1:00000", drawn)
        keep(PICTURES / f"tui-{name}.svg", drawn.encode())


def small(svg: str) -> str:
    """Rich's picture with short names, one rule for all its boxes, and no font from elsewhere: a third less."""
    svg = re.sub(r"terminal-\d+-", "t-", svg).replace(' shape-rendering="crispEdges"', "")
    svg = re.sub(r",\s+url\([^;]*;", ";", svg)
    return svg.replace("<style>", "<style>\n    rect { shape-rendering: crispEdges }", 1)


def keep(path: Path, content: bytes) -> None:
    """Write one picture, unless it is large or shows where it was made."""
    assert not any(place.encode() in content for place in _NOT_SHOWN), path.name
    assert len(content) < LARGEST, f"{path.name} has {len(content):,} bytes"
    path.write_bytes(content)
    print(path)


async def six_screens(hubsync: Hubsync) -> None:
    """A walk through the modes, as a user would take it."""
    app = HubsyncApp(hubsync)
    app.animation_level = "none"
    async with app.run_test(size=SIZE) as pilot:
        user = Photographer(app, pilot)
        await user.rest()
        await user.press(*"frame")
        await user.press("enter")
        user.take("discover")
        await user.press("i")
        user.take("preflight")
        await user.press("enter")
        await user.press("2")
        await user.press("G")
        user.take("library")
        await user.press("r")
        await user.until(lambda: isinstance(app.screen, ComparisonScreen))
        await user.press("escape", "2")
        await user.press("p")
        await user.press("slash", *"a large blue ring on a yellow background")
        user.take("prompt")
        await user.press("escape", "4")
        await user.press("j", "j")
        user.take("renders")
        await user.press("5")
        user.take("activity")
        await user.press("6")
        await user.press("slash", *"render.")
        user.take("settings")
    app.threads.shutdown()
    app.downloading.shutdown()


def contact_sheet(ground: Playground, name: str, *arguments: str) -> None:
    """The sheet of one test."""
    run(ground, "render", *arguments)
    sheet = max(ground.root.glob(".hubsync/renders/*/sheet.png"), key=lambda path: path.stat().st_mtime_ns)
    keep(PICTURES / f"{name}.png", sheet.read_bytes())


def run(ground: Playground, *arguments: str) -> None:
    """One command."""
    subprocess.run([sys.executable, "-m", "hubsync", *arguments], env={**ground.environ}, check=True)


def main() -> None:
    """Draw all of them."""
    with tempfile.TemporaryDirectory(prefix="hubsync-pictures-") as home:
        os.environ["HOME"] = home  # so that paths are short, and the same each time
        with playground(Path(home) / "hubsync") as ground:
            run(ground, "install", *_LORAS)
            sweep = ("--weights", "-1,-0.5,0,0.5,1", "--seeds", "1,2")
            contact_sheet(ground, "render-sweep", "add_saturation", *sweep)
            contact_sheet(ground, "render-outfits", "mona_outfits::all")
            with open_hubsync(config.load(environ=ground.environ)) as hubsync:
                asyncio.run(six_screens(hubsync))
            contact_sheet(ground, "render-words", "sks_frame", "--seeds", "1,2")


if __name__ == "__main__":
    main()
