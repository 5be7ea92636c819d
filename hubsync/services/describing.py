"""What the library is told of a file just placed: by its header, by the hub, and by what it knew before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from hubsync.domain import Installed, LoraType, TriggerGroup, TriggerWord, TriggerWords, WordSource
from hubsync.files import header, metadata, network
from hubsync.files.transfer import Received
from hubsync.prompts.words import same
from hubsync.refs import Source
from hubsync.services.choosing import is_embedding
from hubsync.services.planning import Plan


def describe(plan: Plan, received: Received, *, now: datetime) -> Installed:
    """Everything known of a file just placed: what its header says, what the hub says. Weights outrank the hub."""
    read, _ = header.partial_header(plan.target) if plan.file.format == "safetensors" else (None, "")
    read = read or header.Header(tensors={}, metadata={}, length=0, file_size=received.size)
    facts = network.examine(read, path=plan.target)
    hashes = received.hashes
    lora, version = plan.lora, plan.version
    embedding = is_embedding(lora, plan.file)
    groups = _groups(plan, metadata.trigger_phrase(read.metadata))
    return Installed(
        name=plan.target.stem,
        path=plan.target,
        title=lora.name,
        alias=metadata.alias(read.metadata),
        ref=plan.file.ref,
        type=LoraType.EMBEDDING if embedding else lora.type,
        base_model=version.base_model,
        family=facts.family or version.family,
        network=facts.network,
        rank=facts.rank,
        alpha=facts.alpha,
        size=received.size,
        sha256=hashes.sha256,
        autov2=hashes.autov2,
        autov3=hashes.autov3 or plan.file.autov3,
        groups=groups,
        suggestions=tuple(one for one in metadata.suggestions(read.metadata) if not _known(one.text, groups)),
        weight=version.suggested_weight,
        negative=version.suggested_negative,
        creator=lora.creator,
        tags=lora.tags,
        nsfw_level=lora.nsfw_level,
        installed_at=now,
    )


def _groups(plan: Plan, phrase: Sequence[str]) -> tuple[TriggerGroup, ...]:
    """Trigger groups from the best source there is; an embedding is triggered by its file stem."""
    if is_embedding(plan.lora, plan.file):
        return _grouped(((plan.target.stem,),), WordSource.FILE_NAME)
    if words := plan.version.trigger_words:
        return _grouped(words, WordSource.CIVITAI if plan.lora.source is Source.CIVITAI else WordSource.CARD)
    return _grouped((tuple(phrase),) if phrase else (), WordSource.METADATA)


def _known(text: str, groups: Sequence[TriggerGroup]) -> bool:
    return any(same(text, word.text) for group in groups for word in group.words)


def _grouped(words: TriggerWords, source: WordSource) -> tuple[TriggerGroup, ...]:
    """Groups numbered from 1; the first is the default one."""
    return tuple(
        TriggerGroup(
            index=index,
            enabled=index == 1,
            words=tuple(TriggerWord(text=text, source=source) for text in group),
        )
        for index, group in enumerate(words, start=1)
    )


def keep_edits(lora: Installed, known: Installed) -> Installed:
    """A fresh description of a LoRA that was here: what the library already holds of the user's is kept."""
    return replace(
        lora,
        groups=known.groups or lora.groups,
        weight=known.weight if known.weight is not None else lora.weight,
        negative=known.negative or lora.negative,
        notes=known.notes,
        preview=known.preview,
    )
