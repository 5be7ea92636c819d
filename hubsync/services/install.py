"""Installing: pre-flight, download, verify, name, record, sidecars, preview."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hubsync.domain import Installed, Lora, Nsfw, Preview
from hubsync.errors import Cancelled, HubsyncError, Internal, NotFound
from hubsync.events import Failed, Finished, Noted, Sink, Started
from hubsync.files import previews
from hubsync.files.transfer import Received, Transfer
from hubsync.refs import Ref, Source
from hubsync.services.choosing import InstallOptions, is_embedding
from hubsync.services.fetching import Fetcher
from hubsync.services.planning import Plan, Planner, Unplannable
from hubsync.services.queueing import DownloadQueue, Unfinished
from hubsync.store.records import Records

if TYPE_CHECKING:
    from hubsync.services.shelf import Shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallResult:
    """What became of one reference. `installed` is the library's row, also of a file that was here already."""

    asked: str
    status: Literal["installed", "already_installed", "planned", "failed"]
    plan: Plan | None = None
    installed: Installed | None = None
    sidecars: tuple[Path, ...] = ()
    seconds: float = 0.0
    received: Received | None = None
    error: HubsyncError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallService:
    """Installs LoRAs into one library root. `now` stamps the rows, `options` and `jobs` are those of the settings."""

    planner: Planner
    fetcher: Fetcher
    queue: DownloadQueue
    records: Records
    shelf: Callable[[], Shelf]
    transfer: Callable[[], Transfer]
    preview_ceiling: Nsfw
    options: InstallOptions
    jobs: int
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic

    def plan(
        self, references: Iterable[str], options: InstallOptions | None = None, *, jobs: int | None = None
    ) -> list[Plan | Unplannable]:
        """The pre-flight: one entry for each file meant, nothing written; `jobs` references are asked for at once."""
        return self.planner.plan(references, options or self.options, jobs=jobs or self.jobs)

    def preflight(self, lora: Lora, ref: Ref) -> Plan | Unplannable:
        """The same of a LoRA whose page was read already."""
        return self.planner.preflight(lora, ref, self.options)

    def run(
        self,
        plans: Sequence[Plan | Unplannable],
        *,
        sink: Sink,
        cancel: threading.Event,
        jobs: int | None = None,
    ) -> list[InstallResult]:
        """Carry plans out, `jobs` at a time, results in order. One that fails does not end the others.

        Raises:
            Cancelled: `cancel` was set; what came stays, and the queue knows what was wanted.
        """
        wanted = [plan for plan in plans if isinstance(plan, Plan) and plan.existing is None]
        jobs = jobs or self.jobs
        with ThreadPoolExecutor(max_workers=jobs) as pool, ThreadPoolExecutor(max_workers=1) as clerk:
            # Beside the first downloads: loading what describes files and writes the database takes as long as 50 MB.
            batch = _Batch(self, sink, cancel, queued=clerk.submit(self._get_ready, wanted))
            results: dict[int, InstallResult] = {}
            # A twin comes when what brings its bytes is done: it finds them, or is fetched if that failed.
            for twins in (False, True):
                some = [plan for plan in plans if _is_twin(plan) is twins]
                results.update(zip(map(id, some), pool.map(batch.one, some), strict=True))
        if cancel.is_set():
            raise Cancelled
        return [results[id(plan)] for plan in plans]

    def _get_ready(self, wanted: Sequence[Plan]) -> None:
        if wanted:
            self.queue.add(wanted)
            import hubsync.services.describing
            import hubsync.services.shelf  # noqa: F401

    def resume(self, entries: Iterable[Unfinished], *, sink: Sink, cancel: threading.Event) -> list[InstallResult]:
        """Go on with downloads of the queue, each with the options it was asked for with.

        Raises:
            Cancelled: as in `run`.
        """
        plans = [plan for entry in entries for plan in self.plan([entry.ref], entry.options)]
        results = self.run(plans, sink=sink, cancel=cancel)
        for result in results:
            if result.plan is None:
                self.queue.note(result.asked, result.error)
            elif result.status == "already_installed":
                self.queue.done(result.plan)
        return results


@dataclass(frozen=True, slots=True)
class _Batch:
    service: InstallService
    sink: Sink
    cancel: threading.Event
    queued: Future[None]

    def one(self, plan: Plan | Unplannable) -> InstallResult:
        """The batch border: whatever goes wrong with one LoRA becomes its result."""
        if isinstance(plan, Unplannable):
            return self._failed(plan.asked, None, plan.error)
        if plan.existing is not None:
            return self._here(plan, plan.existing)
        try:
            return self._install(plan)
        except Cancelled:
            return self._failed(plan.asked, plan, HubsyncError("cancelled"))
        except HubsyncError as error:
            # A full disk takes no note either, and the first reason is the one to tell.
            with suppress(HubsyncError):
                self.queued.result()
                self.service.queue.failed(plan, error)
            return self._failed(plan.asked, plan, error)
        except Exception as error:  # noqa: BLE001  (batch border)
            internal = Internal(f"{type(error).__name__}: {error}", hint="please report this as a bug")
            internal.__cause__ = error
            return self._failed(plan.asked, plan, internal)

    def _here(self, plan: Plan, installed: Installed) -> InstallResult:
        self.sink(Finished(key=plan.asked, message=f"{installed.name} is already installed"))
        return planned(replace(plan, existing=installed))

    def _failed(self, asked: str, plan: Plan | None, error: HubsyncError) -> InstallResult:
        self.sink(Failed(key=asked, error=error))
        return InstallResult(asked=asked, status="failed", plan=plan, error=error)

    def _install(self, plan: Plan) -> InstallResult:
        service, started = self.service, self.service.clock()
        if self.cancel.is_set():
            raise Cancelled
        self.sink(Started(key=plan.asked, label=plan.target.stem, total=plan.file.size))
        for note in plan.notes:
            self.sink(Noted(key=plan.asked, message=note))
        brought = service.fetcher.bring(plan, sink=self.sink, cancel=self.cancel)
        if isinstance(brought, Installed):
            self.queued.result()
            service.queue.done(plan)
            return self._here(plan, brought)
        plan, received = brought
        lora = self._record(plan, received)
        self.sink(Finished(key=plan.asked, message=f"{lora.name} is installed"))
        return InstallResult(
            asked=plan.asked,
            status="installed",
            plan=plan,
            installed=lora,
            sidecars=_beside(lora.path),
            seconds=service.clock() - started,
            received=received,
        )

    def _record(self, plan: Plan, received: Received) -> Installed:
        """The library's row of a file just placed, with its companions on disk."""
        from hubsync.files.glance import Glancer
        from hubsync.files.walking import found_at
        from hubsync.services import describing

        service = self.service
        self._preview(plan)
        found = found_at(plan.target)
        if found is None:
            raise NotFound(f"{plan.target} is gone again", hint="run the same command again")
        glance = Glancer().glance(found.path, found.size)
        told = describing.from_sidecars(found)
        entry = describing.from_disk(found, glance, told, embedding=is_embedding(plan.lora, plan.file))
        info = describing.info_of(plan.lora, plan.version) if plan.lora.source is Source.CIVITAI else None
        self.queued.result()
        with service.records.alone():
            if known := service.records.entry(plan.target):
                entry = describing.carried(entry, known)
            entry = describing.with_hashes(entry, received.hashes)
            entry = describing.from_hub(entry, plan.lora, plan.version, plan.file)
            entry = replace(entry, lora=replace(entry.lora, installed_at=service.now()))
            return service.shelf().keep(entry, info=info)

    def _preview(self, plan: Plan) -> None:
        """The preview beside the LoRA. One that cannot be had is a note: the LoRA is installed all the same."""
        from hubsync.files.sidecars import preview_path

        path = preview_path(plan.target)
        preview = best_preview(plan.version.previews, self.service.preview_ceiling)
        if path.exists() or preview is None or not plan.options.previews:
            return
        transfer = self.service.transfer()
        try:
            previews.save_preview(previews.fetch(transfer.client, preview.url, check=transfer.check), path)
        except HubsyncError as error:
            self.sink(Noted(key=plan.asked, message=f"no preview: {error.message}"))


def _is_twin(plan: Plan | Unplannable) -> bool:
    return isinstance(plan, Plan) and bool(plan.twin)


def _beside(path: Path) -> tuple[Path, ...]:
    from hubsync.files.sidecars import beside

    return tuple(beside(path))


def planned(plan: Plan | Unplannable) -> InstallResult:
    """A plan as a result: what `--dry-run` shows."""
    if isinstance(plan, Unplannable):
        return InstallResult(asked=plan.asked, status="failed", error=plan.error)
    status: Literal["already_installed", "planned"] = "already_installed" if plan.existing else "planned"
    return InstallResult(asked=plan.asked, status=status, plan=plan, installed=plan.existing)


def best_preview(choices: Sequence[Preview], ceiling: Nsfw) -> Preview | None:
    """The first still picture at or below the ceiling; an unrated one (level 0) passes."""
    return next((one for one in choices if one.kind == "image" and ceiling.allows(one.nsfw_level)), None)
