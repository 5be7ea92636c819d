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

from hubsync.domain import (
    Installed,
    LoraType,
    Nsfw,
    Preview,
    TriggerGroup,
    TriggerWord,
    TriggerWords,
    Version,
    WordSource,
)
from hubsync.errors import BadBytes, Cancelled, HubsyncError, Internal
from hubsync.events import Advanced, Failed, Finished, Noted, Sink, Started, Verified
from hubsync.files import header, metadata, network, placement, previews, sidecars
from hubsync.files.hashes import hash_file
from hubsync.files.transfer import Received, Transfer
from hubsync.refs import Source
from hubsync.services.planning import InstallOptions, Plan, Planner, Unplannable, is_embedding
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
    return next((one for one in choices if one.kind == "image" and not one.nsfw_level & ~ceiling.mask), None)


def describe(plan: Plan, received: Received, *, now: datetime) -> Installed:
    """Everything known of a file just placed: what its header says, what the hub says. Weights outrank the hub."""
    read = header.read_header(plan.target)
    facts = network.examine(read, path=plan.target)
    hashes = hash_file(plan.target, header_length=read.length)
    lora, version = plan.lora, plan.version
    embedding = is_embedding(lora, plan.file)
    return Installed(
        name=plan.target.stem,
        path=plan.target,
        title=lora.name,
        alias=metadata.alias(read.metadata),
        ref=plan.file.ref,
        type=LoraType.EMBEDDING if embedding else lora.type,
        base_model=version.base_model,
        family=facts.family or version.family,
        network=facts.network,
        rank=facts.rank,
        alpha=facts.alpha,
        size=received.size,
        sha256=received.sha256,
        autov2=hashes.autov2,
        autov3=hashes.autov3,
        groups=_groups(version, lora.source, plan.target.stem, metadata.trigger_phrase(read.metadata), embedding),
        suggestions=metadata.suggestions(read.metadata),
        weight=version.suggested_weight,
        negative=version.suggested_negative,
        creator=lora.creator,
        tags=lora.tags,
        nsfw_level=lora.nsfw_level,
        installed_at=now,
    )


def _groups(
    version: Version,
    source: Source,
    stem: str,
    phrase: Sequence[str],
    embedding: bool,  # noqa: FBT001
) -> tuple[TriggerGroup, ...]:
    """Trigger groups from the best source there is; an embedding is triggered by its file stem."""
    if embedding:
        return grouped(((stem,),), WordSource.FILE_NAME)
    if version.trigger_words:
        hub = WordSource.CIVITAI if source is Source.CIVITAI else WordSource.CARD
        return grouped(version.trigger_words, hub)
    return grouped((tuple(phrase),) if phrase else (), WordSource.METADATA)


def grouped(words: TriggerWords, source: WordSource) -> tuple[TriggerGroup, ...]:
    """Groups numbered from 1; the first is the default one."""
    return tuple(
        TriggerGroup(
            index=index,
            enabled=index == 1,
            words=tuple(TriggerWord(text=text, source=source) for text in group),
        )
        for index, group in enumerate(words, start=1)
    )


def keep_edits(lora: Installed, known: Installed) -> Installed:
    """A fresh description of a LoRA that was here: what the library already holds of the user's is kept."""
    return replace(
        lora,
        groups=known.groups or lora.groups,
        weight=known.weight if known.weight is not None else lora.weight,
        negative=known.negative or lora.negative,
        notes=known.notes,
        preview=known.preview,
    )
