"""What the library keeps of a LoRA: what its file and sidecars say, then what a hub says. Weights outrank the hub."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hubsync.domain import Entry, Installed, Lora, LoraFile, LoraType, Statement, Version, WordSource, grouped
from hubsync.files.glance import Glance
from hubsync.files.hashes import Hashes
from hubsync.files.sidecars import Told, told_by
from hubsync.files.walking import Found
from hubsync.prompts.sources import said_by, without
from hubsync.refs import Source

_HASHES = tuple(field.name for field in fields(Hashes))
_SILENT = Told()
_TYPES = {"locon": LoraType.LOCON, "dora": LoraType.DORA}
_OF_HUBS = {WordSource.CIVITAI, WordSource.CARD, WordSource.DESCRIPTION}
_OF_DISK = {WordSource.SIDECAR, WordSource.METADATA, WordSource.FILE_NAME}


def from_sidecars(found: Found) -> Told:
    """What the files beside a LoRA say."""
    if not found.beside:
        return _SILENT
    path = Path(found.path)
    return told_by(path, [path.with_name(name) for name in found.beside])


def from_disk(found: Found, glance: Glance, told: Told, *, embedding: bool) -> Entry:
    """What a file and the files beside it say. An embedding is triggered by its file stem."""
    path = Path(found.path)
    stem, embedding = path.stem, embedding or glance.kind == "embedding"
    statements = list(told.statements)
    if embedding:
        statements.append(statement(WordSource.FILE_NAME, (stem,)))
    elif glance.trigger_words:
        phrase = statement(WordSource.METADATA, glance.trigger_words)
        hint = said_by(statements, WordSource.METADATA)
        statements = [*without(statements, WordSource.METADATA), replace(phrase, notes=hint.notes if hint else None)]
    lora = Installed(
        name=stem,
        path=path,
        title=told.title or glance.title or stem,
        alias=glance.alias,
        ref=told.ref,
        type=LoraType.EMBEDDING if embedding else _type(glance.network),
        base_model=told.base_model,
        family=glance.family,
        network=glance.network,
        rank=glance.rank,
        alpha=glance.alpha,
        size=found.size,
        creator=told.creator,
        tags=told.tags,
        nsfw_level=told.nsfw_level,
        preview=told.preview,
        pinned=told.pinned,
        installed_at=datetime.fromtimestamp(found.mtime_ns / 1e9, UTC),
    )
    return _described(
        Entry(
            lora=lora,
            stamp=found.stamp,
            statements=tuple(statements),
            written=told.wrote,
            description=told.description or "",
        )
    )


def _type(network: str | None) -> LoraType:
    return _TYPES.get(network or "", LoraType.LORA)


def from_hub(entry: Entry, lora: Lora, version: Version, file: LoraFile) -> Entry:
    """The entry with what a hub says of that file; what a user or a sidecar says of its use stays."""
    known = entry.lora
    source = WordSource.CIVITAI if lora.source is Source.CIVITAI else WordSource.CARD
    words = Statement(
        source=source,
        raw=version.raw_words,
        groups=grouped(version.trigger_words, source) if version.trigger_words else None,
        weight=version.suggested_weight,
        negative=version.suggested_negative,
    )
    others = without(entry.statements, *_OF_HUBS)
    embedding = known.type is LoraType.EMBEDDING
    return _described(
        replace(
            entry,
            lora=replace(
                known,
                title=lora.name,
                ref=file.ref,
                type=known.type if embedding or lora.type is LoraType.OTHER else lora.type,
                base_model=version.base_model or known.base_model,
                family=known.family or version.family,
                autov3=known.autov3 or file.autov3,
                creator=lora.creator or known.creator,
                tags=lora.tags or known.tags,
                nsfw_level=known.nsfw_level if lora.nsfw_level is None else lora.nsfw_level,
            ),
            statements=(*others, words),
            description=lora.description or entry.description,
        )
    )


def with_hashes(entry: Entry, hashes: Hashes) -> Entry:
    """The entry with the hashes of its file, those that were computed."""
    new = {name: value for name in _HASHES if (value := getattr(hashes, name)) is not None}
    return replace(entry, lora=replace(entry.lora, **new))


def carried(fresh: Entry, known: Entry) -> Entry:
    """What the disk says now, with what the library knows besides: of hubs and of the user.

    Hashes are those of the same bytes: of a file of another size or time they are computed anew.
    """
    new, old = fresh.lora, known.lora
    same = (fresh.stamp.size, fresh.stamp.mtime_ns) == (known.stamp.size, known.stamp.mtime_ns)
    hashes = {name: getattr(old, name) for name in _HASHES} if same else {}
    sources = {one.source for one in known.statements}
    kept = without(known.statements, *_OF_DISK)
    told = [one for one in fresh.statements if one.source in _OF_DISK or one.source not in sources]
    return replace(
        fresh,
        lora=replace(
            new,
            title=old.title if old.ref else new.title,
            ref=old.ref or new.ref,
            type=old.type if old.ref else new.type,
            base_model=old.base_model or new.base_model,
            family=new.family or old.family,
            creator=old.creator or new.creator,
            tags=old.tags or new.tags,
            nsfw_level=new.nsfw_level if old.nsfw_level is None else old.nsfw_level,
            installed_at=old.installed_at,
            outdated=old.outdated,
            newer=old.newer,
            pinned=old.pinned or new.pinned,
            **hashes,
        ),
        statements=(*kept, *told),
        written=known.written or fresh.written,
        description=known.description or fresh.description,
    )


def forgotten(entry: Entry) -> Entry:
    """The entry of a file that turned out to be another one under the same name: what hubs said was of the old."""
    lora = replace(entry.lora, ref=None, title=entry.lora.name, outdated=None, newer=None)
    return replace(entry, lora=lora, statements=without(entry.statements, *_OF_HUBS), description="")


def info_of(lora: Lora, version: Version) -> dict[str, Any]:
    """A version as `.civitai.info` holds it: Civitai's answer to `GET /model-versions/:id`, as far as it is known."""
    ref = version.ref
    return {
        "id": getattr(ref, "version", None),
        "modelId": getattr(ref, "model", None),
        "name": version.name,
        "baseModel": version.base_model,
        "publishedAt": version.published_at.isoformat() if version.published_at else None,
        "trainedWords": list(version.raw_words),
        "description": lora.description,
        "model": {"name": lora.name, "type": _type_name(lora.type), "nsfw": lora.nsfw, "tags": list(lora.tags)},
        "creator": {"username": lora.creator} if lora.creator else None,
        "files": [
            {
                "id": getattr(file.ref, "file", None),
                "name": file.name,
                "sizeKB": None if file.size is None else file.size / 1024,
                "type": "Model",
                "primary": file.primary,
                "hashes": {"SHA256": file.sha256.upper()} if file.sha256 else {},
            }
            for file in version.files
        ],
        "images": [
            {
                "url": preview.url,
                "type": preview.kind,
                "width": preview.width,
                "height": preview.height,
                "nsfwLevel": preview.nsfw_level,
            }
            for preview in version.previews
        ],
    }


def _type_name(kind: LoraType) -> str:
    """As Civitai spells it."""
    return {LoraType.LORA: "LORA", LoraType.LOCON: "LoCon", LoraType.EMBEDDING: "TextualInversion"}.get(kind, "DoRA")


def statement(source: WordSource, words: tuple[str, ...]) -> Statement:
    """What a source says that states one group of words."""
    return Statement(source=source, raw=words, groups=grouped((words,), source))


def _described(entry: Entry) -> Entry:
    """The entry with words its description calls trigger words, where no better source states any.

    17 % of Civitai's versions without words speak of a trigger there.
    """
    if not entry.statements and not entry.description:
        return entry
    others = without(entry.statements, WordSource.DESCRIPTION)
    words: tuple[str, ...] = ()
    if entry.description and not any(one.groups for one in others):
        from hubsync.hubs.cards.words import trigger_words

        words = trigger_words(entry.description, instance="", repo="")
    said = (*others, statement(WordSource.DESCRIPTION, words)) if words else others
    return entry if said == entry.statements else replace(entry, statements=said)
