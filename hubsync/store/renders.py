"""Rows to domain and back: the pictures rendered so far."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hubsync.domain import LoraUse, Render, RenderKind
from hubsync.store.database import Database

_PLAIN = ("prompt", "negative_prompt", "seed", "steps", "cfg", "sampler", "checkpoint", "family", "effect")


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderRecords:
    """The renders of one library root."""

    database: Database

    def save(self, renders: Iterable[Render]) -> None:
        """Add renders; one whose picture was drawn over replaces its row."""
        with self.database.writing() as database:
            table = database.table("renders")
            for render in renders:
                row = {name: getattr(render, name) for name in (*_PLAIN, "trigger_effect")}
                row |= {
                    "path": self.database.stored(render.path),
                    "kind": render.kind.value,
                    "trigger_words": json.dumps(render.trigger_words),
                    "width": render.size[0],
                    "height": render.size[1],
                    "created_at": render.created_at.isoformat(),
                }
                database.execute("DELETE FROM renders WHERE path = ?", [row["path"]])
                key = table.insert(row).last_pk
                database.table("render_loras").insert_all(
                    {"render_id": key, "position": position, "name": use.name, "weight": use.weight}
                    for position, use in enumerate(render.loras)
                )

    def forget(self, renders: Iterable[Render]) -> None:
        """Drop the rows of pictures."""
        paths = json.dumps([self.database.stored(render.path) for render in renders])
        with self.database.writing() as database:
            database.execute("DELETE FROM renders WHERE path IN (SELECT value FROM json_each(?))", [paths])

    def all(self, name: str | None = None) -> list[Render]:
        """Renders, newest first; those with the LoRA `name` in them if given."""
        chosen = "id IN (SELECT render_id FROM render_loras WHERE name = ?)" if name else "1"
        return self._where(chosen, [name] if name else [])

    def page(self, text: str = "", *, limit: int = -1, offset: int = 0) -> list[Render]:
        """A page of the renders with a LoRA or a prompt that holds `text`, newest first; all without a limit."""
        chosen, parameters = _holding(text)
        return self._where(chosen, parameters, limit=limit, offset=offset)

    def count(self, text: str = "") -> int:
        """How many renders there are with a LoRA or a prompt that holds `text`."""
        chosen, parameters = _holding(text)
        with self.database.reading() as connection:
            counted = connection.execute(f"SELECT count(*) FROM renders WHERE {chosen}", parameters)  # noqa: S608
            return int(counted.fetchone()[0])

    def tests(self, renders: Iterable[Render]) -> list[list[Render]]:
        """The whole tests that `renders` are from, newest first: what was drawn at once into one folder, in order."""
        wanted = dict.fromkeys((render.path.parent, render.created_at) for render in renders)
        moments = json.dumps([moment.isoformat() for _, moment in wanted])
        found: dict[tuple[Path, datetime], list[Render]] = {test: [] for test in wanted}
        for render in self._where("created_at IN (SELECT value FROM json_each(?))", [moments]):
            if (test := (render.path.parent, render.created_at)) in found:
                found[test].append(render)
        return list(found.values())

    def _where(self, chosen: str, parameters: Sequence[object], *, limit: int = -1, offset: int = 0) -> list[Render]:
        with self.database.reading() as connection:
            rows = connection.execute(
                f"SELECT * FROM renders WHERE {chosen} ORDER BY created_at DESC, id LIMIT ? OFFSET ?",  # noqa: S608
                [*parameters, limit, offset],
            ).fetchall()
            uses: defaultdict[int, list[LoraUse]] = defaultdict(list)
            ids = json.dumps([row["id"] for row in rows])
            query = "SELECT * FROM render_loras WHERE render_id IN (SELECT value FROM json_each(?)) ORDER BY position"
            for row in connection.execute(query, [ids]):
                uses[row["render_id"]].append(LoraUse(name=row["name"], weight=row["weight"]))
        return [self._render(row, tuple(uses[row["id"]])) for row in rows]

    def _render(self, row: sqlite3.Row, loras: tuple[LoraUse, ...]) -> Render:
        return Render(
            **{name: row[name] for name in (*_PLAIN, "trigger_effect")},
            path=self.database.root / row["path"],
            kind=RenderKind(row["kind"]),
            loras=loras,
            trigger_words=tuple(json.loads(row["trigger_words"])),
            size=(row["width"], row["height"]),
            created_at=datetime.fromisoformat(row["created_at"]),
        )


def _holding(text: str) -> tuple[str, list[object]]:
    """The condition of a render whose LoRAs or prompt hold a text, and its parameters; letters in either case."""
    if not text:
        return "1", []
    pattern = "%" + re.sub(r"([%_\\])", r"\\\1", text) + "%"
    named = "id IN (SELECT render_id FROM render_loras WHERE name LIKE ? ESCAPE '\\')"
    return f"({named} OR prompt LIKE ? ESCAPE '\\')", [pattern, pattern]
