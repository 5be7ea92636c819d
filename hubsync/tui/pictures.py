"""Removing pictures of tests and bringing them back, as jobs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from hubsync.events import Sink
from hubsync.tui.chores import Done
from hubsync.tui.messages import ChoreRequested

if TYPE_CHECKING:
    from hubsync.services.app import Hubsync
    from hubsync.services.discarding import Removal

PROMISE = "To the trash: u brings back what was removed last. A preview made of it stays."


def remove(hubsync: Hubsync, removal: Removal) -> ChoreRequested:
    """Move pictures to the trash."""
    named = counted(len(removal.renders))

    def work(_sink: Sink, _cancel: threading.Event) -> Done:
        hubsync.discarding.remove(removal)
        return Done(note=f"{named} in the trash: u brings back what was removed last")

    return ChoreRequested(f"Removing {named}", work)


def restore(hubsync: Hubsync) -> ChoreRequested:
    """Bring back the pictures that were removed last."""

    def work(_sink: Sink, _cancel: threading.Event) -> Done:
        return Done(note=f"{counted(len(hubsync.discarding.restore()))} back from the trash")

    return ChoreRequested("Bringing back pictures", work)


def counted(pictures: int) -> str:
    """So many pictures."""
    return "1 picture" if pictures == 1 else f"{pictures} pictures"
