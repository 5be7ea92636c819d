"""`python -m hubsync.sandbox.hub`: the sandbox hub by itself, until it is interrupted."""

from __future__ import annotations

import contextlib
import threading

import click

from hubsync.sandbox.hub.server import SandboxHub


@click.command(help="Serve both hubs' APIs on loopback, with the sandbox's trained LoRAs.")
@click.option("--port", default=0, show_default="free ports", help="Use this port and the two after it.")
def main(port: int) -> None:
    """Start, say where, and wait for Ctrl-C."""
    try:
        hub = SandboxHub.start(port=port)
    except OSError as error:
        raise click.ClickException(f"cannot listen on ports {port} to {port + 2}: {error.strerror}") from error
    with hub:
        click.echo(f"HUBSYNC_CIVITAI_URL={hub.civitai_url}")
        click.echo(f"HF_ENDPOINT={hub.huggingface_url}")
        click.echo(f"storage: {hub.storage_url}")
        click.echo(f"CIVITAI_API_KEY={hub.KEY}\nHF_TOKEN={hub.TOKEN}")
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
