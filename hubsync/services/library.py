"""The library: what is installed, found by name, and one file looked into."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hubsync.domain import Installed
from hubsync.errors import Ambiguous, BadReference, NotFound
from hubsync.files.inspection import Inspection, inspect
from hubsync.files.placement import SUFFIX, stem_of
from hubsync.refs import CivitaiRef, HuggingFaceRef, Ref, Source, parse_ref
from hubsync.store.records import Records


class ListSort(StrEnum):
    """Orders of the library."""

    NAME = "name"
    NEWEST = "newest"
    SIZE = "size"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFilter:
    """What of the library to show; every condition given must hold."""

    text: str = ""
    base: str | None = None
    family: str | None = None
    tag: str | None = None
    source: Source | None = None
    trigger: str | None = None
    missing: bool = False
    outdated: bool = False
    sort: ListSort = ListSort.NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryService:
    """Questions to one library."""

    records: Records

    def list(self, wanted: ListFilter | None = None) -> Sequence[Installed]:
        """Installed LoRAs that fit, ordered."""
        wanted = wanted or ListFilter()
        found = [lora for lora in self.records.all() if _fits(lora, wanted)]
        if wanted.sort is ListSort.NEWEST:
            found.sort(key=lambda lora: lora.installed_at.timestamp() if lora.installed_at else 0.0, reverse=True)
        elif wanted.sort is ListSort.SIZE:
            found.sort(key=lambda lora: -lora.size)
        return found

    def find(self, name: str) -> Installed:
        """The LoRA a NAME means: its stem, path, or reference; case-insensitive.

        Raises:
            NotFound: none, with the nearest names. Ambiguous: a reference that fits several.
        """
        found = self._by_path(name) or self.records.by_name(stem_of(name)) or self._by_ref(name)
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(lora.name for lora in found)
            raise Ambiguous(f"'{name}' is installed more than once: {names}", hint="use one of these names")
        near = self.similar(name)
        hint = f"did you mean {', '.join(near)}?" if near else "`hubsync list` shows what is installed"
        raise NotFound(f"no installed LoRA is called '{name}'", hint=hint)

    def similar(self, name: str) -> Sequence[str]:
        """Up to three installed names that look like `name`, the nearest first."""
        return difflib.get_close_matches(name.casefold(), list(self.records.names()), n=3)

    def inspect(self, path: Path) -> Inspection:
        """A file's header, read without loading tensors.

        Raises:
            NotFound, NoPermission: it cannot be read.
        """
        return inspect(path)

    def _by_path(self, name: str) -> Sequence[Installed]:
        path = Path(name).expanduser()
        return self.records.by_path(path.absolute()) if path.suffix == SUFFIX or len(path.parts) > 1 else []

    def _by_ref(self, name: str) -> Sequence[Installed]:
        try:
            ref = parse_ref(name)
        except BadReference:
            return []
        return [lora for lora in self.records.all("ref IS NOT NULL") if lora.ref and _means(ref, lora)]


def _fits(lora: Installed, wanted: ListFilter) -> bool:
    conditions: Iterable[Callable[[], bool]] = (
        lambda: not wanted.text or wanted.text.casefold() in _haystack(lora),
        lambda: wanted.base is None or (lora.base_model or "").casefold() == wanted.base.casefold(),
        lambda: wanted.family is None or lora.family == wanted.family.casefold(),
        lambda: wanted.tag is None or wanted.tag.casefold() in {tag.casefold() for tag in lora.tags},
        lambda: wanted.source is None or (lora.ref is not None and lora.ref.source is wanted.source),
        lambda: wanted.trigger is None or wanted.trigger.casefold() in _words(lora),
        lambda: not wanted.missing or lora.missing,
        lambda: not wanted.outdated or bool(lora.outdated),
    )
    return all(condition() for condition in conditions)


def _words(lora: Installed) -> set[str]:
    return {word.text.casefold() for group in lora.groups for word in group.words}


def _haystack(lora: Installed) -> str:
    return "\n".join((lora.name, lora.title, lora.creator or "", *lora.tags, *_words(lora))).casefold()


def _means(ref: Ref, lora: Installed) -> bool:
    """Whether a reference, which may leave parts out, fits the one a LoRA was installed from."""
    known = lora.ref
    if isinstance(ref, CivitaiRef) and isinstance(known, CivitaiRef):
        parts = ((ref.model, known.model), (ref.version, known.version), (ref.file, known.file))
        return all(asked is None or asked == have for asked, have in parts)
    if isinstance(ref, HuggingFaceRef) and isinstance(known, HuggingFaceRef):
        same_repo = ref.repo.casefold() == known.repo.casefold()
        return same_repo and ref.path in {None, known.path} and ref.revision in {None, known.revision}
    return not isinstance(ref, (CivitaiRef, HuggingFaceRef)) and ref.value in {lora.sha256, lora.autov2, lora.autov3}
