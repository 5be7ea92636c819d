"""Sidecars that people fill in through their tools: AUTOMATIC1111's, Lora-Manager's and SwarmUI's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hubsync.domain import Statement, WordSource, grouped
from hubsync.files.sidecars import shapes
from hubsync.files.sidecars.civitai import of_version
from hubsync.files.sidecars.heard import LONGEST_WORDS, Heard, base, level, name, names, paragraphs, words
from hubsync.files.sidecars.own import finite, said
from hubsync.lenient import read
from hubsync.prompts.words import groups, split
from hubsync.text import plain

_TAG = re.compile(r"<[^<>:]*:[^<>]*>")  # words such as `<s0>` hold no colon
_ESCAPE = re.compile(r"\\([()\[\]\\])")


def of_automatic(document: Mapping[str, Any], relayed: Sequence[Heard]) -> Statement:
    """What a human wrote into `<stem>.json`, where `relayed` is what its makers may have copied into it.

    Civitai Helper joins trained words with `, ` or ` || `, Civitai Browser+ with `,` and without what is in angle
    brackets; the former puts the version's description into the notes.
    """
    found = read(document, shapes.Automatic) or shapes.Automatic()
    activation = said(found.activation[:LONGEST_WORDS])
    notes = said(found.notes)
    copied = {_mixed([activation])} & {_mixed(heard.words) for heard in relayed if heard.words}
    parts = () if copied else tuple(dict.fromkeys(split(part) for part in activation.split("||")))
    copied_notes = _letters(notes) in {_letters(heard.version_text) for heard in relayed}
    return Statement(
        source=WordSource.SIDECAR,
        raw=(activation,) if any(parts) else (),
        groups=grouped(tuple(filter(None, parts)), WordSource.SIDECAR) or None,
        weight=finite(found.weight) or None,
        negative=said(found.negative) or None,
        notes=None if copied_notes else notes or None,
    )


def _mixed(entries: Iterable[str]) -> frozenset[str]:
    """The words of some entries in no order, however they are joined, as a tool that copies leaves them.

    Whoever changed a letter or a weight wrote them anew.
    """
    pieces = re.split(r",|\|\|", ",".join(_TAG.sub("", entry) for entry in entries))
    return frozenset(" ".join(_ESCAPE.sub(r"\1", piece).split()) for piece in pieces) - {""}


def _letters(markup: str) -> str:
    return "".join(plain(markup).split())


def manager_title(document: Mapping[str, Any]) -> str:
    """The name a user of Lora-Manager gave a LoRA; at first it is Civitai's, or the file's."""
    found = read(document, shapes.Manager) or shapes.Manager()
    version = read(found.civitai, shapes.Version) or shapes.Version()
    model = read(version.model, shapes.Model) or shapes.Model()
    title = name(found.model_name)
    return "" if title in {name(model.name), name(found.file_name)} or not model.name else title


def of_manager(document: Mapping[str, Any], lora: Path) -> tuple[Heard, Statement]:
    """Lora-Manager's `.metadata.json`, in which it keeps Civitai's answer; its users edit words and tags in place."""
    found = read(document, shapes.Manager) or shapes.Manager()
    version = of_version(found.civitai, lora)
    heard = replace(
        version,
        title=version.title or name(found.model_name),
        base_model=version.base_model or base(found.base_model),
        description=version.description or paragraphs(found.description),
        tags=names(found.tags) or version.tags,
        nsfw_level=version.nsfw_level or level(found.preview_nsfw_level),
        sha256=found.sha256.casefold() or version.sha256,
    )
    return heard, Statement(
        source=WordSource.SIDECAR,
        raw=version.words,
        groups=grouped(groups(version.words), WordSource.SIDECAR) or None,
        weight=_strength(found.usage_tips),
        notes=said(found.notes) or None,
    )


def _strength(raw: object) -> float | None:
    try:
        tips = json.loads(raw) if isinstance(raw, str) else raw
    except (ValueError, RecursionError):
        return None
    found = read(tips, shapes.Tips)
    return finite(found.strength) or None if found else None


def of_swarm(document: Mapping[str, Any]) -> tuple[Heard, Statement]:
    """SwarmUI's `.swarm.json`: the file's own metadata, as its editor changes them. It joins phrases with `;`."""
    found = read({key.removeprefix("modelspec."): value for key, value in document.items()}, shapes.Swarm)
    found = found or shapes.Swarm()
    phrases = words(found.trigger_phrase.split(";"))
    heard = Heard(
        title=name(found.title),
        creator=name(found.author),
        description=paragraphs(found.description),
        tags=names(found.tags.split(",") if isinstance(found.tags, str) else found.tags),
    )
    return heard, Statement(
        source=WordSource.METADATA,
        raw=phrases,
        groups=grouped(groups(phrases), WordSource.METADATA) or None,
        weight=finite(found.lora_default_weight) or None,
        notes=said(plain(found.usage_hint)) or None,
    )
