"""Opening the library a person means, put right first where a killed process left something half moved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hubsync.config import Settings
from hubsync.limiter import Limiter
from hubsync.roots import find_root
from hubsync.services.app import Hubsync

if TYPE_CHECKING:
    import httpx2


def open_hubsync(
    settings: Settings,
    *,
    cwd: Path | None = None,
    transport: httpx2.BaseTransport | None = None,
    renderer: Sequence[str] | None = None,
    limiter: Limiter | None = None,
) -> Hubsync:
    """The services for the library root these settings, or the current folder, mean. Nothing is created yet.

    What a killed process had begun to move there is finished first.
    """
    root = find_root(settings, cwd=cwd or Path.cwd(), home=Path.home())
    hubsync = Hubsync(settings, root, transport=transport, renderer=renderer, limiter=limiter)
    if root.moves.is_dir():
        from hubsync.files.relocation import unfinished

        if unfinished(root.moves):
            hubsync.relocating.recover()
    return hubsync
