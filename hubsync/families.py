"""Base-model families: the names both hubs use for base models, and how each family renders (config/families.toml)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import msgspec

from hubsync.config import shipped


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """One family. `size` is native (width, height) in pixels; a family without `pipeline` cannot be rendered.

    `variants` are further pipeline classes that folders of the family name and that draw from a prompt.
    """

    civitai: tuple[str, ...] = ()
    huggingface: tuple[str, ...] = ()
    pipeline: str = ""
    variants: tuple[str, ...] = ()
    size: tuple[int, int] = (1024, 1024)
    steps: int = 20
    cfg: float = 7.0
    sampler: str = ""
    prompt: str = ""

    @property
    def classes(self) -> tuple[str, ...]:
        """Every pipeline class a folder of the family may name."""
        return (self.pipeline, *self.variants) if self.pipeline else ()


@dataclass(frozen=True)
class Families:
    """The table, and look-ups in it."""

    table: dict[str, Family]

    def __getitem__(self, name: str) -> Family:
        """The family of that name; `other` and unknown names render with defaults, which means not at all."""
        return self.table.get(name, Family())

    @cached_property
    def _by_name(self) -> dict[str, str]:
        return {
            base.casefold(): name
            for name, family in self.table.items()
            for base in (*family.civitai, *family.huggingface)
        }

    def of(self, base_model: str | None) -> str | None:
        """The family of a hub's base-model name; `other` for a name the table does not hold, None for none."""
        return self._by_name.get(base_model.casefold(), "other") if base_model else None

    def repositories(self, base_model: str) -> tuple[str, ...]:
        """Hugging Face base repositories for a base-model name of either hub, or for a family's own name."""
        if "/" in base_model:
            return (base_model,)
        name = base_model.casefold()
        return self.table[name].huggingface if name in self.table else self[self._like(base_model)].huggingface

    def _like(self, base_model: str) -> str:
        """The family of a name as people type it, without the exact spaces, dots and hyphens."""
        wanted = letters(base_model)
        return next((family for base, family in self._by_name.items() if letters(base) == wanted), "")


def letters(name: str) -> str:
    """What is left of a base-model name that people type in many ways."""
    return re.sub(r"[\s.-]+", "", name).casefold()


def load_families() -> Families:
    """Read the shipped table."""
    return Families(msgspec.toml.decode(shipped("families.toml").read_bytes(), type=dict[str, Family]))
