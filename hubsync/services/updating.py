"""Newer versions of what is installed: of the same base-model family, put beside the old one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from hubsync.domain import Availability, Installed, Lora, Version
from hubsync.errors import Cancelled, HubsyncError
from hubsync.events import Advanced, Sink, Started
from hubsync.refs import CivitaiRef, HuggingFaceRef, Ref
from hubsync.services.identifying import Catalogue
from hubsync.services.install import InstallResult, InstallService
from hubsync.services.planning import Plan, Unplannable
from hubsync.services.relocating import RelocateService
from hubsync.store.records import Records

if TYPE_CHECKING:
    from hubsync.hubs.base import Hub

UPDATE = "update"
"""The key of its events."""

Status = Literal["current", "outdated", "pinned", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One LoRA against its hub. `unknown`: it came from no hub, or the hub did not answer (`error`)."""

    lora: Installed
    status: Status
    newer: Ref | None = None
    error: HubsyncError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateService:
    """Updates the LoRAs of one library. Hubs are made when first asked."""

    catalogue: Callable[[], Catalogue]
    repository: Callable[[], Hub]
    install: InstallService
    relocating: RelocateService
    records: Records

    def check(self, loras: Iterable[Installed], *, sink: Sink, cancel: threading.Event) -> list[Checked]:
        """What has a newer version; the library remembers the answers.

        Raises:
            Cancelled: `cancel` was set.
        """
        chosen = list(loras)
        sink(Started(key=UPDATE, label=f"checking {len(chosen)} LoRAs", total=len(chosen)))
        pages = self._pages(chosen)
        owned = {ref.partition("#")[0] for ref in self.records.refs()}
        checked = []
        for number, lora in enumerate(chosen, start=1):
            if cancel.is_set():
                raise Cancelled
            checked.append(self._check(lora, pages, owned))
            sink(Advanced(key=UPDATE, done=number, total=len(chosen)))
        told = [one for one in checked if one.status in {"current", "outdated"}]
        self.records.note_newer({one.lora.path: one.newer for one in told})
        return checked

    def plan(self, checked: Iterable[Checked]) -> list[tuple[Installed, Plan | Unplannable]]:
        """How to bring what is newer: into the folder where the old one lies, whatever the settings say."""
        outdated = [one for one in checked if one.status == "outdated" and one.newer]
        plans: list[tuple[Installed, Plan | Unplannable]] = []
        for one in outdated:
            options = replace(self.install.options, folder=one.lora.path.parent)
            plans += [(one.lora, plan) for plan in self.install.plan([str(one.newer)], options)]
        return plans

    def run(
        self,
        plans: Sequence[tuple[Installed, Plan | Unplannable]],
        *,
        replacing: bool,
        sink: Sink,
        cancel: threading.Event,
    ) -> list[InstallResult]:
        """Carry plans out; with `replacing` an old version goes to the trash once the new one is here.

        Raises:
            Cancelled: as `InstallService.run`.
        """
        results = self.install.run([plan for _, plan in plans], sink=sink, cancel=cancel)
        for (old, _), result in zip(plans, results, strict=True):
            if result.status in {"installed", "already_installed"}:
                self.records.note_newer({old.path: None})
                if replacing and old.path.exists() and result.installed and result.installed.path != old.path:
                    self.relocating.remove(old)
        return results

    def pin(self, lora: Installed, *, pinned: bool) -> None:
        """Put a LoRA on the list of those that updates pass over, or take it off."""
        self.relocating.shelf.change(lora.path, lambda entry: replace(entry, lora=replace(entry.lora, pinned=pinned)))

    def _pages(self, loras: Iterable[Installed]) -> Mapping[int, Lora] | HubsyncError:
        """The Civitai models these came from, a hundred a request."""
        models = {lora.ref.model for lora in loras if isinstance(lora.ref, CivitaiRef) and not lora.pinned}
        try:
            return self.catalogue().loras(sorted(model for model in models if model is not None)) if models else {}
        except HubsyncError as error:
            return error

    def _check(self, lora: Installed, pages: Mapping[int, Lora] | HubsyncError, owned: set[str]) -> Checked:
        if lora.pinned:
            return Checked(lora=lora, status="pinned")
        try:
            if isinstance(lora.ref, CivitaiRef):
                if isinstance(pages, HubsyncError):
                    raise pages
                newer = newer_version(lora, self._page(lora.ref, pages), owned)
            elif isinstance(lora.ref, HuggingFaceRef):
                newer = self._newer_file(lora, lora.ref)
            else:
                return Checked(lora=lora, status="unknown")
        except HubsyncError as error:
            return Checked(lora=lora, status="unknown", error=error)
        return Checked(lora=lora, status="outdated" if newer else "current", newer=newer)

    def _page(self, ref: CivitaiRef, pages: Mapping[int, Lora]) -> Lora:
        """The model; one that lists leave out is asked for by itself."""
        return pages.get(ref.model or 0) or self.catalogue().lora(CivitaiRef(model=ref.model))

    def _newer_file(self, lora: Installed, ref: HuggingFaceRef) -> Ref | None:
        """The same file of the repository as it is now, if its bytes are other ones."""
        page = self.repository().lora(HuggingFaceRef(repo=ref.repo, path=ref.path))
        files = [file for version in page.versions[:1] for file in version.files if file.name == ref.path]
        return next((file.ref for file in files if file.sha256 and file.sha256 != lora.sha256), None)


def newer_version(lora: Installed, page: Lora, owned: set[str]) -> Ref | None:
    """The newest version of a LoRA's base-model family that came after it, can be had, and is not in the library.

    Of its very base model, if there is one: Pony and Illustrious are one family, yet seldom wanted for each other.
    """
    current = next((one for one in page.versions if lora.ref and _version(one.ref) == _version(lora.ref)), None)
    family = lora.family or (current.family if current else None)
    later = [one for one in page.versions if _came_after(one, current) and one.family == family]
    fit = [one for one in later if _can_be_had(one) and _version(one.ref) not in owned]
    alike = [one for one in fit if current and one.base_model == current.base_model]
    return next((one.ref for one in (*alike, *fit)), None)


def _came_after(version: Version, current: Version | None) -> bool:
    """Versions are listed newest first; of one that is gone from the page nothing can be said."""
    if current is None or version.published_at is None or current.published_at is None:
        return False
    return version.published_at > current.published_at


def _can_be_had(version: Version) -> bool:
    files = [file for file in version.files if file.kind == "model" and file.format == "safetensors"]
    return bool(files) and version.downloadable and version.availability is Availability.PUBLIC


def _version(ref: Ref) -> str:
    """What two files of one version have in common."""
    return str(ref).partition("#")[0]
