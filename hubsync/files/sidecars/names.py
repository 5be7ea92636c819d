"""Which files beside a LoRA belong to it: what tools name after its stem (reference: conventions §4, §7)."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_DOCUMENTS = (
    ".civitai.info", ".api_info.json", ".metadata.json", ".cm-info.json", ".swarm.json", ".json", ".description.txt",
    ".txt", ".html",
)  # fmt: skip
PICTURES = ("png", "jpg", "jpeg", "webp", "gif", "avif", "jxl", "mp4", "webm")

ENDINGS = (*_DOCUMENTS, *(f"{inner}.{kind}" for kind in PICTURES for inner in (".preview", ".thumb", "")))
"""What follows the stem of a LoRA in the names of its companions, in lower case; any case counts."""

# By the last part of an ending: what may stand before it. Two look-ups a name; a pattern would take ten times as long.
_INNER = {
    last: frozenset(ending[1:].rpartition(".")[0] for ending in ENDINGS if ending.endswith(f".{last}"))
    for last in {ending.rpartition(".")[2] for ending in ENDINGS}
}


def stem_and_ending(file_name: str) -> tuple[str, str] | None:
    """The stem a companion belongs to and its ending in lower case; None of a file that is no companion.

    The longest ending counts: `foo.metadata.json` belongs to `foo`, but `foo.v2.json` to `foo.v2`.
    """
    stem, _, last = file_name.rpartition(".")
    last = last.lower()
    inner = _INNER.get(last)
    if inner is None or not stem:
        return None
    shorter, _, middle = stem.rpartition(".")
    middle = middle.lower()
    if shorter and middle and middle in inner:
        return shorter, f".{middle}.{last}"
    return (stem, f".{last}") if "" in inner else None


def beside(lora: Path) -> list[Path]:
    """The companions of a LoRA that lie beside it, by name; none where the folder cannot be read."""
    found, begin = [], f"{lora.stem}."
    with suppress(OSError), os.scandir(lora.parent) as entries:
        for entry in entries:
            # Looked at first: a folder may hold ten thousand others.
            companion = stem_and_ending(entry.name) if entry.name.startswith(begin) else None
            if companion and companion[0] == lora.stem and entry.is_file():
                found.append(lora.with_name(entry.name))
    return sorted(found)


def sidecar_path(lora: Path) -> Path:
    """`<stem>.json`; the stem may hold dots, so it is never found by replacing a suffix twice."""
    return lora.with_name(f"{lora.stem}.json")


def preview_path(lora: Path) -> Path:
    """`<stem>.preview.png`: the one name every tool looks for."""
    return lora.with_name(f"{lora.stem}.preview.png")


def info_path(lora: Path) -> Path:
    """`<stem>.civitai.info`, as Civitai Helper names it."""
    return lora.with_name(f"{lora.stem}.civitai.info")
