"""What the Civitai catalogue is made of: plain data; the wire shapes are made from it in `shapes`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of a version: `source` under the data folder at some strength, or `content` written here.

    `long_autov3`: the record gives all 64 digits of AutoV3, as those of 2023 and 2024 do.
    """

    id: int
    name: str
    source: str = ""
    strength: float = 1.0
    content: bytes = b""
    type: str = "Model"
    format: str = "SafeTensor"
    scan: str = "Success"
    long_autov3: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An example picture, with the prompt it was made from; `level` is Civitai's bit (1 PG, 2 PG-13, 4 R, 8 X)."""

    id: int
    stem: str
    prompt: str = ""
    negative: str = ""
    level: int = 1
    kind: str = "image"
    lies: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version. `paid` is None, or the days from now until early access ends, 0 where it never does."""

    id: int
    name: str
    base_model: str = "SD 1.5"
    published: str = "2026-03-01T12:00:00.000Z"
    words: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    images: tuple[Image, ...] | None = ()
    description: str | None = None
    login: bool = False
    paid: int | None = None
    usage: str = "Download"
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model with its versions, newest first. `raw` is laid over the finished shape: how old records differ."""

    id: int
    name: str
    type: str = "LORA"
    creator: str = "sandbox"
    description: str | None = None
    tags: tuple[str, ...] = ()
    level: int = 1
    mode: str = ""
    downloads: int = 0
    likes: int = 0
    versions: tuple[Version, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def published(self) -> str:
        """When its newest version was published."""
        return max((version.published for version in self.versions), default="")


PLAIN = "a large blue ring on a yellow background"
BAD = "blurry, low quality"


def lora(number: int, stem: str, strength: float = 1.0, *, name: str = "", **more: Any) -> File:  # noqa: ANN401
    """The safetensors file of record `number`, from a trained LoRA at some strength."""
    source = f"loras/{stem}.safetensors"
    return File(id=3000 + number, name=name or f"{stem}.safetensors", source=source, strength=strength, **more)


def examples(number: int, stem: str, *prompts: str, negative: str = BAD) -> tuple[Image, ...]:
    """Example pictures of record `number`, one for each prompt, the first with the trained LoRA's preview."""
    return tuple(
        Image(id=4000 + 10 * number + index, stem="" if index else stem, prompt=prompt, negative=negative)
        for index, prompt in enumerate(prompts)
    )
