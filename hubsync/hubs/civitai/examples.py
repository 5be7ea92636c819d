"""What an uploader's own example pictures say about how a LoRA is used: its weight, its negative prompt."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from statistics import median

from hubsync.hubs.civitai.shapes import Meta, Resource
from hubsync.lenient import read, rows
from hubsync.text import clean

# <lora:NAME:WEIGHT>, with whatever further fields a generator adds.
_TAG = re.compile(r"<lora:([^:<>]+)(?::([^:<>]*))?[^<>]*>", re.IGNORECASE)
_LARGEST = 10.0


def metas(raw: Sequence[object]) -> list[Meta]:
    """The generation data of pictures that have any; some wrap it in itself."""
    found = [meta for item in raw if (meta := read(item, Meta))]
    return [inner if not meta.prompt and (inner := read(meta.meta, Meta)) else meta for meta in found]


def usual_weight(examples: Sequence[Meta], *, stems: Collection[str], version: int) -> float | None:
    """Median of the weights the examples give this version's files, None if they use none.

    `stems` are file names without extension. An example with one LoRA tag under another name counts too: uploaders
    rename files (19 % of real example prompts name no file of their version).
    """
    folded = {stem.casefold() for stem in stems}
    weights = [weight for meta in examples for weight in _weights(meta, folded, version)]
    used = [weight for weight in weights if math.isfinite(weight) and 0 < abs(weight) <= _LARGEST]
    return round(median(used), 2) or None if used else None


def _weights(meta: Meta, stems: Collection[str], version: int) -> Iterator[float]:
    tags = [(name.strip().casefold(), _number(weight)) for name, weight in _TAG.findall(meta.prompt)]
    own = [weight for name, weight in tags if name.replace("\\", "/").rpartition("/")[2] in stems]
    if own or tags:
        yield from own or ([tags[0][1]] if len(tags) == 1 else [])
        return
    for part in rows([*meta.civitai_resources, *meta.resources], Resource):
        if part.weight is not None and (part.model_version_id == version or part.name.casefold() in stems):
            yield part.weight


def _number(text: str) -> float:
    """The weight in a tag; 1 where none is written."""
    try:
        return float(text or 1)
    except ValueError:
        return math.nan


def usual_negative(examples: Sequence[Meta]) -> str | None:
    """The negative prompt that more than half of the examples share, at least two of them."""
    texts = Counter(clean(meta.negative_prompt) for meta in examples if meta.prompt)
    text, times = max(texts.items(), key=lambda item: item[1], default=("", 0))
    return text if text and times > 1 and times * 2 > texts.total() else None
