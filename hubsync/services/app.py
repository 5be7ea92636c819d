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
from hubsync.families import Families
from hubsync.limiter import Limiter
from hubsync.roots import Root
from hubsync.services.network import Network
from hubsync.store.database import Database
from hubsync.store.tables import Tables

if TYPE_CHECKING:
    import httpx2

    from hubsync.render.resident import Renderer
    from hubsync.services.checking import CheckService
    from hubsync.services.discarding import DiscardService
    from hubsync.services.doctor import DoctorService
    from hubsync.services.editing import EditService
    from hubsync.services.hashing import HashService
    from hubsync.services.identifying import IdentifyService
    from hubsync.services.install import InstallService
    from hubsync.services.library import LibraryService
    from hubsync.services.previews import PreviewService
    from hubsync.services.queueing import DownloadQueue
    from hubsync.services.relocating import RelocateService
    from hubsync.services.remembering import JobService
    from hubsync.services.render import RenderService
    from hubsync.services.scanning import ScanService
    from hubsync.services.search import SearchService
    from hubsync.services.shelf import Shelf
    from hubsync.services.triggers import TriggerService
    from hubsync.services.updating import UpdateService


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
        self._renderer = renderer or (settings.render.python or sys.executable, "-m", "hubsync.renderer")
        self.now = now
        self._network = Network(settings, transport=transport, limiter=limiter or Limiter())
        self._closed = threading.Event()
        self._tables = Tables(Database(root.database, root.path, keep=True))
        self.records = self._tables.records

    @cached_property
    def search(self) -> SearchService:
        """Searching and showing."""
        from hubsync.services.search import SearchService

        return SearchService(hub=self._network.hub, records=self.records, forget=self._network.forget)

    @cached_property
    def install(self) -> InstallService:
        """Installing."""
        from hubsync.services.choosing import InstallOptions
        from hubsync.services.fetching import Fetcher
        from hubsync.services.install import InstallService
        from hubsync.services.planning import Planner

        planner = Planner(
            hub=self._network.hub,
            records=self.records,
            root=self.root,
            has_token=self._network.has_token,
            template=self.settings.install.folders,
        )
        return InstallService(
            planner=planner,
            fetcher=Fetcher(planner=planner, transfer=lambda: self._network.transfer, quarantine=self.root.quarantine),
            queue=self.downloads,
            records=self.records,
            shelf=lambda: self._shelf,
            transfer=lambda: self._network.transfer,
            preview_ceiling=Nsfw(self.settings.search.nsfw),
            options=InstallOptions(previews=self.settings.install.previews),
            jobs=self.settings.install.jobs,
            now=self.now,
        )

    @cached_property
    def downloads(self) -> DownloadQueue:
        """Downloads that were asked for and are not done."""
        from hubsync.services.queueing import DownloadQueue

        return DownloadQueue(queue=self._tables.queue, now=self.now)

    @cached_property
    def library(self) -> LibraryService:
        """What is installed."""
        from hubsync.services.library import LibraryService

        return LibraryService(records=self.records)

    @cached_property
    def scanning(self) -> ScanService:
        """Reading the disk into the library."""
        from hubsync.services.scanning import ScanService

        return ScanService(
            root=self.root,
            records=self.records,
            rows=self._tables.rows,
            hashing=self.hashing,
            identifying=lambda: self._identifying,
            families=lambda: self.families,
        )

    @cached_property
    def hashing(self) -> HashService:
        """Hashes of what is installed."""
        from hubsync.services.hashing import HashService

        return HashService(records=self.records, rows=self._tables.rows)

    @cached_property
    def checking(self) -> CheckService:
        """Whether every file is what it was, and nothing is there twice."""
        from hubsync.services.checking import CheckService

        return CheckService(records=self.records, rows=self._tables.rows, hashing=self.hashing)

    @cached_property
    def relocating(self) -> RelocateService:
        """Removing, restoring, renaming and moving."""
        from hubsync.services.relocating import RelocateService

        return RelocateService(root=self.root, records=self.records, shelf=self._shelf, read=self._read, now=self.now)

    @cached_property
    def updating(self) -> UpdateService:
        """Newer versions of what is installed."""
        from hubsync.services.updating import UpdateService

        return UpdateService(
            catalogue=lambda: self._network.civitai,
            repository=lambda: self._network.hugging_face,
            install=self.install,
            relocating=self.relocating,
            records=self.records,
        )

    @cached_property
    def editing(self) -> EditService:
        """How a LoRA is used, as the user wants it."""
        from hubsync.services.editing import EditService

        return EditService(shelf=self._shelf)

    @cached_property
    def triggers(self) -> TriggerService:
        """Trigger words and prompts."""
        from hubsync.services.triggers import TriggerService

        return TriggerService(
            library=self.library, defaults=self.settings.prompt, prompts=self._tables.prompts, now=self.now
        )

    @cached_property
    def render(self) -> RenderService:
        """Test renders."""
        from hubsync.services.render import RenderService

        return RenderService(
            library=self.library,
            renders=self._tables.renders,
            shelf=self._shelf,
            settings=self.settings,
            families=lambda: self.families,
            renderer=self._resident,
            folder=self.root.renders,
            now=self.now,
        )

    @cached_property
    def discarding(self) -> DiscardService:
        """Removing pictures of tests, and bringing them back."""
        from hubsync.services.discarding import DiscardService

        return DiscardService(root=self.root, renders=self._tables.renders, now=self.now)

    @cached_property
    def jobs(self) -> JobService:
        """What ended, in this program and in earlier ones."""
        from hubsync.services.remembering import JobService

        return JobService(records=self._tables.jobs)

    @cached_property
    def previews(self) -> PreviewService:
        """Preview pictures for looking at."""
        from hubsync.services.previews import PreviewService

        return PreviewService(folder=self.root.previews, transfer=lambda: self._network.transfer)

    @cached_property
    def doctor(self) -> DoctorService:
        """What is set up, and what to do about the rest."""
        from hubsync.services.doctor import DoctorService

        return DoctorService(
            settings=self.settings,
            root=self.root,
            hub=self._network.hub,
            has_token=self._network.has_token,
            renderer=self._renderer,
        )

    @cached_property
    def families(self) -> Families:
        """The table of base-model families."""
        return self._network.families

    def warm_up(self) -> None:
        """Begin to make the HTTP client, most of whose 80 ms go by beside whatever is loaded next."""
        self._network.warm_up()

    def hash_by_the_way(self) -> None:
        """Begin to hash files that nobody hashed yet, while a hub is waited for or the TUI stands open."""
        if self.root.database.exists():
            threading.Thread(target=lambda: self.hashing.by_the_way(self._closed), daemon=True).start()

    def adopt(self, settings: Settings) -> None:
        """Go on with other settings. The root, the renderer and whatever is under way keep those they began with."""
        self.settings = settings
        self._network.adopt(settings)
        for name in [*vars(self)]:
            if name != "_resident" and isinstance(getattr(type(self), name, None), cached_property):
                vars(self).pop(name, None)

    def close(self) -> None:
        """Close what is open, end the renderer, and stop hashing."""
        self._closed.set()
        if renderer := vars(self).get("_resident"):
            renderer.close()
        self._tables.close()
        self._network.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def _resident(self) -> Renderer:
        from hubsync.render.resident import renderer_of

        return renderer_of(self.settings, self._renderer)

    @cached_property
    def _shelf(self) -> Shelf:
        from hubsync.services.shelf import Shelf

        return Shelf(records=self.records, sidecars=self.settings.library.sidecars)

    @cached_property
    def _identifying(self) -> IdentifyService:
        from hubsync.services.identifying import IdentifyService

        return IdentifyService(catalogue=self._network.civitai, rows=self._tables.rows, shelf=self._shelf, now=self.now)

    def _read(self, path: Path) -> None:
        self.scanning.scan([path], identify=False, sink=lambda _: None, cancel=threading.Event())
