"""Each tool's say about one LoRA, and what follows from all of them for the statements of the library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hubsync.domain import Statement, WordSource, grouped
from hubsync.files.sidecars import civitai, people, shapes
from hubsync.files.sidecars.heard import LONGEST_WORDS, Heard, name
from hubsync.files.sidecars.keys import edited
from hubsync.files.sidecars.own import Kept, finite
from hubsync.lenient import read
from hubsync.prompts.words import groups, split, weight_hint
from hubsync.refs import CivitaiRef, Source

DOCUMENTS = (".json", ".civitai.info", ".api_info.json", ".metadata.json", ".cm-info.json", ".swarm.json")
"""Endings of the sidecars that are JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voices:
    """Each tool's say."""

    info: Heard
    answer: Heard
    matrix: Heard
    manager: Heard
    swarm: Heard
    titles: tuple[str, ...]
    managed: Statement
    swarmed: Statement

    @classmethod
    def of(cls, lora: Path, documents: Mapping[str, Mapping[str, Any]], own: Kept) -> Voices:
        """Hear all of them. `documents` are a LoRA's sidecars by their endings."""
        found = {ending: documents.get(ending, {}) for ending in DOCUMENTS}
        matrix = civitai.of_matrix(found[".cm-info.json"])
        manager, managed = people.of_manager(found[".metadata.json"], lora)
        swarm, swarmed = people.of_swarm(found[".swarm.json"])
        # Civitai Browser+ once wrote the whole model there.
        whole = "modelVersions" in found[".civitai.info"]
        info = Heard() if whole else civitai.of_version(found[".civitai.info"], lora)
        automatic = read(found[".json"], shapes.Automatic) or shapes.Automatic()
        refs = [own.ref, *(one.ref for one in (info, matrix, manager))]
        answer = civitai.of_model(
            found[".api_info.json"] or (found[".civitai.info"] if whole else {}),
            lora,
            versions={ref.version for ref in refs if isinstance(ref, CivitaiRef) and ref.version},
            hashes={automatic.sha256.casefold(), info.sha256, matrix.sha256, manager.sha256} - {""},
        )
        user_title = (read(found[".cm-info.json"], shapes.Matrix) or shapes.Matrix()).user_title
        return cls(
            info=info,
            answer=answer,
            matrix=matrix,
            manager=manager,
            swarm=swarm,
            titles=(name(user_title), people.manager_title(found[".metadata.json"])),
            managed=managed,
            swarmed=swarmed,
        )

    @property
    def heard(self) -> tuple[Heard, ...]:
        """By how near to Civitai a tool keeps what it says."""
        return self.info, self.answer, self.matrix, self.manager, self.swarm

    @property
    def by_ref(self) -> tuple[Heard, ...]:
        """By how sure the version is: in an answer on all versions it was chosen."""
        return self.info, self.matrix, self.manager, self.answer

    def statements(self, automatic: Mapping[str, Any], own: Kept) -> Iterator[Statement]:
        """One for each source that says anything."""
        copies = [one.words for one in (self.info, self.answer, self.matrix) if one.ref and one.words]
        managed = self.managed
        edited_there = copies and _trimmed(managed.raw) not in map(_trimmed, copies)
        if self.manager.ref and not edited_there:
            copies.append(managed.raw)
            managed = replace(managed, raw=(), groups=None)
        human = people.of_automatic(edited(automatic, own.wrote), self.heard)
        weighed = Statement(source=WordSource.SIDECAR, weight=self.swarmed.weight)
        for one in (
            own.user,
            _together(WordSource.SIDECAR, (human, managed, weighed)),
            _hubs(next(filter(None, copies), ()), own),
            replace(self.swarmed, weight=None),
        ):
            if one is not None and one != Statement(source=one.source):
                yield one


def _trimmed(words: Iterable[str]) -> list[str]:
    return [word.strip(" ,") for word in words]


def _together(source: WordSource, said: Sequence[Statement]) -> Statement:
    """What several tools say of use: for each thing the first of them that says it."""
    words = next((one for one in said if one.groups), Statement(source=source))
    return Statement(
        source=source,
        raw=words.raw,
        groups=words.groups,
        weight=next((one.weight for one in said if one.weight), None),
        negative=next((one.negative for one in said if one.negative), None),
        notes=next((one.notes for one in said if one.notes), None),
    )


def _hubs(raw: tuple[str, ...], own: Kept) -> Statement | None:
    """A hub's words: those that tools copied, else what is left of them in what hubsync wrote before."""
    source = WordSource.CARD if own.ref and own.ref.source is Source.HUGGINGFACE else WordSource.CIVITAI
    left = _left(own, source)
    if not raw:
        return left if own.ref else None
    hint = weight_hint(raw)
    return replace(
        left,
        source=WordSource.CIVITAI,
        raw=raw,
        groups=grouped(groups(raw), WordSource.CIVITAI) or None,
        weight=left.weight if hint is None else hint,
    )


def _left(own: Kept, source: WordSource) -> Statement:
    """What hubsync wrote that the user did not say: before the database was lost, a hub did."""
    wrote = read(own.wrote, shapes.Automatic) or shapes.Automatic()
    user = own.user or Statement(source=WordSource.USER)
    words = split(wrote.activation[:LONGEST_WORDS]) if user.groups is None else ()
    return Statement(
        source=source,
        groups=grouped((words,), source) if words else None,
        weight=finite(wrote.weight) or None if user.weight is None else None,
        negative=wrote.negative or None if user.negative is None else None,
    )
