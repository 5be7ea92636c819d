"""What every screen of one run shares; the app makes it, screens are built with it."""

from __future__ import annotations

from dataclasses import dataclass, field

from textual.signal import Signal
from textual.widget import Widget

from hubsync.refs import Ref
from hubsync.services.app import Hubsync
from hubsync.tui.drafts import Draft, Trial
from hubsync.tui.jobs import Jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The services, the jobs, news of the library, and the widget for true pictures where the terminal has them.

    `draft` is the prompt being written, `test` the test render being planned: any screen adds LoRAs to them.

    `library_changed` carries the reference of the search result that was installed, None for other changes.
    """

    hubsync: Hubsync
    jobs: Jobs
    draft: Draft = field(default_factory=Draft)
    test: Trial = field(default_factory=Trial)
    library_changed: Signal[Ref | None]
    graphics: type[Widget] | None = None

    @property
    def pictures(self) -> bool:
        """Whether pictures are shown at all."""
        return self.hubsync.settings.ui.images != "off"
