"""Sidecars that repeat what Civitai said: Civitai Helper's, Civitai Browser+'s and Stability Matrix'."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from hubsync.files.sidecars import shapes
from hubsync.files.sidecars.heard import Heard, base, level, name, names, paragraphs, words
from hubsync.lenient import read, rows
from hubsync.refs import CivitaiRef


def of_version(raw: object, lora: Path, model: shapes.Model | None = None) -> Heard:
    """A version of Civitai's, `model` where it does not lie inside.

    Without an id it is a dummy that Civitai Helper made of an unknown file: its words are names of training folders.
    """
    found = read(raw, shapes.Version) or shapes.Version()
    if not found.id:
        return Heard(words=words(found.trained_words))
    model = model or read(found.model, shapes.Model) or shapes.Model()
    creator = read(found.creator, shapes.Creator) or read(model.creator, shapes.Creator) or shapes.Creator()
    file = _file_of(found.files, lora)
    return Heard(
        ref=CivitaiRef(model=found.model_id or model.id or None, version=found.id, file=file.id or None),
        title=name(model.name),
        base_model=base(found.base_model),
        creator=name(creator.username),
        description=paragraphs(model.description, found.description),
        version_text=found.description,
        tags=names(model.tags),
        nsfw_level=level(model.nsfw_level, found.nsfw_level, nsfw=model.nsfw),
        words=words(found.trained_words),
        sha256=_sha256(file.hashes),
    )


def of_model(raw: object, lora: Path, *, versions: Collection[int], hashes: Collection[str]) -> Heard:
    """A model with all its versions: the one meant has one of the ids, else a file with one of the hashes.

    Where no id is known it may also have a file of that name, or be the only one. Where none is found only what holds
    for every version counts.
    """
    model = read(raw, shapes.Model) or shapes.Model()
    raws = model.model_versions if isinstance(model.model_versions, list) else []
    numbered = [(one, read(one, shapes.Version) or shapes.Version()) for one in raws]
    meant = (
        [one for one, version in numbered if version.id in versions]
        or [one for one, version in numbered if _has_hash(version.files, hashes)]
        or [one for one, version in numbered if not versions and (len(raws) == 1 or _is_named(version.files, lora))]
    )
    heard = of_version(meant[0] if meant else None, lora, model)
    if heard.ref is None:
        return Heard(
            title=name(model.name),
            creator=name((read(model.creator, shapes.Creator) or shapes.Creator()).username),
            description=paragraphs(model.description),
            tags=names(model.tags),
            nsfw_level=level(model.nsfw_level, nsfw=model.nsfw),
        )
    return heard


def of_matrix(raw: object) -> Heard:
    """Stability Matrix' `.cm-info.json`; what comes from another hub has no ids."""
    found = read(raw, shapes.Matrix) or shapes.Matrix()
    ref = CivitaiRef(model=found.model_id or None, version=found.version_id, file=found.remote_file_id or None)
    return Heard(
        ref=ref if found.version_id else None,
        title=name(found.model_name),
        base_model=base(found.base_model),
        creator=name(found.author_username),
        description=paragraphs(found.model_description, found.version_description),
        version_text=found.version_description,
        tags=names(found.tags),
        nsfw_level=level(nsfw=found.nsfw),
        words=words(found.trained_words),
        sha256=_sha256(found.hashes),
    )


def _file_of(raw: object, lora: Path) -> shapes.File:
    """The file of a version that a LoRA is: the only model file, else the one of that name."""
    files = [file for file in rows(raw, shapes.File) if file.type in {"", "Model", "Pruned Model"}]
    if len(files) == 1:
        return files[0]
    return next((file for file in files if file.name.casefold() == lora.name.casefold()), shapes.File())


def _has_hash(raw: object, hashes: Collection[str]) -> bool:
    return any(_sha256(file.hashes) in hashes for file in rows(raw, shapes.File))


def _is_named(raw: object, lora: Path) -> bool:
    return any(file.name.casefold() == lora.name.casefold() for file in rows(raw, shapes.File))


def _sha256(raw: object) -> str:
    found = read(raw, shapes.Hashes)
    return found.sha256.casefold() if found else ""
