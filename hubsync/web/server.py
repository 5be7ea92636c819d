"""Serves the TUI: a hubsync of its own for each page that is open, which ends with the page.

Whoever reaches the TUI can install, move and delete files, and textual-serve asks nobody who they are. So every address
begins with a secret made at the start, and nothing else is answered: neither page nor websocket. Unlike a cookie, which
a browser sends to every port of a host, a secret in the address reaches no other program and no page of another site.
"""

from __future__ import annotations

import asyncio
import shlex
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from aiohttp import web
from textual_serve.server import Server

from hubsync.errors import NoPermission

PAGE = Path(__file__).parent / "page"
SECONDS_TO_END = 15.0
"""How long programs have to end in when the server does; one that takes longer ends when its output is closed."""

_HEADERS = {
    # Nothing from elsewhere is loaded or told where it was asked from: the address is the key.
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class BrowserServer(Server):
    """textual-serve's server with a page of our own, below a secret."""

    def __init__(self, arguments: Sequence[str]) -> None:
        super().__init__(f"exec {shlex.join(arguments)}", title="hubsync")
        self._sessions: set[asyncio.Task[Any]] = set()

    def application(self, secret: str) -> web.Application:
        """What is served, all of it below `/secret/`."""
        inner = web.Application()
        inner.add_routes(
            [
                web.get("/", self.handle_index),
                web.get("/ws", self.handle_websocket),
                web.get("/download/{key}", self.handle_download),
                web.static("/page", PAGE),
                web.static("/static", self.statics_path),
            ]
        )
        inner.on_response_prepare.append(_add_headers)
        inner.on_shutdown.append(self.on_shutdown)
        outer = web.Application()
        outer.add_subapp(f"/{secret}", inner)
        return outer

    async def handle_index(self, _: web.Request) -> web.FileResponse:
        """The page; its addresses are relative, so that it works behind any tunnel or proxy."""
        return web.FileResponse(PAGE / "index.html")

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Start a hubsync for this page; it ends with it."""
        session = asyncio.current_task()
        assert session is not None
        self._sessions.add(session)
        try:
            return await super().handle_websocket(request)
        finally:
            self._sessions.discard(session)

    async def on_shutdown(self, _: web.Application) -> None:
        """End every hubsync that still runs."""
        sessions = [*self._sessions]
        for session in sessions:
            session.cancel()
        if sessions:
            await asyncio.wait(sessions, timeout=SECONDS_TO_END)


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)


def listen(host: str, port: int) -> socket.socket:
    """A socket for that address; port 0 takes a free one.

    Raises:
        NoPermission: the address is in use, not this machine's, or not allowed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        why = str(error.strerror).partition(" (while")[0]  # the message below names the address
        raise NoPermission(f"{host}:{port} cannot be served: {why}", hint="--port 0 takes a free port") from error


def address(listener: socket.socket, secret: str) -> str:
    """The page's address, as a browser on this machine, or in its network, takes it."""
    host, port = listener.getsockname()[:2]
    shown = socket.gethostname() if host in {"0.0.0.0", "::"} else f"[{host}]" if ":" in host else host  # noqa: S104
    return f"http://{shown}:{port}/{secret}/"


def serve(arguments: Sequence[str], *, listener: socket.socket, secret: str, ready: Callable[[], object]) -> None:
    """Serve the program these arguments start until Ctrl-C or SIGTERM, which work from `ready` on."""
    application = BrowserServer(arguments).application(secret)
    stdout = sys.stdout

    async def tell(_: web.Application) -> None:
        with redirect_stdout(stdout):
            ready()

    application.on_startup.append(tell)
    with redirect_stdout(sys.stderr):  # textual-serve prints what a program that crashed said last
        web.run_app(application, sock=listener, print=None, access_log=None)
