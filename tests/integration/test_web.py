"""The TUI in a browser: a server of its own process, talked to as a browser talks to it."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
from typing import Any

import pytest

from hubsync.sandbox.hub import Fault, FaultKind
from hubsync.sandbox.playground import Playground
from tests.integration.conftest import CommandLine
from tests.integration.served import serving

aiohttp = pytest.importorskip("aiohttp", reason="the web extra is not installed")
pytest.importorskip("textual_serve", reason="the web extra is not installed")

WITHOUT_IT = """
import sys
sys.modules["textual_serve"] = None
from hubsync.cli.main import main
sys.argv = ["hubsync", "web", "--json"]
main()
"""


async def _sees(socket: Any, text: str) -> None:
    """Wait until something is drawn."""
    drawn = ""
    async with asyncio.timeout(60):
        while text not in drawn:
            message = await socket.receive()
            assert message.type is aiohttp.WSMsgType.BINARY, f"{message} after {drawn[-2000:]}"
            drawn += message.data.decode("utf-8", "replace")


async def test_the_tui_answers_a_page(ground: Playground) -> None:
    """A page gets the page, its script and, through its websocket, the same screens as a terminal; keys work."""
    with serving(ground) as served:
        async with aiohttp.ClientSession() as browser:
            async with browser.get(served.url) as page:
                assert page.status == 200
                assert 'data-session-websocket-url="ws"' in await page.text()
                assert "default-src 'self'" in page.headers["Content-Security-Policy"]
                assert page.headers["Referrer-Policy"] == "no-referrer"
            for file in ("static/js/textual.js", "static/css/xterm.css", "page/page.js", "page/page.css"):
                async with browser.get(served.url + file) as answer:
                    assert answer.status == 200
            async with browser.ws_connect(f"{served.url}ws?width=120&height=40") as socket:
                await _sees(socket, "Search both hubs")
                await socket.send_json(["stdin", "no such lora"])
                await _sees(socket, "Nothing found for")
        assert served.stop()[0] == 0


async def test_nothing_without_the_secret(ground: Playground) -> None:
    """Neither page nor files nor websocket are served below any other address, and the secret is new each time."""
    with serving(ground) as served, serving(ground) as another:
        assert len(served.secret) >= 32
        assert served.secret != another.secret
        wrong = (f"{served.origin}/{another.secret}/", f"{served.origin}/{served.secret[:-1]}/", f"{served.origin}/")
        async with aiohttp.ClientSession() as stranger:
            for place in wrong:
                for file in ("", "ws", "static/js/textual.js", "page/page.js", "download/1"):
                    async with stranger.get(place + file) as answer:
                        assert answer.status == 404, place + file
                with pytest.raises(aiohttp.WSServerHandshakeError, match="404"):
                    await stranger.ws_connect(f"{place}ws?width=80&height=24")


def test_other_hosts_are_refused_unless_told(ground: Playground) -> None:
    """It listens on one loopback address only; with --host elsewhere too, and says what that means."""
    with serving(ground) as served:
        port = int(served.origin.rpartition(":")[2])
        with pytest.raises(OSError, match=r"refused|unreachable"):
            socket.create_connection(("127.0.0.2", port), timeout=10)
        assert "warning" not in served.stop()[1]
    with serving(ground, "--host", "0.0.0.0") as served:
        port = int(served.origin.rpartition(":")[2])
        if sys.platform == "linux":  # where all of 127.0.0.0/8 is this machine
            socket.create_connection(("127.0.0.2", port), timeout=10).close()
        assert "warning: this is served beyond this machine" in served.stop()[1]


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux's handles of processes")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_every_session_ends_with_the_server(ground: Playground, ending: signal.Signals) -> None:
    """The programs of open pages end with the server, also where it was killed and cannot tell them."""
    with serving(ground) as served:
        async with aiohttp.ClientSession() as browser, browser.ws_connect(f"{served.url}ws") as socket:
            await _sees(socket, "Discover")
            handles = [os.pidfd_open(child) for child in served.children()]
            assert len(handles) == 1
            assert served.stop(ending)[0] == (-ending if ending is signal.SIGKILL else 0)
        assert select.select(handles, [], [], 60)[0] == handles
        for handle in handles:
            os.close(handle)


async def test_a_closed_page_ends_its_session(ground: Playground) -> None:
    """Closing a page ends its program; the server goes on."""
    with serving(ground) as served:
        async with aiohttp.ClientSession() as browser:
            for _ in range(2):
                async with browser.ws_connect(f"{served.url}ws") as socket:
                    await _sees(socket, "Discover")
        assert served.stop()[0] == 0


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux's handles of processes")
async def test_a_closed_page_stops_its_downloads(ground: Playground, hubsync: CommandLine) -> None:
    """A download does not outlive its page, and can be gone on with: what came of it stays."""
    ground.hub.switch(Fault(kind=FaultKind.THROTTLE, rate=5_000))  # half a minute for the whole file
    with serving(ground) as served:
        async with aiohttp.ClientSession() as browser, browser.ws_connect(f"{served.url}ws") as socket:
            await _sees(socket, "Add Detail")
            [child] = served.children()
            ended = os.pidfd_open(child)
            for keys, answer in (("\x1b[B", "Install"), ("i", "enter installs"), ("\r", "━")):
                await socket.send_json(["stdin", keys])
                await _sees(socket, answer)
        assert select.select([ended], [], [], 60)[0] == [ended]
        os.close(ended)
    [waiting] = hubsync("downloads", "--json").json["items"]
    assert (waiting["name"], waiting["state"]) == ("add_detail", "interrupted")
    assert 0 < waiting["done"] < waiting["size"]


def test_it_says_what_is_missing() -> None:
    """Without the extra: exit 8, and the command that installs it."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_IT], capture_output=True, text=True, check=False)
    assert done.returncode == 8
    assert '"code": "web_missing"' in done.stdout
    assert "hint: pip install 'hubsync[web]'" in done.stderr


def test_a_port_in_use_and_bad_settings_are_told_at_once(hubsync: CommandLine) -> None:
    """Exit 8 with the next step; exit 2 for settings, before a page is opened that could not show it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = hubsync("web", "--port", str(taken.getsockname()[1]))
    assert answer.exit == 8
    assert "Address already in use" in answer.stderr
    assert "--port 0" in answer.stderr
    assert hubsync("web", "--port", "0", environ={"HUBSYNC_NETWORK__RETRIES": "many"}).exit == 2
