"""What the files beside a LoRA say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hubsync.domain import Statement
from hubsync.files.sidecars import pictures
from hubsync.files.sidecars.names import PICTURES, stem_and_ending
from hubsync.refs import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What sidecars say.

    statements: at most one for each source: USER is what hubsync kept, CIVITAI what tools copied from there, SIDECAR
        what people wrote with other tools, METADATA what SwarmUI would have in the file.
    preview: a still picture by its bytes.
    problems: a sentence on each sidecar that could not be read.
    wrote: what hubsync wrote of `<stem>.json`, for `write`.
    """

    ref: Ref | None = None
    title: str | None = None
    base_model: str | None = None
    creator: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    nsfw_level: int | None = None
    statements: tuple[Statement, ...] = ()
    pinned: bool = False
    preview: Path | None = None
    problems: tuple[str, ...] = ()
    wrote: Mapping[str, Any] = field(default_factory=dict)


def told_by(lora: Path, files: Sequence[Path]) -> Told:
    """What those of `files` say that belong to a LoRA. Nothing in them is an error; nothing is written."""
    named = _by_ending(lora, files)
    if all(ending.endswith(PICTURES) for ending in named):
        return Told(preview=pictures.best(named))
    # What reads documents takes 15 ms to load, which a fresh download need not wait for.
    from hubsync.files.sidecars.telling import read_all

    return read_all(lora, named)


def _by_ending(lora: Path, files: Sequence[Path]) -> dict[str, Path]:
    """The companions of a LoRA by their endings; of two that differ in case alone the lower-case one counts."""
    found = ((stem_and_ending(file.name), file) for file in sorted(files))
    return {companion[1]: file for companion, file in found if companion and companion[0] == lora.stem}
