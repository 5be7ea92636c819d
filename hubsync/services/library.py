"""The library: what is installed, found by name, and one file looked into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hubsync.domain import Facets, Installed, ListFilter, Statement, Suggestion
from hubsync.errors import Ambiguous, BadReference, NotFound
from hubsync.files.header import partial_header
from hubsync.files.inspection import Inspection, inspect
from hubsync.files.metadata import suggestions
from hubsync.files.placement import SUFFIX, stem_of
from hubsync.prompts.words import key
from hubsync.refs import CivitaiRef, HuggingFaceRef, parse_ref
from hubsync.store.records import Records

LEAST_REACTION = 0.2
"""Score of a word that a LoRA reacts to; measured: its own words 0.78 to 0.88, others 0.15 and, rarely, 0.35."""

_MOST_SUGGESTIONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of one LoRA besides its row: what each source says, words it may want, the files beside it."""

    statements: Sequence[Statement]
    suggestions: Sequence[Suggestion]
    companions: Sequence[Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryService:
    """Questions to one library."""

    records: Records

    def list(self, wanted: ListFilter | None = None, *, limit: int = -1, offset: int = 0) -> Sequence[Installed]:
        """A page of the installed LoRAs that fit, ordered; all of them without a limit."""
        return self.records.page(wanted or ListFilter(), limit=limit, offset=offset)

    def count(self, wanted: ListFilter) -> int:
        """How many of the installed LoRAs fit."""
        return self.records.count(wanted)

    def facets(self) -> Facets:
        """What the library can be narrowed to, with the number of LoRAs each."""
        return self.records.facets()

    def find(self, name: str) -> Installed:
        """The LoRA a NAME means: its stem, path, or reference; case-insensitive.

        Raises:
            NotFound: none, with the nearest names. Ambiguous: a reference that fits several.
        """
        found = self._by_path(name) or self.records.by_name(stem_of(name)) or self._by_ref(name)
        if exact := [lora for lora in found if lora.name == name]:
            found = exact
        if len(found) == 1:
            return found[0]
        if found:
            places = ", ".join(str(lora.path) for lora in found)
            raise Ambiguous(f"'{name}' is installed more than once: {places}", hint="use one of these paths")
        near = self.similar(name)
        hint = f"did you mean {', '.join(near)}?" if near else "`hubsync list` shows what is installed"
        raise NotFound(f"no installed LoRA is called '{name}'", hint=hint)

    def similar(self, name: str) -> Sequence[str]:
        """Up to three installed names that look like `name`, the nearest first."""
        return self.records.near(name)

    def statements(self, lora: Installed) -> Sequence[Statement]:
        """What every source says of a LoRA, the most trusted first."""
        entry = self.records.entry(lora.path)
        return entry.statements if entry else ()

    def suggestions(self, lora: Installed) -> Sequence[Suggestion]:
        """Words a LoRA may want, without those it has: first those it was seen to react to, then its header's hints.

        A hint that was tried out and did nothing is none.
        """
        known = {key(word.text) for group in lora.groups for word in group.words}
        tried = self.records.suggested(lora.path)
        known |= {key(one.text) for one in tried if one.score < LEAST_REACTION}
        unknown: dict[str, Suggestion] = {}
        for one in (*tried, *suggestions(self.header(lora))):
            if (word := key(one.text)) not in known:
                unknown.setdefault(word, one)
        return [*unknown.values()][:_MOST_SUGGESTIONS]

    def known(self, lora: Installed) -> Known:
        """What is known of a LoRA besides its row; its header and its folder are read for it."""
        from hubsync.files.sidecars import beside  # 3 ms that lists need not pay

        return Known(statements=self.statements(lora), suggestions=self.suggestions(lora), companions=beside(lora.path))

    def header(self, lora: Installed) -> Mapping[str, str]:
        """The metadata in a LoRA's file, read when asked for; nothing where there is none."""
        if lora.missing or lora.path.suffix.lower() not in {SUFFIX, ".sft"}:
            return {}
        header, _ = partial_header(lora.path)
        return header.metadata if header else {}

    def inspect(self, path: Path) -> Inspection:
        """A file's header, read without loading tensors.

        Raises:
            NotFound, NoPermission: it cannot be read.
        """
        return inspect(path)

    def _by_path(self, name: str) -> Sequence[Installed]:
        """A whole path, or the end of one as tools show it: `folder/stem`, with or without the ending."""
        path = Path(name).expanduser()
        if path.suffix != SUFFIX and len(path.parts) < 2:
            return []
        alike = (lora for lora in self.records.by_name(stem_of(path.name)) if len(path.parts) > 1)
        parts = (*path.parts[:-1], stem_of(path.name))
        return self.records.by_path(path.absolute()) or [
            lora for lora in alike if (*lora.path.parts[:-1], lora.name)[-len(parts) :] == parts
        ]

    def _by_ref(self, name: str) -> Sequence[Installed]:
        try:
            ref = parse_ref(name)
        except BadReference:
            return []
        if isinstance(ref, CivitaiRef):
            pattern = f"civitai:{ref.model}@%" if ref.model else f"civitai:%@{ref.version}%"
        elif isinstance(ref, HuggingFaceRef):
            pattern = f"hf:{ref.repo}@%"
        else:
            return self.records.by_hash(ref.value)
        return [lora for lora in self.records.by_ref(pattern) if _means(ref, lora)]


def _means(ref: CivitaiRef | HuggingFaceRef, lora: Installed) -> bool:
    """Whether a reference, which may leave parts out, fits the one a LoRA was installed from."""
    known = lora.ref
    if isinstance(ref, CivitaiRef) and isinstance(known, CivitaiRef):
        parts = ((ref.model, known.model), (ref.version, known.version), (ref.file, known.file))
        return all(asked is None or asked == have for asked, have in parts)
    if isinstance(ref, HuggingFaceRef) and isinstance(known, HuggingFaceRef):
        same_repo = ref.repo.casefold() == known.repo.casefold()
        return same_repo and ref.path in {None, known.path} and ref.revision in {None, known.revision}
    return False
