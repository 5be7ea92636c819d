"""`web`."""

from __future__ import annotations

import importlib.util
import secrets
import sys

import click

from hubsync.cli import output
from hubsync.cli.common import Call, examples, pass_call
from hubsync.cli.diagnostics import say
from hubsync.errors import WebMissing

_WARNING = (
    "warning: this is served beyond this machine, unencrypted: whoever has the address can install, move and delete "
    "files as you; without --host, `ssh -L {port}:localhost:{port} THIS-MACHINE` brings it to your own machine alone"
)


@click.command(
    "web",
    epilog=examples(
        "hubsync web --open                      # in this machine's browser",
        "hubsync web --port 0                    # on a free port",
        "ssh -L 8000:localhost:8000 my-gpu-box   # elsewhere; then open here the address printed there",
    ),
)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to be reached.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, metavar="N", help="0: a free one."
)
@click.option("--open", "opens", is_flag=True, help="Open it in the browser of this machine.")
@pass_call
def web_command(call: Call, host: str, port: int, opens: bool) -> None:  # noqa: FBT001
    """Serve the TUI to a browser on this machine, until Ctrl-C.

    The address holds a secret that changes with each start; without it nothing is answered. Each page that is open is
    a hubsync of its own and ends when it is closed.
    """
    if importlib.util.find_spec("textual_serve") is None:
        raise WebMissing("textual-serve is not installed", hint="pip install 'hubsync[web]'")
    call.settings()  # what is wrong with them is said here rather than in a page
    from hubsync.config import is_loopback
    from hubsync.web.server import address, listen, serve

    secret = secrets.token_urlsafe()
    root = ("--root", str(call.root)) if call.root else ()
    with listen(host, port) as listener:
        url = address(listener, secret)

        def ready() -> None:
            if not is_loopback(host):
                say(_WARNING.format(port=listener.getsockname()[1]))
            if not call.quiet:
                say("open this in a browser; Ctrl-C ends it")
            _print(call, url)
            if opens:
                click.launch(url)

        serve((sys.executable, "-m", "hubsync", *root), listener=listener, secret=secret, ready=ready)


def _print(call: Call, url: str) -> None:
    """At once, for whoever waits for it at the other end of a pipe."""
    if call.json:
        output.emit_json({"url": url})
    else:
        output.emit(url)
    sys.stdout.flush()
