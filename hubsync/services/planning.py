"""The pre-flight of an install: what would come, where it would go, and why it might not."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hubsync.domain import Download, Installed, Lora, LoraFile, Version
from hubsync.errors import HubsyncError, NoSpace, NotFound
from hubsync.files import placement
from hubsync.files.hashes import hash_file
from hubsync.files.transfer import Part
from hubsync.refs import Ref, Source, parse_ref
from hubsync.roots import Root
from hubsync.services.choosing import (
    InstallOptions,
    cautions,
    check_access,
    choose_file,
    companions,
    is_embedding,
    suffixes,
    wanted_stem,
)
from hubsync.services.folders import subfolder
from hubsync.store.records import Records

if TYPE_CHECKING:
    from hubsync.hubs.base import Hub


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One file that can be installed: where from, where to.

    existing: the same bytes, or the same LoRA under another header, in the library.
    twin: the name of the file an earlier plan of the same call brings, if it holds the very bytes.
    adopted: the very bytes lie at `target` without being in the library.
    notes: what the user should know first.
    space_left: bytes free where it would go.
    """

    asked: str
    lora: Lora
    version: Version
    file: LoraFile
    target: Path
    part: Part
    options: InstallOptions
    existing: Installed | None = None
    twin: str = ""
    adopted: bool = False
    notes: tuple[str, ...] = ()
    space_left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplannable:
    """A reference that cannot be installed, and why."""

    asked: str
    error: HubsyncError


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Makes plans. Nothing is written. `template` names sub-folders of the LoRA folder, as `folders.subfolder` says."""

    hub: Callable[[Source], Hub]
    records: Records
    root: Root
    has_token: Callable[[Source], bool]
    template: str = ""

    def plan(self, references: Iterable[str], options: InstallOptions, *, jobs: int) -> list[Plan | Unplannable]:
        """One entry for each file meant, in order; a reference that fails does not end the others."""
        asked = list(references)
        with ThreadPoolExecutor(max_workers=jobs) as pool:
            answers = list(pool.map(self._look_up, asked))
        batch = _Batch(self)
        entries: list[Plan | Unplannable] = []
        meant: set[Ref] = set()
        for text, answer in zip(asked, answers, strict=True):
            for entry in self._entries(text, answer, options, batch):
                if isinstance(entry, Plan):
                    if entry.file.ref in meant:
                        continue
                    meant.add(entry.file.ref)
                entries.append(entry)
        return entries

    def preflight(self, lora: Lora, ref: Ref, options: InstallOptions) -> Plan | Unplannable:
        """The entry for the file `ref` means of a LoRA that was asked for already."""
        return next(self._entries(str(ref), (ref, lora), options, _Batch(self)))

    def download(self, plan: Plan) -> Download:
        """Where the bytes of a plan come from."""
        download = self.hub(plan.lora.source).download(plan.file)
        known = plan.file.sha256 and plan.file.autov3
        return replace(download, safetensors=plan.file.format == "safetensors", autov3=not known)

    def asked_again(self, plan: Plan) -> Plan:
        """The plan as the hub tells it now: uploaders replace files without a new version."""
        try:
            lora = self.hub(plan.lora.source).lora(plan.file.ref)
            file = choose_file(lora.versions[0], plan.file.ref, None)
        except (HubsyncError, IndexError):
            return plan
        return replace(plan, lora=lora, version=lora.versions[0], file=file)

    def same(self, file: LoraFile) -> Installed | None:
        """The same bytes in the library, else the same LoRA under another header (equal AutoV3)."""
        found = self.records.by_sha256(file.sha256) if file.sha256 else []
        if file.autov3:
            found = [*found, *self.records.by_autov3(file.autov3)]
        return next((known for known in found if not known.missing), None)

    def _look_up(self, asked: str) -> tuple[Ref, Lora] | HubsyncError:
        try:
            ref = parse_ref(asked)
            return ref, self.hub(ref.source).lora(ref)
        except HubsyncError as error:
            return error

    def _entries(
        self, asked: str, answer: tuple[Ref, Lora] | HubsyncError, options: InstallOptions, batch: _Batch
    ) -> Iterator[Plan | Unplannable]:
        """The file meant, then those it does not work without."""
        if isinstance(answer, HubsyncError):
            yield Unplannable(asked=asked, error=answer)
            return
        ref, lora = answer
        try:
            if not lora.versions:
                raise NotFound(f"{lora.name} has no published version")
            file = choose_file(lora.versions[0], ref, options.file)
            yield self._plan(asked, lora, file, options, batch)
        except HubsyncError as error:
            yield Unplannable(asked=asked, error=error)
            return
        for companion in companions(lora.versions[0], file):
            reference, alone = str(companion.ref), replace(options, file=None, name=None)
            try:
                yield self._plan(reference, lora, companion, alone, batch)
            except HubsyncError as error:
                yield Unplannable(asked=reference, error=error)

    def _plan(self, asked: str, lora: Lora, file: LoraFile, options: InstallOptions, batch: _Batch) -> Plan:
        version = lora.versions[0]
        folder = self._folder(lora, file, options)
        space = free_space(folder)
        existing, notes = self.same(file), list(cautions(version, file))
        if existing is not None and file.sha256 != existing.sha256:
            notes.append(f"the same LoRA as {existing.name}, which only has another header")
        if existing is None and not options.force and (twin := batch.twin(file)):
            again = replace(twin, asked=asked, lora=lora, version=version, file=file, adopted=False)
            return replace(again, twin=twin.file.name, notes=(f"the same bytes as {twin.target.stem}",))
        stem, ending = wanted_stem(lora, file, options.name), placement.ending_of(file.name, file.format)
        target = placement.inside(folder, f"{stem}{ending}")
        adopted = False
        if existing is not None and (not options.force or existing.sha256 == file.sha256):
            target = existing.path
        elif options.force or not (adopted := self._left_behind(target, file)):
            target = placement.inside(folder, f"{batch.free(stem, suffixes(lora.ref), folder)}{ending}")
        if existing is None:
            notes += batch.cautions(target.stem)
        plan = Plan(
            asked=asked,
            lora=lora,
            version=version,
            file=file,
            target=target,
            part=Part.of(file.sha256 or str(file.ref), folder=folder, state=self.root.downloads),
            options=options,
            existing=None if options.force else existing,
            adopted=adopted,
            notes=tuple(notes),
            space_left=space,
        )
        if plan.existing is None:
            check_access(version, file, lora.source, options, has_key=self.has_token(lora.source))
            _check_space(plan)
            batch.take(plan)
        return plan

    def _folder(self, lora: Lora, file: LoraFile, options: InstallOptions) -> Path:
        """Where a file goes: never outside the folder its kind lives in, but where the user or an update says so."""
        if options.folder is not None:
            return options.folder
        if is_embedding(lora, file):
            return self.root.embeddings
        return subfolder(self.root.loras, self.template, lora) if self.template else self.root.loras

    def _left_behind(self, path: Path, file: LoraFile) -> bool:
        """Whether these very bytes lie there unrecorded: copied by hand, or left when hubsync was killed."""
        if not file.sha256 or not path.is_file() or self.records.by_path(path):
            return False
        return hash_file(path).sha256 == file.sha256.lower()


class _Batch:
    """The plans made so far, and the names in use: in the library, on disk, or by one of them; read when needed."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._read: set[Path] = set()
        self._brought: dict[str, Plan] = {}

    def free(self, stem: str, more: Sequence[str], folder: Path) -> str:
        """`stem`, or something like it that nothing else is called, nor a file of `folder` nobody recorded."""
        root = self._planner.root
        for place in {root.loras, root.embeddings, folder} - self._read:
            self._taken.update(stem.casefold() for stem in placement.stems_in(place))
            self._read.add(place)
        return placement.unique_stem(stem, taken=self._taken, suffixes=more)

    def cautions(self, stem: str) -> Iterator[str]:
        """What AUTOMATIC1111 makes of that name: it also looks LoRAs up by the names they were trained under."""
        for name in self._trained_as.get(stem, ()):
            yield f"{name} was trained as {stem}: its card in AUTOMATIC1111 will load this LoRA instead"

    def twin(self, file: LoraFile) -> Plan | None:
        """The plan that brings the same bytes."""
        return self._brought.get((file.sha256 or "").lower())

    def take(self, plan: Plan) -> None:
        """A plan has its name, and brings its bytes."""
        self._taken.add(plan.target.stem.casefold())
        if plan.file.sha256:
            self._brought[plan.file.sha256.lower()] = plan

    @cached_property
    def _taken(self) -> set[str]:
        return {*self._planner.records.names()}

    @cached_property
    def _trained_as(self) -> Mapping[str, Sequence[str]]:
        """The LoRAs that were trained under another name than theirs, by that."""
        found: dict[str, list[str]] = defaultdict(list)
        for name, alias, _ in self._planner.records.names_and_aliases():
            if alias and alias != name:
                found[alias].append(name)
        return found


def free_space(folder: Path) -> int:
    """Bytes free where a folder is, or would be."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return shutil.disk_usage(there).free


def _check_space(plan: Plan) -> None:
    needed = (plan.file.size or 0) - plan.part.done
    if not plan.adopted and needed > plan.space_left:
        raise NoSpace(
            f"{plan.file.name} needs {needed:,} bytes, {plan.space_left:,} are free in {plan.target.parent}",
            hint="free some space and run it again",
        )
