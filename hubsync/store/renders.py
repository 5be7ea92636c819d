"""Rows to domain and back: the pictures rendered so far."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

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

    def all(self, name: str | None = None) -> list[Render]:
        """Renders, newest first; those with the LoRA `name` in them if given."""
        chosen = "id IN (SELECT render_id FROM render_loras WHERE name = ?)" if name else "1"
        with self.database.reading() as connection:
            rows = connection.execute(
                f"SELECT * FROM renders WHERE {chosen} ORDER BY created_at DESC, id",  # noqa: S608
                [name] if name else [],
            ).fetchall()
            uses: defaultdict[int, list[LoraUse]] = defaultdict(list)
            ids = json.dumps([row["id"] for row in rows])
            query = "SELECT * FROM render_loras WHERE render_id IN (SELECT value FROM json_each(?)) ORDER BY position"
            for row in connection.execute(query, [ids]):
                uses[row["render_id"]].append(LoraUse(name=row["name"], weight=row["weight"]))
        return [
            Render(
                **{name: row[name] for name in (*_PLAIN, "trigger_effect")},
                path=self.database.root / row["path"],
                kind=RenderKind(row["kind"]),
                loras=tuple(uses[row["id"]]),
                trigger_words=tuple(json.loads(row["trigger_words"])),
                size=(row["width"], row["height"]),
                created_at=datetime.fromisoformat(row["created_at"]),
            )
            for row in rows
        ]
