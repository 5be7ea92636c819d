"""An installed LoRA for the tests of what hubsync writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hubsync.domain import Installed, TriggerGroup, TriggerWord, WordSource
from hubsync.refs import CivitaiRef


def group(*words: str, index: int = 1, source: WordSource = WordSource.CIVITAI, enabled: bool = True) -> TriggerGroup:
    """A group of words; those that begin with `-` are off."""
    found = (TriggerWord(text=word.lstrip("-"), source=source, enabled=word[0] != "-") for word in words)
    return TriggerGroup(index=index, words=tuple(found), enabled=enabled)


def installed(path: Path, **changes: Any) -> Installed:
    """A LoRA with two outfits, of which one is on."""
    groups = (group("mona (day)", "-hat"), group("night", index=2, enabled=False))
    known: dict[str, Any] = {"family": "sdxl", "weight": 0.7, "groups": groups, "ref": CivitaiRef(model=10, version=20)}
    return Installed(name=path.stem, path=path, title="Mona", **{**known, **changes})
