"""The composition root: everything is built here, once, from settings; HTTP transport, clock and renderer are seams."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from hubsync.config import Settings
from hubsync.domain import Nsfw
from hubsync.families import Families, load_families
from hubsync.refs import Source
from hubsync.roots import Root, find_root
from hubsync.store.database import Database
from hubsync.store.records import Records
from hubsync.store.renders import RenderRecords

if TYPE_CHECKING:
    import httpx2

    from hubsync.files.transfer import Transfer
    from hubsync.hubs.base import Hub
    from hubsync.services.doctor import DoctorService
    from hubsync.services.install import InstallService
    from hubsync.services.library import LibraryService
    from hubsync.services.previews import PreviewService
    from hubsync.services.render import RenderService
    from hubsync.services.search import SearchService
    from hubsync.services.triggers import TriggerService


class Hubsync:
    """One library root with its services. Each is made when first asked for: `list` never pays for HTTP."""

    def __init__(
        self,
        settings: Settings,
        root: Root,
        *,
        transport: httpx2.BaseTransport | None = None,
        renderer: Sequence[str] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.settings = settings
        self.root = root
        self._transport = transport
        self._renderer = renderer or (settings.render.python or sys.executable, "-m", "hubsync.renderer")
        self._now = now
        self._sleep = sleep
        self._making_client = threading.Lock()
        self._made_client: httpx2.Client | None = None
        self._database = Database(root.database, root.path)
        self.records = Records(database=self._database)

    @cached_property
    def search(self) -> SearchService:
        """Searching and showing."""
        from hubsync.services.search import SearchService

        return SearchService(hubs=self._hubs, records=self.records)

    @cached_property
    def install(self) -> InstallService:
        """Installing."""
        from hubsync.services.install import InstallService
        from hubsync.services.planning import Planner

        planner = Planner(hubs=self._hubs, records=self.records, root=self.root, has_token=self._has_token)
        return InstallService(
            planner=planner,
            records=self.records,
            transfer=lambda: self._transfer,
            preview_ceiling=Nsfw(self.settings.search.nsfw),
            now=self._now,
        )

    @cached_property
    def library(self) -> LibraryService:
        """What is installed."""
        from hubsync.services.library import LibraryService

        return LibraryService(records=self.records)

    @cached_property
    def triggers(self) -> TriggerService:
        """Trigger words and prompts."""
        from hubsync.services.triggers import TriggerService

        return TriggerService(library=self.library, defaults=self.settings.prompt)

    @cached_property
    def render(self) -> RenderService:
        """Test renders."""
        from hubsync.services.render import RenderService

        return RenderService(
            library=self.library,
            records=self.records,
            renders=RenderRecords(database=self._database),
            settings=self.settings,
            families=lambda: self.families,
            command=self._renderer,
            folder=self.root.renders,
            now=self._now,
        )

    @cached_property
    def previews(self) -> PreviewService:
        """Preview pictures for looking at."""
        from hubsync.services.previews import PreviewService

        return PreviewService(folder=self.root.previews, transfer=lambda: self._transfer)

    @cached_property
    def doctor(self) -> DoctorService:
        """What is set up, and what to do about the rest."""
        from hubsync.services.doctor import DoctorService

        return DoctorService(settings=self.settings, root=self.root, hubs=self._hubs, renderer=self._renderer)

    @cached_property
    def families(self) -> Families:
        """The table of base-model families."""
        return load_families()

    def close(self) -> None:
        """Close the HTTP client, if one was made."""
        if self._made_client is not None:
            self._made_client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _client(self) -> httpx2.Client:
        # Threads of the TUI ask for it at the same time; two would be two connection pools, one never closed.
        with self._making_client:
            if self._made_client is None:
                from hubsync.hubs.http import make_client

                self._made_client = make_client(self.settings, transport=self._transport)
            return self._made_client

    @cached_property
    def _hub_table(self) -> Mapping[Source, Hub]:
        from hubsync.hubs.civitai import Civitai
        from hubsync.hubs.huggingface import HuggingFace

        return {
            Source.CIVITAI: Civitai(self._client, self.settings, self.families),
            Source.HUGGINGFACE: HuggingFace(self._client, self.settings, self.families),
        }

    def _hubs(self) -> Mapping[Source, Hub]:
        return self._hub_table

    def _has_token(self, source: Source) -> bool:
        from hubsync.hubs.guard import Guard

        hubs = {
            Source.CIVITAI: self.settings.civitai.url,
            Source.HUGGINGFACE: self.settings.huggingface.endpoint,
        }
        return Guard(self.settings).holds_token(hubs[source])

    @cached_property
    def _transfer(self) -> Transfer:
        from hubsync.files.transfer import Transfer
        from hubsync.hubs.failures import raise_for

        return Transfer(client=self._client, check=raise_for, retries=self.settings.network.retries, sleep=self._sleep)


def open_hubsync(
    settings: Settings,
    *,
    cwd: Path | None = None,
    transport: httpx2.BaseTransport | None = None,
    renderer: Sequence[str] | None = None,
) -> Hubsync:
    """The services for the library root these settings, or the current folder, mean. Nothing is created yet."""
    root = find_root(settings, cwd=cwd or Path.cwd(), home=Path.home())
    return Hubsync(settings, root, transport=transport, renderer=renderer)
