"""Which of a repository's files are weights, and which one is the LoRA."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath

from hubsync.domain import FileKind
from hubsync.hubs.formats import format_of

LARGEST_LORA = 2_500_000_000
"""Bytes; larger safetensors files are full checkpoints."""

_EMBEDDING = re.compile(r"_emb\.safetensors$|(?:^|/)(?:learned_embeds|embeddings\.(?:pti|safetensors))", re.IGNORECASE)
_NOT_THE_LORA = re.compile(
    r"(?:^|/)(?:checkpoint-\d+|optimizer|scheduler|unet|vae|text_encoder(?:_\d)?|transformer|tokenizer)/"
    r"|optimizer|scheduler|(?:^|/)training_args",
    re.IGNORECASE,
)
_STEP = re.compile(r"(?:[-_](?:step|epoch|e)?[-_]?0*\d{2,}(?:[-_]?steps?)?)$", re.IGNORECASE)
_DIFFUSERS = "pytorch_lora_weights.safetensors"
_USUAL = ("lora.safetensors", "adapter_model.safetensors")
# How file and folder names tell base models apart.
_HINTS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (family, re.compile(rf"(?<![a-z0-9])(?:{words})(?![a-z0-9])", re.IGNORECASE))
    for family, words in (
        ("sd1", r"sd[-_. ]?v?1[-_.]?[45x]?|v1-5"),
        ("sd2", r"sd[-_. ]?v?2[-_.]?[01]?"),
        ("sdxl", r"sd[-_. ]?xl|xl|pony|illustrious|noobai"),
        ("sd3", r"sd[-_. ]?v?3(?:[-_.]?5)?(?:m|l|medium|large)?"),
        ("flux1", r"flux(?:[-_.]?1)?(?:[-_.]?(?:dev|schnell|d|s))?"),
        ("flux2", r"flux[-_.]?2"),
        ("qwen_image", r"qwen(?:[-_]image)?"),
        ("z_image", r"z[-_]?image"),
        ("wan", r"wan(?:[-_.]?2[-_.]?[12])?"),
    )
)


def kind_of(path: str, *, size: int | None = None) -> FileKind:
    """What a weights file of a repository is: its LoRA, a companion embedding, or something else."""
    if _EMBEDDING.search(path):
        return "embedding"
    if _NOT_THE_LORA.search(path) or (size or 0) > LARGEST_LORA:
        return "other"
    return "model" if format_of(path) in {"safetensors", "pickle"} else "other"


def family_hint(path: str) -> str | None:
    """The base-model family a path names, None for none or several."""
    found = {family for family, pattern in _HINTS if pattern.search(path)}
    if {"flux1", "flux2"} <= found:
        found.discard("flux1")
    return found.pop() if len(found) == 1 else None


def choose(paths: Sequence[str], *, named: Sequence[str] = (), families: Collection[str] = ()) -> str | None:
    """The LoRA among safetensors files, None where a person must choose.

    `named` are the files the card names, best first, `families` those of the base models it names. Rules in order
    (huggingface.js and diffusers differ; these are a careful reader's): files for several base models are never
    picked from; the card's file; the only one; the diffusers one unless a twin for web UIs lies beside it; the one
    that is no training step; a usual name.
    """
    hints = {hint for path in paths if (hint := family_hint(path))}
    if len(paths) > 1 and (len(hints) > 1 or len(set(families)) > 1):
        return None
    told = {path for name in named for path in paths if name in {path, PurePosixPath(path).name}}
    if told:
        # Beside its twin for web UIs the diffusers file is what example code loads.
        best = told - {_DIFFUSERS} or told
        return best.pop() if len(best) == 1 else None
    if len(paths) == 1:
        return paths[0]
    root = [path for path in paths if "/" not in path]
    if _DIFFUSERS in root:
        return None if len(root) > 1 else _DIFFUSERS
    whole = [path for path in paths if not _STEP.search(PurePosixPath(path).stem)]
    if len(whole) == 1:
        return whole[0]
    return next((name for name in _USUAL if name in root), None)


def primary(
    sizes: Mapping[str, int | None], *, named: Sequence[str] = (), families: Collection[str] = ()
) -> str | None:
    """The LoRA among all of a repository's files, by path; an embedding where there is nothing else."""
    safe = [path for path in sizes if format_of(path) == "safetensors"]
    for kind in ("model", "embedding"):
        paths = [path for path in safe if kind_of(path, size=sizes[path]) == kind]
        if paths:
            return choose(paths, named=named, families=families)
    return None
