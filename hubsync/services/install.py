"""Installing: pre-flight, download, verify, name, record, sidecars, preview."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from hubsync.domain import Installed, Nsfw, Preview
from hubsync.errors import BadBytes, Cancelled, HubsyncError, Internal
from hubsync.events import Advanced, Failed, Finished, Noted, Sink, Started, Verified
from hubsync.files import header, placement, previews, sidecars
from hubsync.files.transfer import Received, Transfer
from hubsync.services.describing import describe, keep_edits
from hubsync.services.planning import InstallOptions, Plan, Planner, Unplannable
from hubsync.store.records import Records


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
    """Installs LoRAs into one library root. `now` stamps the rows."""

    planner: Planner
    records: Records
    transfer: Callable[[], Transfer]
    preview_ceiling: Nsfw
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic

    def plan(self, references: Iterable[str], options: InstallOptions | None = None) -> list[Plan | Unplannable]:
        """The pre-flight: one entry for each reference, nothing written."""
        return self.planner.plan(references, options or InstallOptions())

    def run(
        self,
        plans: Sequence[Plan | Unplannable],
        options: InstallOptions,
        *,
        sink: Sink,
        cancel: threading.Event,
    ) -> list[InstallResult]:
        """Carry plans out, `options.jobs` at a time, results in order. One that fails does not end the others.

        Raises:
            Cancelled: `cancel` was set; part files stay for the next time.
        """
        job = _Batch(self, options, sink, cancel)
        with ThreadPoolExecutor(max_workers=options.jobs) as pool:
            results = list(pool.map(job.one, plans))
        if cancel.is_set():
            raise Cancelled
        return results


@dataclass(frozen=True, slots=True)
class _Batch:
    service: InstallService
    options: InstallOptions
    sink: Sink
    cancel: threading.Event
    # SQLite takes one writer at a time anyway; this keeps two threads from waiting inside it.
    recording: threading.Lock = field(default_factory=threading.Lock)

    def one(self, plan: Plan | Unplannable) -> InstallResult:
        """The batch border: whatever goes wrong with one LoRA becomes its result."""
        if isinstance(plan, Unplannable):
            return self._failed(plan.asked, None, plan.error)
        if plan.existing is not None:
            self.sink(Finished(key=plan.asked, message=f"{plan.existing.name} is already installed"))
            return planned(plan)
        try:
            return self._install(plan)
        except Cancelled:
            return self._failed(plan.asked, plan, HubsyncError("cancelled"))
        except HubsyncError as error:
            return self._failed(plan.asked, plan, error)
        except Exception as error:  # noqa: BLE001  (batch border)
            internal = Internal(f"{type(error).__name__}: {error}", hint="please report this as a bug")
            internal.__cause__ = error
            return self._failed(plan.asked, plan, internal)

    def _failed(self, asked: str, plan: Plan | None, error: HubsyncError) -> InstallResult:
        self.sink(Failed(key=asked, error=error))
        return InstallResult(asked=asked, status="failed", plan=plan, error=error)

    def _install(self, plan: Plan) -> InstallResult:
        service, started = self.service, self.service.clock()
        self.sink(Started(key=plan.asked, label=plan.target.stem, total=plan.file.size))
        received = self._bring(plan)
        lora = describe(plan, received, now=service.now())
        with self.recording:
            known = next(iter(service.records.by_path(plan.target)), None)
            lora = keep_edits(lora, known) if known else lora
            lora, written = self._companions(plan, lora)
            service.records.save(lora, raw_words=plan.version.raw_words, written=written)
        self.sink(Finished(key=plan.asked, message=f"{lora.name} is installed"))
        return InstallResult(
            asked=plan.asked,
            status="installed",
            plan=plan,
            installed=lora,
            sidecars=(sidecars.sidecar_path(lora.path),),
            seconds=service.clock() - started,
            received=received,
        )

    def _bring(self, plan: Plan) -> Received:
        """Download to the part file, check that it is a safetensors file, give it its name."""
        if plan.adopted:
            size = plan.target.stat().st_size
            return Received(sha256=plan.file.sha256 or "", size=size, bytes_downloaded=0, resumed_from=size)
        download = self.service.planner.download(plan)
        part = placement.part_path(plan.target, download.sha256 or str(plan.file.ref).encode().hex())
        received = self.service.transfer().fetch(
            download,
            part,
            progress=lambda done, total: self.sink(Advanced(key=plan.asked, done=done, total=total)),
            cancel=self.cancel,
        )
        try:
            header.read_header(part)
        except BadBytes:
            part.unlink()
            raise
        self.sink(Verified(key=plan.asked, sha256=received.sha256))
        placement.place(part, plan.target)
        return received

    def _companions(self, plan: Plan, lora: Installed) -> tuple[Installed, dict[str, object]]:
        """Preview and sidecar. A preview that cannot be had is a note: the LoRA is installed all the same."""
        picture = self._preview(plan, lora)
        lora = replace(lora, preview=picture) if picture else lora
        content = sidecars.content_of(lora, description=plan.lora.description)
        return lora, sidecars.write(lora.path, content, before=self.service.records.written(lora.path))

    def _preview(self, plan: Plan, lora: Installed) -> Path | None:
        path = sidecars.preview_path(lora.path)
        if path.exists():
            return path
        preview = best_preview(plan.version.previews, self.service.preview_ceiling)
        if preview is None or not self.options.previews:
            return None
        transfer = self.service.transfer()
        try:
            previews.save_preview(previews.fetch(transfer.client, preview.url, check=transfer.check), path)
        except HubsyncError as error:
            self.sink(Noted(key=plan.asked, message=f"no preview: {error.message}"))
            return None
        return path


def planned(plan: Plan | Unplannable) -> InstallResult:
    """A plan as a result: what `--dry-run` shows."""
    if isinstance(plan, Unplannable):
        return InstallResult(asked=plan.asked, status="failed", error=plan.error)
    status: Literal["already_installed", "planned"] = "already_installed" if plan.existing else "planned"
    return InstallResult(asked=plan.asked, status=status, plan=plan, installed=plan.existing)


def best_preview(choices: Sequence[Preview], ceiling: Nsfw) -> Preview | None:
    """The first still picture at or below the ceiling; an unrated one (level 0) passes."""
    return next((one for one in choices if one.kind == "image" and ceiling.allows(one.nsfw_level)), None)
