"""What a search is narrowed to: six choices, each shown as a chip, and the question they make with a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hubsync.config import FAMILIES
from hubsync.domain import LORA_TYPES, LoraType, Nsfw, Period, Query, Sort
from hubsync.errors import BadReference
from hubsync.families import Families
from hubsync.refs import Ref, Source, parse_ref

ANY = "any"
"""The base model of a search that takes all."""

_SOURCES = {"all": tuple(Source), "civitai": (Source.CIVITAI,), "hf": (Source.HUGGINGFACE,)}
_TYPES: Mapping[str, tuple[LoraType, ...]] = {
    "LoRA": LORA_TYPES,
    "plain": (LoraType.LORA,),
    "LoCon": (LoraType.LOCON,),
    "DoRA": (LoraType.DORA,),
    "embedding": (LoraType.EMBEDDING,),
    "all": (*LORA_TYPES, LoraType.EMBEDDING),
}
_NSFW = {"PG": Nsfw.NONE, "PG-13": Nsfw.SOFT, "R": Nsfw.MATURE, "all": Nsfw.X}
_NOTES = {
    ("source", "all"): "both hubs side by side",
    ("source", "hf"): "Hugging Face",
    ("type", "LoRA"): "LoRA, LoCon and DoRA",
    ("type", "plain"): "LoRA in the narrow sense",
    ("type", "embedding"): "textual inversion",
    ("type", "all"): "embeddings too",
    ("base", ANY): "every base model",
    ("sort", Sort.RELEVANCE.value): "without words: the most downloaded",
    ("nsfw", "PG"): "for everybody",
    ("nsfw", "PG-13"): "suggestive at most",
    ("nsfw", "R"): "nudity at most",
    ("nsfw", "all"): "explicit ones too",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One value a chip can have, and what it means."""

    value: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One thing a search is narrowed by. `free` takes other values than its choices too."""

    key: str
    choices: tuple[Choice, ...]
    default: str
    free: bool = False

    def step(self, value: str, steps: int) -> str:
        """The value so many choices further, round the end."""
        values = [choice.value for choice in self.choices]
        at = values.index(value) if value in values else 0
        return values[(at + steps) % len(values)]


def chips(ceiling: Nsfw) -> tuple[Chip, ...]:
    """The chips in their order; `ceiling` is that of the settings."""
    families = (ANY, *(name for name in FAMILIES if name != "other"))
    return (
        _chip("source", list(_SOURCES)),
        _chip("type", list(_TYPES)),
        _chip("base", families, free=True),
        _chip("sort", [sort.value for sort in Sort]),
        _chip("period", [period.value for period in Period]),
        _chip("nsfw", list(_NSFW), default=next(name for name, level in _NSFW.items() if level is ceiling)),
    )


def _chip(key: str, values: Sequence[str], *, default: str = "", free: bool = False) -> Chip:
    choices = tuple(Choice(value=value, note=_NOTES.get((key, value), "")) for value in values)
    return Chip(key=key, choices=choices, default=default or values[0], free=free)


def question(text: str, values: Mapping[str, str], *, limit: int) -> Query:
    """What is asked for a text and the chips' values by their keys; an empty text asks for the most downloaded."""
    sort = Sort(values["sort"])
    return Query(
        text=text,
        sources=_SOURCES[values["source"]],
        types=_TYPES[values["type"]],
        base_models=() if values["base"] == ANY else tuple(filter(None, map(str.strip, values["base"].split(",")))),
        sort=Sort.DOWNLOADS if sort is Sort.RELEVANCE and not text else sort,
        period=Period(values["period"]),
        nsfw=ceiling_of(values),
        limit=limit,
    )


def ceiling_of(values: Mapping[str, str]) -> Nsfw:
    """The highest level shown."""
    return _NSFW[values["nsfw"]]


def base_choices(families: Families) -> tuple[Choice, ...]:
    """Every base model the table knows: all of them, each family with what belongs to it, then the hubs' own names."""
    return (Choice(value=ANY, note=_NOTES["base", ANY]), *_whole_families(families), *_names(families))


def _whole_families(families: Families) -> Iterator[Choice]:
    for name, family in families.table.items():
        if family.civitai or family.huggingface:
            yield Choice(value=name, note=", ".join(family.civitai or family.huggingface))


def _names(families: Families) -> Iterator[Choice]:
    for name, family in families.table.items():
        yield from (Choice(value=base, note=name) for base in family.civitai if base.casefold() != name)


def fitting(choices: Sequence[Choice], text: str) -> Sequence[Choice]:
    """The choices a typed text may mean, and the text itself unless it is one of them."""
    wanted = text.casefold()
    found = [choice for choice in choices if wanted in f"{choice.value}\n{choice.note}".casefold()]
    found.sort(key=lambda choice: wanted not in choice.value.casefold())
    if not text or any(choice.value.casefold() == wanted for choice in choices):
        return found
    return [*found, Choice(value=text, note="as you typed it")]


def reference(text: str) -> Ref | None:
    """The reference a text is, if nobody would mean it as words: `owner/name` and numbers are searched for."""
    try:
        return parse_ref(text) if ":" in text else None
    except BadReference:
        return None
