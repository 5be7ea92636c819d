"""The pre-flight of an install: what would come, where it would go, and why it might not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hubsync.domain import Availability, Download, Installed, Lora, LoraFile, LoraType, Scan, Version
from hubsync.errors import (
    Ambiguous,
    Archived,
    DownloadsDisabled,
    EarlyAccess,
    HubsyncError,
    NoSpace,
    NotFound,
    ScanFailed,
    TokenRequired,
    UnsafeFile,
)
from hubsync.files import placement
from hubsync.files.hashes import hash_file
from hubsync.refs import CivitaiRef, HuggingFaceRef, Ref, Source, parse_ref
from hubsync.roots import Root
from hubsync.store.records import Records

if TYPE_CHECKING:
    from hubsync.hubs.base import Hub


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallOptions:
    """Options of one install. `file` and `name` make sense for one reference only."""

    file: str | None = None
    name: str | None = None
    force: bool = False
    previews: bool = True
    jobs: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One file that can be installed: where from, where to.

    `existing` is the same bytes in the library; `adopted` says they lie at `target` without being in the library.
    """

    asked: str
    lora: Lora
    version: Version
    file: LoraFile
    target: Path
    existing: Installed | None = None
    adopted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplannable:
    """A reference that cannot be installed, and why."""

    asked: str
    error: HubsyncError


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Makes plans. Nothing is written."""

    hubs: Callable[[], Mapping[Source, Hub]]
    records: Records
    root: Root
    has_token: Callable[[Source], bool]

    def plan(self, references: Iterable[str], options: InstallOptions) -> list[Plan | Unplannable]:
        """One entry for each file meant, in order; a reference that fails does not end the others."""
        taken = {*self.records.names(), *self._stems_on_disk()}
        entries: list[Plan | Unplannable] = []
        meant: set[Ref] = set()
        for asked in references:
            try:
                plan = self._plan_one(asked, options, taken)
            except HubsyncError as error:
                entries.append(Unplannable(asked=asked, error=error))
                continue
            if plan.file.ref not in meant:
                meant.add(plan.file.ref)
                taken.add(plan.target.stem.casefold())
                entries.append(plan)
        return entries

    def download(self, plan: Plan) -> Download:
        """Where the bytes of a plan come from."""
        return self.hubs()[plan.lora.source].download(plan.file)

    def _plan_one(self, asked: str, options: InstallOptions, taken: set[str]) -> Plan:
        ref = parse_ref(asked)
        lora = self.hubs()[ref.source].lora(ref)
        if not lora.versions:
            raise NotFound(f"{lora.name} has no published version")
        version = lora.versions[0]
        file = choose_file(version, ref, options.file)
        existing = next((known for known in self._same_bytes(file) if not known.missing), None)
        if existing is not None and not options.force:
            return Plan(asked=asked, lora=lora, version=version, file=file, target=existing.path, existing=existing)
        self._check_access(version, file, lora.source)
        folder = self.root.embeddings if is_embedding(lora, file) else self.root.loras
        self._check_space(file, folder)
        stem = wanted_stem(lora, file, options)
        waiting = placement.inside(folder, f"{stem}{placement.SUFFIX}")
        if existing is None and not options.force and self._left_behind(waiting, file):
            return Plan(asked=asked, lora=lora, version=version, file=file, target=waiting, adopted=True)
        free = placement.unique_stem(stem, taken=taken, suffixes=_suffixes(lora.ref))
        target = existing.path if existing else placement.inside(folder, f"{free}{placement.SUFFIX}")
        return Plan(asked=asked, lora=lora, version=version, file=file, target=target)

    def _same_bytes(self, file: LoraFile) -> list[Installed]:
        return self.records.by_sha256(file.sha256) if file.sha256 else []

    def _left_behind(self, path: Path, file: LoraFile) -> bool:
        """Whether these very bytes lie there unrecorded: copied by hand, or left when hubsync was killed."""
        if not file.sha256 or not path.is_file() or self.records.by_path(path):
            return False
        return hash_file(path).sha256 == file.sha256.lower()

    def _stems_on_disk(self) -> set[str]:
        folders = (self.root.loras, self.root.embeddings)
        return {path.stem.casefold() for folder in folders for path in folder.glob(f"*{placement.SUFFIX}")}

    def _check_access(self, version: Version, file: LoraFile, source: Source) -> None:
        """Refuse before a byte moves what the hub's record already rules out."""
        if version.availability in {Availability.ARCHIVED, Availability.TAKEN_DOWN}:
            raise Archived(f"{version.name} is {version.availability.value.replace('_', ' ')}: its files are gone")
        if not version.downloadable:
            raise DownloadsDisabled(
                f"the creator of {version.name} has switched downloads off", hint="a key does not help; ask the creator"
            )
        if file.format != "safetensors":
            raise UnsafeFile(
                f"{file.name} is a {file.format}, which can run code when it is loaded",
                hint="hubsync installs safetensors only; look for another file or version",
            )
        if file.scan is Scan.DANGER:
            raise ScanFailed(f"the hub's malware scan calls {file.name} dangerous")
        if self.has_token(source):
            return
        hint = f"hubsync config set {'civitai.api_key' if source is Source.CIVITAI else 'huggingface.token'} KEY"
        if version.availability is Availability.EARLY_ACCESS:
            until = f" until {version.early_access_ends_at:%Y-%m-%d}" if version.early_access_ends_at else ""
            raise EarlyAccess(f"{version.name} is in early access{until}", hint=f"buy it on its page, then {hint}")
        if version.requires_token:
            raise TokenRequired(f"{version.name} wants a key", hint=hint)

    def _check_space(self, file: LoraFile, folder: Path) -> None:
        there = next(parent for parent in (folder, *folder.parents) if parent.exists())
        free = shutil.disk_usage(there).free
        if file.size and file.size > free:
            raise NoSpace(f"{file.name} needs {file.size:,} bytes, {free:,} are free on {there}")


def wanted_stem(lora: Lora, file: LoraFile, options: InstallOptions) -> str:
    """The name a file would like: `--name`, its own, or its LoRA's where its own says nothing."""
    stem = placement.stem_of(file.name)
    return placement.safe_stem(placement.stem_of(options.name or (lora.name if placement.is_generic(stem) else stem)))


def is_embedding(lora: Lora, file: LoraFile) -> bool:
    """Whether the file is a textual-inversion embedding, which lives in a folder of its own."""
    return lora.type is LoraType.EMBEDDING or file.kind == "embedding"


def choose_file(version: Version, ref: Ref, name: str | None) -> LoraFile:
    """The file meant by `--file`, by the reference, or by the hub's own mark.

    Raises:
        Archived, NotFound: no such file. Ambiguous: several, and nothing says which.
    """
    if not version.files:
        raise Archived(f"{version.name} has no files any more")
    if name is not None:
        return _only([file for file in version.files if file.name.casefold() == name.casefold()], version, name)
    if isinstance(ref, CivitaiRef) and ref.file is not None:
        return _only([file for file in version.files if file.ref == ref or _id(file) == ref.file], version, str(ref))
    if isinstance(ref, HuggingFaceRef) and ref.path is not None:
        return _only([file for file in version.files if file.name == ref.path], version, ref.path)
    models = [file for file in version.files if file.kind in {"model", "embedding"}]
    if primary := [file for file in models if file.primary]:
        return primary[0]
    safe = [file for file in models if file.format == "safetensors"]
    return _only(safe or models, version, "a LoRA file")


def _id(file: LoraFile) -> int | None:
    return file.ref.file if isinstance(file.ref, CivitaiRef) else None


def _only(files: list[LoraFile], version: Version, wanted: str) -> LoraFile:
    if len(files) == 1:
        return files[0]
    names = ", ".join(file.name for file in (files or version.files)[:12])
    if files:
        raise Ambiguous(f"{version.name} holds several LoRA files: {names}", hint="choose one with --file NAME")
    raise NotFound(f"{version.name} has no file {wanted}", hint=f"it has: {names}")


def _suffixes(ref: Ref) -> tuple[str, ...]:
    """What tells two LoRAs of one name apart: the version on Civitai, the owner on Hugging Face."""
    if isinstance(ref, CivitaiRef):
        return (f"v{ref.version}",) if ref.version else ()
    return (ref.repo.split("/")[0],) if isinstance(ref, HuggingFaceRef) else ()
