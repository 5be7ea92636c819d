"""The TUI in a real browser: `hubsync web` opened in headless Chromium, driven by its keys, read off its terminal."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import itertools
import os
import select
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hubsync.sandbox.playground import DATA, Playground
from tests.integration.conftest import CommandLine
from tests.integration.served import Served, serving

aiohttp = pytest.importorskip("aiohttp", reason="the web extra is not installed")
pytest.importorskip("textual_serve", reason="the web extra is not installed")

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
SECONDS = 60

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux's handles of processes"),
]

ENTER = {"key": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
DOWN = {"key": "ArrowDown", "windowsVirtualKeyCode": 40}
CTRL_Q = {"key": "q", "windowsVirtualKeyCode": 81, "modifiers": 2}

# textual.js keeps its terminal to itself; the first property it sets once it has one leads to it.
FIND_TERMINAL = """
globalThis.found = new Promise(resolve => Object.defineProperty(Object.prototype, "fitAddon", {
  set(addon) {
    Object.defineProperty(this, "fitAddon", { value: addon });
    globalThis.read = () => Array.from({ length: this.terminal.rows },
      (_, row) => this.terminal.buffer.active.getLine(row).translateToString()).join("\\n");
    resolve(this.terminal);
  },
}));
"""
UNTIL = """
found.then(terminal => new Promise(resolve => {
  const look = () => read().includes(%a) && resolve();
  terminal.onWriteParsed(look);
  look();
}))
"""
UNTIL_ENDED = """
new Promise(resolve => {
  const look = () => document.body.classList.contains("-closed") && resolve(document.body.innerText);
  new MutationObserver(look).observe(document.body, { attributes: true });
  look();
})
"""


class Tab:
    """A tab of the browser, spoken to in its DevTools protocol."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._numbers = itertools.count()

    async def call(self, method: str, **parameters: object) -> Any:
        """Ask one thing, a minute at most; what is told meanwhile is passed over."""
        number = next(self._numbers)
        async with asyncio.timeout(SECONDS):
            await self._socket.send_json({"id": number, "method": method, "params": parameters})
            while (answer := await self._socket.receive_json()).get("id") != number:
                pass
        assert "error" not in answer, f"{method}: {answer}"
        return answer["result"]

    async def run(self, script: str) -> Any:
        """Run some JavaScript in the page and wait for what it promises; what came of it."""
        done = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    async def open(self, url: str) -> None:
        """Go to a page."""
        await self.call("Page.navigate", url=url)

    async def until(self, text: str) -> None:
        """Wait until the page's terminal shows something."""
        try:
            await self.run(UNTIL % text)
        except TimeoutError:
            pytest.fail(f"{text!r} was never shown, but\n{await self.run('read()')}")

    async def press(self, **key: object) -> None:
        """Press a key and let it go."""
        await self.call("Input.dispatchKeyEvent", type="keyDown", **key)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **key)

    async def write(self, text: str) -> None:
        """Press letters."""
        for letter in text:
            await self.press(key=letter, text=letter)

    async def screenshot(self) -> bytes:
        """What a person sees, as a PNG."""
        return base64.b64decode((await self.call("Page.captureScreenshot"))["data"])


@asynccontextmanager
async def _chromium(profile: Path) -> AsyncIterator[Tab]:
    assert CHROMIUM
    process = await asyncio.create_subprocess_exec(
        CHROMIUM,
        "--headless=new",
        "--no-sandbox",  # root cannot start it otherwise
        "--disable-dev-shm-usage",  # in a container /dev/shm is often too small, 64 MB
        "--remote-debugging-port=0",
        "--window-size=1280,800",
        f"--user-data-dir={profile}",
        stdout=DEVNULL,
        stderr=PIPE,
    )
    assert process.stderr
    try:
        async with asyncio.timeout(SECONDS):
            said = await process.stderr.readuntil(b"/devtools/")
        address = said.rpartition(b"ws://")[2].removesuffix(b"/devtools/").decode()
        async with aiohttp.ClientSession() as client:
            async with client.put(f"http://{address}/json/new") as answer:
                made = await answer.json()
            async with client.ws_connect(made["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                tab = Tab(socket)
                await tab.call("Page.enable")
                await tab.call("Emulation.setFocusEmulationEnabled", enabled=True)  # as a tab in front is
                await tab.call("Page.addScriptToEvaluateOnNewDocument", source=FIND_TERMINAL)
                yield tab
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


Chromium = Callable[[], AbstractAsyncContextManager[Tab]]


@pytest.fixture
def chromium(tmp_path: Path) -> Chromium:
    """Starts a browser with one empty tab; it ends with the block."""
    return lambda: _chromium(tmp_path / "profile")


async def test_from_search_to_words(
    ground: Playground, hubsync: CommandLine, chromium: Chromium, tmp_path: Path
) -> None:
    """Keys in a page find a LoRA, install it and show its words; the file on disk is the hub's."""
    with serving(ground) as served:
        async with chromium() as tab:
            await tab.open(served.url)
            await tab.until("Add Detail")
            await tab.until("↓ Results")  # the box has the focus
            await tab.write("sks")
            await tab.until("3 found")
            await tab.press(**DOWN)
            await tab.until("i Install")
            await tab.write("i")
            await tab.until("enter installs")
            await tab.press(**ENTER)
            await tab.until("✓ sks_frame is installed")
            await tab.write("2")
            await tab.until("● sks")
            await tab.until("▀")  # its preview
            screenshot = await tab.screenshot()
        assert served.stop()[0] == 0
    (tmp_path / "page.png").write_bytes(screenshot)
    colours = Image.open(io.BytesIO(screenshot)).convert("RGB").getcolors(1 << 24)
    assert len(colours or ()) > 100  # a page that draws nothing has one
    installed = hubsync("info", "sks_frame", "--json").json
    assert installed["trigger_words"] == [["sks"]]
    assert installed["sha256"] == _sha256(Path(installed["path"])) == _sha256(DATA / "loras" / "sks_frame.safetensors")


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


async def test_a_wrong_address_shows_nothing(ground: Playground, chromium: Chromium) -> None:
    """A page whose secret is wrong has no terminal and starts no program; the right one in the same tab does."""
    with serving(ground) as served:
        async with chromium() as tab:
            await tab.open(f"{served.origin}/{served.secret[::-1]}/")
            assert await tab.run("performance.getEntriesByType('navigation')[0].responseStatus") == 404
            assert await tab.run("document.querySelector('.textual-terminal')") is None
            assert served.children() == []
            await tab.open(served.url)
            await tab.until("Add Detail")
            assert len(served.children()) == 1
        assert served.stop()[0] == 0


@contextmanager
def _program(served: Served) -> Iterator[int]:
    """Linux's handle of the one hubsync that is behind a page: can be read once it has ended."""
    [child] = served.children()
    handle = os.pidfd_open(child)
    try:
        yield handle
    finally:
        os.close(handle)


async def test_a_closed_tab_ends_its_program(ground: Playground, chromium: Chromium) -> None:
    """The hubsync behind a tab ends when the tab is closed."""
    with serving(ground) as served:
        async with chromium() as tab:
            await tab.open(served.url)
            await tab.until("Add Detail")
            with _program(served) as program:
                await tab.call("Page.close")
                assert select.select([program], [], [], SECONDS)[0] == [program]
        assert served.stop()[0] == 0


async def test_leaving_is_told_in_the_page(ground: Playground, chromium: Chromium) -> None:
    """After ctrl+q the page says that this is over, and offers to start again."""
    with serving(ground) as served:
        async with chromium() as tab:
            await tab.open(served.url)
            await tab.until("Add Detail")
            with _program(served) as program:
                await tab.press(**CTRL_Q)
                said = await tab.run(UNTIL_ENDED)
                assert "This session has ended" in said
                assert "Start again" in said
                assert select.select([program], [], [], SECONDS)[0] == [program]
        assert served.stop()[0] == 0
