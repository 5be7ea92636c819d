"""Rows to domain and back: prompts kept under a name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hubsync.store.database import Database

DRAFT = ""
"""The name of the prompt that is being written: none that is saved can have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A prompt under its name: the user's text and negative text, and what is kept of each LoRA, as JSON has it."""

    name: str
    text: str
    negative: str
    loras: tuple[Mapping[str, Any], ...]
    saved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRecords:
    """The saved prompts of one library root."""

    database: Database

    def all(self) -> list[Saved]:
        """Newest first, without the one that is being written."""
        return self._where("name <> ? ORDER BY saved_at DESC, name")

    def draft(self) -> Saved | None:
        """The one that is being written, if any was."""
        return next(iter(self._where("name = ?")), None)

    def _where(self, chosen: str) -> list[Saved]:
        with self.database.reading() as connection:
            rows = connection.execute(f"SELECT * FROM prompts WHERE {chosen}", [DRAFT]).fetchall()  # noqa: S608
        return [
            Saved(
                name=row["name"],
                text=row["text"],
                negative=row["negative"],
                loras=tuple(json.loads(row["loras"])),
                saved_at=datetime.fromisoformat(row["saved_at"]),
            )
            for row in rows
        ]

    def save(self, prompt: Saved) -> None:
        """Keep a prompt; one of the same name is replaced."""
        row = {
            "name": prompt.name,
            "text": prompt.text,
            "negative": prompt.negative,
            "loras": json.dumps([dict(one) for one in prompt.loras]),
            "saved_at": prompt.saved_at.isoformat(),
        }
        with self.database.writing() as database:
            database.table("prompts").upsert(row, pk="name")

    def forget(self, name: str) -> None:
        """Remove the prompt of that name, if there is one."""
        with self.database.writing() as database:
            database.execute("DELETE FROM prompts WHERE name = ?", [name])
