"""What a shell is offered while a user types: answered without the services, which take 50 ms to load."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hubsync.config import Settings
from hubsync.families import load_families
from hubsync.roots import find_root
from hubsync.store.database import Database
from hubsync.store.records import Records


def lora_names(settings: Settings, beginning: str, *, limit: int) -> Sequence[str]:
    """Names of installed LoRAs that begin like this, in any case.

    Raises:
        DatabaseTrouble: the library's database cannot be read.
    """
    root = find_root(settings, cwd=Path.cwd(), home=Path.home())
    return Records(database=Database(root.database, root.path)).beginning(beginning, limit=limit)


def base_models() -> Sequence[str]:
    """Base-model names of Civitai, as both hubs' searches understand them."""
    return [name for family in load_families().table.values() for name in family.civitai]
