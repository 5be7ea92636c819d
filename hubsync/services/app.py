"""The composition root: everything is built here, once, from settings; HTTP transport, clock and renderer are seams."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from hubsync.config import Settings
from hubsync.domain import Nsfw
from hubsync.families import Families, load_families
from hubsync.limiter import Limiter
from hubsync.refs import Source
from hubsync.roots import Root, find_root
from hubsync.store.database import Database
from hubsync.store.queue import Queue
from hubsync.store.records import Records
from hubsync.store.renders import RenderRecords

if TYPE_CHECKING:
    import httpx2

    from hubsync.files.transfer import Transfer
    from hubsync.hubs.base import Hub
    from hubsync.hubs.http import Http
    from hubsync.services.doctor import DoctorService
    from hubsync.services.install import InstallService
    from hubsync.services.library import LibraryService
    from hubsync.services.previews import PreviewService
    from hubsync.services.queueing import DownloadQueue
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
        limiter: Limiter | None = None,
    ) -> None:
        self.settings = settings
        self.root = root
        self._transport = transport
        self._renderer = renderer or (settings.render.python or sys.executable, "-m", "hubsync.renderer")
        self._now = now
        self._limiter = limiter or Limiter()
        self._making_client = threading.Lock()
        self._made_client: httpx2.Client | None = None
        self._database = Database(root.database, root.path)
        self.records = Records(database=self._database)

    @cached_property
    def search(self) -> SearchService:
        """Searching and showing."""
        from hubsync.services.search import SearchService

        return SearchService(hub=self._hub, records=self.records)

    @cached_property
    def install(self) -> InstallService:
        """Installing."""
        from hubsync.services.choosing import InstallOptions
        from hubsync.services.fetching import Fetcher
        from hubsync.services.install import InstallService
        from hubsync.services.planning import Planner

        planner = Planner(hub=self._hub, records=self.records, root=self.root, has_token=self._has_token)
        return InstallService(
            planner=planner,
            fetcher=Fetcher(planner=planner, transfer=lambda: self._transfer, quarantine=self.root.quarantine),
            queue=self.downloads,
            records=self.records,
            transfer=lambda: self._transfer,
            preview_ceiling=Nsfw(self.settings.search.nsfw),
            options=InstallOptions(previews=self.settings.install.previews),
            jobs=self.settings.install.jobs,
            now=self._now,
        )

    @cached_property
    def downloads(self) -> DownloadQueue:
        """Downloads that were asked for and are not done."""
        from hubsync.services.queueing import DownloadQueue

        return DownloadQueue(queue=Queue(database=self._database), now=self._now)

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

        return DoctorService(
            settings=self.settings,
            root=self.root,
            hub=self._hub,
            has_token=self._has_token,
            renderer=self._renderer,
        )

    @cached_property
    def families(self) -> Families:
        """The table of base-model families."""
        return load_families()

    def account(self, source: Source) -> str:
        """The user whose key is sent to a hub.

        Raises:
            AccessDenied: the hub does not know the key. HubError: it cannot be asked.
        """
        return self._hub(source).account()

    def warm_up(self) -> None:
        """Begin to make the HTTP client, most of whose 80 ms go by beside whatever is loaded next."""
        threading.Thread(target=lambda: self._client, daemon=True).start()

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

    @property
    def _http(self) -> Http:
        from hubsync.hubs.http import Http

        return Http(client=self._client, limiter=self._limiter, retries=self.settings.network.retries)

    @cached_property
    def _civitai(self) -> Hub:
        from hubsync.hubs.civitai import Civitai

        return Civitai(self._http, self.settings, self.families)

    @cached_property
    def _hugging_face(self) -> Hub:
        from hubsync.hubs.huggingface import HuggingFace

        return HuggingFace(self._http, self.settings, self.families)

    def _hub(self, source: Source) -> Hub:
        return self._civitai if source is Source.CIVITAI else self._hugging_face

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

        network = self.settings.network
        return Transfer(
            client=self._client,
            limiter=self._limiter,
            check=raise_for,
            retries=network.retries,
            patience=network.patience,
            connections=network.connections,
            spare=threading.Semaphore(network.connections),
        )


def open_hubsync(
    settings: Settings,
    *,
    cwd: Path | None = None,
    transport: httpx2.BaseTransport | None = None,
    renderer: Sequence[str] | None = None,
    limiter: Limiter | None = None,
) -> Hubsync:
    """The services for the library root these settings, or the current folder, mean. Nothing is created yet."""
    root = find_root(settings, cwd=cwd or Path.cwd(), home=Path.home())
    return Hubsync(settings, root, transport=transport, renderer=renderer, limiter=limiter)
