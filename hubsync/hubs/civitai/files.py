"""The files of a Civitai version: kind, format, hashes, scan, and which one is the LoRA."""

from __future__ import annotations

import re
from dataclasses import replace

from hubsync.domain import FileFormat, FileKind, LoraFile, LoraType, Scan
from hubsync.hubs.civitai import shapes as wire
from hubsync.hubs.formats import format_of
from hubsync.lenient import count, read, rows
from hubsync.refs import CivitaiRef
from hubsync.text import clean

TYPES = {
    "LORA": LoraType.LORA,
    "LoCon": LoraType.LOCON,
    "DoRA": LoraType.DORA,
    "TextualInversion": LoraType.EMBEDDING,
    "Checkpoint": LoraType.CHECKPOINT,
}
"""Civitai's type names; LyCORIS networks are `LoCon` there, and every other type is `LoraType.OTHER`."""


_KINDS: dict[str, FileKind] = {
    "Model": "model",
    "Pruned Model": "model",
    "Negative": "embedding",
    "Training Data": "training_data",
    "Config": "config",
}
_USABLE = ("model", "embedding")
_FORMATS: dict[str, FileFormat] = {"SafeTensor": "safetensors", "PickleTensor": "pickle"}
# The hash of nothing, which some trainers wrote into their files: it fits unrelated models.
_EMPTY_AUTOV3 = "e3b0c44298fc"


def files_of(model: wire.Model, version: wire.Version) -> tuple[LoraFile, ...]:
    """The files, the one to install first and marked: a model file, safetensors before the hub's own choice."""
    shapes = [shape for shape in rows(version.files, wire.File) if shape.name]
    built = [(_file(model, version, shape), shape.primary) for shape in shapes]

    def rank(item: tuple[LoraFile, bool]) -> tuple[bool, bool, bool]:
        file, chosen = item
        return file.kind not in _USABLE, file.format != "safetensors", not chosen

    ordered = [file for file, _ in sorted(built, key=rank)]
    if not ordered or ordered[0].kind not in _USABLE:
        return tuple(ordered)
    return replace(ordered[0], primary=True), *ordered[1:]


def _file(model: wire.Model, version: wire.Version, shape: wire.File) -> LoraFile:
    hashes = read(shape.hashes, wire.Hashes) or wire.Hashes()
    name = clean(shape.name)
    kind = _KINDS.get(shape.type, "other")
    if kind == "model" and TYPES.get(model.type) is LoraType.EMBEDDING:
        kind = "embedding"
    return LoraFile(
        ref=CivitaiRef(model=model.id, version=version.id, file=shape.id if shape.id > 0 else None),
        name=name,
        size=None if shape.size_kb is None else count(shape.size_kb * 1024 + 0.5),
        kind=kind,
        format=_format(name, shape),
        sha256=_hash(hashes.sha256, 64),
        autov3=_autov3(hashes.autov3),
        scan=_scan(shape),
    )


def _format(name: str, shape: wire.File) -> FileFormat:
    """By the name's extension; where that says nothing, by what the hub says."""
    told = (read(shape.metadata, wire.Format) or wire.Format()).format
    found = format_of(name)
    return _FORMATS.get(told, "other") if found == "other" else found


def _hash(text: str, digits: int) -> str | None:
    found = text.strip().lower()
    return found if re.fullmatch(rf"[0-9a-f]{{{digits}}}", found) else None


def _autov3(text: str) -> str | None:
    """12 hex digits; records of 2023 and 2024 hold all 64."""
    found = _hash(text, 12) or (_hash(text, 64) or "")[:12]
    return found if found and found != _EMPTY_AUTOV3 else None


def _scan(shape: wire.File) -> Scan:
    results = {shape.pickle_scan_result, shape.virus_scan_result} - {""}
    if "Danger" in results:
        return Scan.DANGER
    if "Pending" in results:
        return Scan.PENDING
    return Scan.OK if results == {"Success"} else Scan.UNKNOWN
