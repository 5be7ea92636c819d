"""What a trainer wrote into a file's metadata: its alias, title, trigger phrase, and what the captions hint at.

Keys: kohya-ss/sd-scripts (`ss_…`) and Stability-AI/ModelSpec (`modelspec.…`). All values are texts, some of them JSON.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import msgspec

from hubsync.domain import Suggestion

_Value = TypeVar("_Value")

_PLACEHOLDERS = frozenset({"", "none", "null", "n/a", "-", "no trigger words"})
_DEFAULT_TITLE = re.compile(r"^(?:LoRA|Checkpoint|TextualInversion)@[\d.]+$")
_BETWEEN_WORDS = re.compile(r"[,;\uff0c\uff1b\u3001\n](?![^(\[]*[)\]])")
_LORA_TAG = re.compile(r"<\w+:[^<>]*>")
_REPEATS = re.compile(r"^\d+_(?=.)")
_WORD = re.compile(r"[^\W\d_][\w'-]{2,}")
_SENTENCE = 16  # AUTOMATIC1111's rule: tags of this mean length are sentences
_LONGEST_TAG = 100
_LEAST_SCORE = 0.1
# Ceilings for what a stranger wrote; real values stay far below.
_LONGEST_PHRASE, _LONGEST_JSON, _MOST_FOLDERS = 5_000, 4_000_000, 200

# fmt: off
_COMMON = frozenset({
    "1girl", "1boy", "2girls", "solo", "multiple girls", "male focus", "looking at viewer", "smile", "open mouth",
    "closed mouth", "blush", "long hair", "short hair", "bangs", "breasts", "large breasts", "simple background",
    "white background", "standing", "sitting", "upper body", "full body", "cowboy shot", "portrait", "close-up",
    "highres", "absurdres", "masterpiece", "best quality", "photo", "realistic", "illustration", "anime", "style",
    "art", "image", "images", "img", "imgs", "picture", "dataset", "data", "train", "training", "lora", "woman", "man",
    "girl", "boy", "person", "people", "female", "male", "character", "background", "hair", "eyes", "face", "view",
    "hand", "hands", "head", "the", "and", "with", "for", "from", "her", "his", "its", "their", "are", "has", "that",
    "this", "there", "wearing", "holding", "while", "into", "over", "very", "one", "two",
})
# fmt: on
"""Tags and words that nearly every set of captions holds: they trigger nothing in particular."""


class _Folder(msgspec.Struct):
    img_count: int = 0


class _Subset(msgspec.Struct):
    keep_tokens: int | None = 0


class _Dataset(msgspec.Struct):
    subsets: list[_Subset] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class _Captions:
    """The captions of one folder: how many images each tag, or each word of sentences, describes."""

    folder: str
    counts: Mapping[str, int]
    images: int


def alias(metadata: Mapping[str, str]) -> str | None:
    """The name the file had when it was trained; AUTOMATIC1111 may look it up by this one."""
    return _said(metadata, "ss_output_name")


def title(metadata: Mapping[str, str]) -> str | None:
    """The title its author gave it; None where the trainer made one up from the clock."""
    text = _said(metadata, "modelspec.title")
    return None if text is None or _DEFAULT_TITLE.match(text) else text


def trigger_phrase(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The words of `modelspec.trigger_phrase`, which its author stated, split at commas outside brackets."""
    if not (stated := metadata.get("modelspec.trigger_phrase")):
        return ()
    phrase = _LORA_TAG.sub("", stated[:_LONGEST_PHRASE])
    words = (word.strip() for word in _BETWEEN_WORDS.split(phrase))
    return tuple(dict.fromkeys(word for word in words if word.casefold() not in _PLACEHOLDERS))


def suggestions(metadata: Mapping[str, str], *, limit: int = 10) -> tuple[Suggestion, ...]:
    """Words the training data hints at, best first. They are guesses, never facts.

    The most frequent tag is rarely the trigger: it is mostly `1girl`. A tag scores by the share of images it describes,
    less if every collection has it, more if a folder or the file is named after it, or if it was kept first in every
    caption. kohya's folders are called "repeats_token class".
    """
    found: dict[str, Suggestion] = {}
    for hint in (*_from_captions(metadata), *_from_folders(metadata)):
        known = found.get(key := _plain(hint.text))
        if known is None or known.score < hint.score:
            found[key] = hint
    likely = [hint for hint in found.values() if hint.score >= _LEAST_SCORE]
    return tuple(sorted(likely, key=lambda hint: -hint.score)[:limit])


def candidates(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Everything in a header that may be a trigger word, the likeliest first: what a render can try out."""
    hints = suggestions(metadata, limit=_MOST_FOLDERS)
    named = (alias(metadata), title(metadata))
    counted = Counter[str]()
    for captions in _captions(metadata):
        counted.update(captions.counts)
    tags = (tag for tag, _ in counted.most_common())
    found = (*trigger_phrase(metadata), *(hint.text for hint in hints), *filter(None, named), *tags)
    unique: dict[str, str] = {}
    for text in found:
        unique.setdefault(_plain(text), text)
    return tuple(unique.values())


def _from_captions(metadata: Mapping[str, str]) -> Iterator[Suggestion]:
    names = {_plain(name) for name in (alias(metadata) or "", *_tokens(metadata).values())}
    names |= {_plain(word) for token in _tokens(metadata).values() for word in token.split()}
    kept = _keeps_first(metadata)
    for captions in _captions(metadata):
        for position, (tag, count) in enumerate(captions.counts.items()):
            score = 0.7 * min(1.0, count / captions.images)
            if _common(tag):
                score *= 0.3
            elif any(_plain(tag) == name or (len(tag) > 3 and _plain(tag) in name) for name in names):
                score += 0.2
            if kept and position == 0:
                score += 0.1
            yield Suggestion(text=tag, score=round(score, 2), source="ss_tag_frequency")


def _from_folders(metadata: Mapping[str, str]) -> Iterator[Suggestion]:
    captioned = {captions.folder for captions in _captions(metadata)}
    for folder, token in _tokens(metadata).items():
        if _REPEATS.match(folder) and not all(_common(word) for word in token.split()):
            # Without captions, kohya trains on the folder's own name.
            yield Suggestion(text=token, score=0.6 if folder in captioned else 0.8, source="ss_dataset_dirs")


def _captions(metadata: Mapping[str, str]) -> Iterator[_Captions]:
    folders = _json(metadata, "ss_dataset_dirs", dict[str, _Folder]) or {}
    for folder, counts in (_json(metadata, "ss_tag_frequency", dict[str, dict[str, int]]) or {}).items():
        tags = {tag.strip(): count for tag, count in counts.items() if count > 0 and tag.strip()}
        if not tags:
            continue
        images = max(folders.get(folder, _Folder()).img_count, *tags.values(), 1)
        if sum(map(len, tags)) >= _SENTENCE * len(tags):
            tags = _words(tags)
        yield _Captions(folder=folder, counts={t: n for t, n in tags.items() if len(t) <= _LONGEST_TAG}, images=images)


def _words(sentences: Mapping[str, int]) -> dict[str, int]:
    words: Counter[str] = Counter()
    for sentence, count in sentences.items():
        for word in dict.fromkeys(_WORD.findall(sentence)):
            words[word] += count
    return {word: count for word, count in words.items() if not _common(word)}


def _tokens(metadata: Mapping[str, str]) -> dict[str, str]:
    """Each training folder's name without its number of repeats."""
    folders = _json(metadata, "ss_dataset_dirs", dict[str, _Folder]) or {}
    captioned = _json(metadata, "ss_tag_frequency", dict[str, dict[str, int]]) or {}
    names = islice((*folders, *captioned), _MOST_FOLDERS)
    return {folder: _REPEATS.sub("", folder).strip() for folder in names}


def _keeps_first(metadata: Mapping[str, str]) -> bool:
    """Whether shuffling left the first tag of each caption in place."""
    datasets = _json(metadata, "ss_datasets", list[_Dataset]) or []
    kept = [subset.keep_tokens or 0 for dataset in datasets for subset in dataset.subsets]
    return any(kept) or metadata.get("ss_keep_tokens", "").strip() not in {"", "0", "None"}


def _json(metadata: Mapping[str, str], key: str, kind: type[_Value]) -> _Value | None:
    """A JSON value of the shape its trainer writes; None for any other."""
    text = metadata.get(key, "")
    try:
        return msgspec.json.decode(text, type=kind) if len(text) <= _LONGEST_JSON else None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _said(metadata: Mapping[str, str], key: str) -> str | None:
    text = metadata.get(key, "").strip()
    return None if text.casefold() in _PLACEHOLDERS else text


def _common(tag: str) -> bool:
    return tag.replace("_", " ").casefold() in _COMMON


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text.casefold())
