"""What AUTOMATIC1111 makes of a prompt: tags of extra networks, comments, attention, AND.

Rules as its version 1.8 applies them, checked against recorded answers of its own functions. Schedules: `schedules`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from hubsync.errors import UsageError

BREAK = "BREAK"
BREAK_MARK = (BREAK, -1.0)
"""How `attention` says that a new chunk begins."""

LORA_NETWORKS = ("lora", "lyco")
"""Tag types that load a LoRA; case matters."""

COMMAS = ",\uff0c\u3001"
"""What people part words with; AUTOMATIC1111 gives none of them a meaning."""

TAG = re.compile(r"<(\w+):([^>]+)>")
"""A tag of any extra network; it may span lines. Texts are searched with `tags_in`."""

_LINE_COMMENT = re.compile(r"(?:\A|\n)#[^\n]*(?:\n|\Z)")
_COMMENT = re.compile(r"#[^\n]*(?:\n|\Z)")
_AND = re.compile(r"\bAND\b")
# The look-behind keeps a long run of spaces from being tried at each of them.
_AND_WEIGHT = re.compile(r"(?<!\s)\s*:\s*([-+]?(?:\d+\.?|\d*\.\d+))\Z")
_BREAK = re.compile(rf"\b{BREAK}\b")
_ATTENTION = re.compile(r":\s*(?P<weight>[+-]?[.\d]+)\s*\)|\\[()\[\]\\]?|[()\[\]:]|[^\\()\[\]:]+")
_EMPHASIS = {"(": 1.1, "[": 1 / 1.1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A tag: its type, the arguments without a name and those with one."""

    type: str
    positional: tuple[str, ...]
    named: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraTag:
    """A LoRA a prompt asks for, with the weights it gets in the text encoder and the UNet.

    `fault` is set where AUTOMATIC1111 stops with an error and applies no LoRA of the prompt at all: `no_name`,
    `bad_weight`. The weights are 0 then.
    """

    name: str
    te: float = 0.0
    unet: float = 0.0
    dyn: int | None = None
    fault: str | None = None


def strip_comments(text: str) -> str:
    """The text without `# …` to the end of the line; a line that is all comment leaves no empty line behind."""
    return _COMMENT.sub("\n", _LINE_COMMENT.sub("\n", text))


def tags_in(text: str) -> Iterator[re.Match[str]]:
    """The tags of a text, as matches of `TAG`."""
    # Behind the last `>` there is none, and each `<` would be tried to the end: 20 s for 100 kB of `<a:`.
    return TAG.finditer(text, 0, text.rfind(">") + 1)


def replace_tags(text: str, written: Callable[[re.Match[str]], str]) -> str:
    """The text with other words for its tags, nothing else changed."""
    end = text.rfind(">") + 1
    return TAG.sub(written, text[:end]) + text[end:]


def extra_networks(prompt: str) -> tuple[str, tuple[Network, ...]]:
    """The text without tags, nothing else changed, and the tags in order. Comments are not looked at."""
    networks = tuple(network(match) for match in tags_in(prompt))
    return replace_tags(prompt, lambda _: ""), networks


def network(match: re.Match[str]) -> Network:
    """The tag a match of `TAG` stands for: a piece with exactly one `=` is a named argument, even the first."""
    pieces = match.group(2).split(":")
    named = dict(piece.split("=") for piece in pieces if piece.count("=") == 1)
    return Network(
        type=match.group(1),
        positional=tuple(piece for piece in pieces if piece.count("=") != 1),
        named=named,
    )


def lora_tags(prompt: str) -> tuple[LoraTag, ...]:
    """The LoRAs of a prompt, in order. Comments are not looked at."""
    return tuple(lora_tag(tag) for tag in extra_networks(prompt)[1] if tag.type in LORA_NETWORKS)


def lora_tag(tag: Network) -> LoraTag:
    """Weights of one tag: name, text encoder (else 1), UNet (else the text encoder's), rank; named ones win."""
    if not tag.positional:
        return LoraTag(name="", fault="no_name")
    name, *numbers = tag.positional
    try:
        te = float(numbers[0]) if numbers else 1.0
        te = float(tag.named.get("te", te))
        unet = float(numbers[1]) if len(numbers) > 1 else te
        unet = float(tag.named.get("unet", unet))
        dyn = int(numbers[2]) if len(numbers) > 2 else None
        dyn = int(tag.named["dyn"]) if "dyn" in tag.named else dyn
    except ValueError:
        return LoraTag(name=name, fault="bad_weight")
    return LoraTag(name=name, te=te, unet=unet, dyn=dyn)


def tag(name: str, weight: float, *, te: float | None = None) -> str:
    """A LoRA's tag: one plain weight, or named ones where the text encoder's differs. `name` is taken as it is."""
    if te is None or te == weight:
        return f"<lora:{name}:{number(weight)}>"
    return f"<lora:{name}:te={number(te)}:unet={number(weight)}>"


def number(value: float) -> str:
    """The shortest text that reads back as the same number."""
    short = f"{value:g}"
    return (short if float(short) == value else repr(value)) if value else "0"


def composable(prompt: str) -> list[tuple[str, float]]:
    """The prompts that `AND` joins, each with its weight."""
    return [_weighed(part.rstrip()) for part in _AND.split(prompt)]


def ends_weighted(text: str) -> bool:
    """Whether the text ends with the weight of a prompt behind `AND`, which holds only there."""
    *before, last = _AND.split(text)
    return bool(before) and _AND_WEIGHT.search(last.rstrip()) is not None


def _weighed(part: str) -> tuple[str, float]:
    weight = _AND_WEIGHT.search(part)
    return (part[: weight.start()], float(weight.group(1))) if weight else (part, 1.0)


def attention(text: str) -> list[tuple[str, float]]:
    """Pieces of text with their weights; `BREAK_MARK` stands between chunks. Inside brackets a break is scaled too.

    Raises:
        UsageError: a weight of digits and dots that is no number, such as 1.2.3.
    """
    texts: list[str] = []
    weights: list[float] = []
    waiting: dict[str, list[int]] = {"(": [], "[": []}
    for match in _ATTENTION.finditer(text):
        mark, weight = match.group(), match.group("weight")
        closes = "(" if weight or mark == ")" else "[" if mark == "]" else ""
        if mark in waiting:
            waiting[mark].append(len(texts))
        elif waiting.get(closes):
            _scale(weights, waiting[closes].pop(), _weight(weight) if weight else _EMPHASIS[closes])
        else:
            for part, start in [(mark[1:], 1.0)] if mark[0] == "\\" else _chunks(mark):
                texts.append(part)
                weights.append(start)
    for kind, starts in waiting.items():
        for at in starts:
            _scale(weights, at, _EMPHASIS[kind])
    return _merged([*zip(texts, weights, strict=True)]) or [("", 1.0)]


def _weight(digits: str) -> float:
    try:
        return float(digits)
    except ValueError as error:
        raise UsageError(f"the weight {digits} is not a number", hint="write it like (word:1.2)") from error


def _chunks(text: str) -> list[tuple[str, float]]:
    """Text cut at BREAK; the space around one goes with it."""
    pieces = _BREAK.split(text)
    last = len(pieces) - 1
    pieces = [piece.lstrip() if at else piece for at, piece in enumerate(pieces)]
    pieces = [piece.rstrip() if at < last else piece for at, piece in enumerate(pieces)]
    return [part for piece in pieces for part in (BREAK_MARK, (piece, 1.0))][1:]


def _scale(weights: list[float], start: int, factor: float) -> None:
    weights[start:] = [weight * factor for weight in weights[start:]]


def _merged(parts: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Neighbours of one weight are one piece."""
    runs = groupby(parts, key=itemgetter(1))
    return [("".join(text for text, _ in run), weight) for weight, run in runs]
