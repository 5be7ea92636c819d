"""What the Hugging Face repositories are made of: plain data; the wire shapes are made from it in `shapes`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

SD15 = "stable-diffusion-v1-5/stable-diffusion-v1-5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of a repository: `source` under the data folder at some strength, or `text` written here."""

    path: str
    source: str = ""
    strength: float = 1.0
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A model repository. `card` is the front matter of its README, `body` the text below it."""

    id: str
    card: Mapping[str, Any] = field(default_factory=dict)
    body: str = ""
    entries: tuple[Entry, ...] = ()
    gated: Literal[False, "auto", "manual"] = False
    private: bool = False
    disabled: bool = False
    downloads: int = 0
    likes: int = 0
    created: str = "2026-02-01T08:00:00.000Z"
    modified: str = "2026-03-01T08:00:00.000Z"

    @property
    def author(self) -> str:
        """The namespace."""
        return self.id.partition("/")[0]
