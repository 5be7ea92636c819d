"""Rows to domain and back: installed LoRAs with their trigger groups and tags."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubsync.domain import Installed, LoraType, Suggestion, TriggerGroup, TriggerWord, WordSource
from hubsync.refs import parse_ref
from hubsync.store.database import Database

if TYPE_CHECKING:
    import sqlite_utils

# fmt: off
_PLAIN = (
    "name", "title", "type", "alias", "base_model", "family", "network", "rank", "alpha", "size", "sha256", "autov2",
    "autov3", "weight", "negative", "notes", "creator", "nsfw_level",
)
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The installed LoRAs of one library root."""

    database: Database

    def all(self, where: str = "1", parameters: Sequence[object] = (), *, order: str = "name_key") -> list[Installed]:
        """Installed LoRAs that fit an SQL condition of this package, in one query a table."""
        if not self.database.path.exists():
            return []
        with self.database.reading() as connection:
            rows = connection.execute(f"SELECT * FROM loras WHERE {where} ORDER BY {order}", parameters).fetchall()  # noqa: S608
            extras = _Extras.of(connection, [row["id"] for row in rows])
        return [self._installed(row, extras) for row in rows]

    def by_name(self, name: str) -> list[Installed]:
        """The LoRA with that stem; case-insensitive."""
        return self.all("name_key = ?", [name.casefold()])

    def by_path(self, path: Path) -> list[Installed]:
        """The LoRA at that path."""
        return self.all("path = ?", [self.database.stored(path)])

    def by_sha256(self, sha256: str) -> list[Installed]:
        """LoRAs with exactly these bytes."""
        return self.all("sha256 = ?", [sha256.lower()])

    def by_autov3(self, autov3: str) -> list[Installed]:
        """LoRAs with exactly these weights, whatever their header says."""
        return self.all("autov3 = ?", [autov3.lower()])

    def names(self) -> Mapping[str, Path]:
        """Case-folded stems in use, with their paths."""
        with self.database.reading() as connection:
            return {
                row["name_key"]: self.database.absolute(row["path"])
                for row in connection.execute("SELECT * FROM loras")
            }

    def refs(self) -> frozenset[str]:
        """References of everything installed from a hub."""
        with self.database.reading() as connection:
            return frozenset(row["ref"] for row in connection.execute("SELECT ref FROM loras WHERE ref IS NOT NULL"))

    def written(self, path: Path) -> dict[str, Any]:
        """What hubsync last wrote into that LoRA's sidecar."""
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT written FROM loras WHERE path = ?", [self.database.stored(path)]
            ).fetchone()
        return dict(json.loads(row["written"])) if row else {}

    def save(
        self, lora: Installed, *, raw_words: Sequence[str] | None = None, written: Mapping[str, Any] | None = None
    ) -> None:
        """Insert or replace one LoRA with its groups and tags; its download, if it is in the queue, is done."""
        row: dict[str, Any] = {name: getattr(lora, name) for name in _PLAIN}
        row |= {
            "path": self.database.stored(lora.path),
            "name_key": lora.name.casefold(),
            "type": lora.type.value,
            "ref": str(lora.ref) if lora.ref else None,
            "mtime_ns": lora.path.stat().st_mtime_ns if lora.path.exists() else 0,
            "preview": self.database.stored(lora.preview) if lora.preview else None,
            "installed_at": lora.installed_at.isoformat() if lora.installed_at else None,
            "suggestions": json.dumps([[item.text, item.score, item.source] for item in lora.suggestions]),
        }
        row |= {} if raw_words is None else {"raw_words": json.dumps(list(raw_words))}
        row |= {} if written is None else {"written": json.dumps(dict(written))}
        with self.database.writing() as database:
            table = database.table("loras")
            # A file that replaces another of the same stem elsewhere takes its row over.
            known = list(table.rows_where("path = ? OR name_key = ?", [row["path"], row["name_key"]], select="id"))
            if known:
                table.update(known[0]["id"], row)
                key = known[0]["id"]
            else:
                key = table.insert(row).last_pk
            if lora.ref:
                database.execute("DELETE FROM downloads WHERE ref = ?", [str(lora.ref)])
            _save_groups(database, key, lora.groups)
            database.execute("DELETE FROM tags WHERE lora_id = ?", [key])
            database.table("tags").insert_all(({"lora_id": key, "tag": tag} for tag in lora.tags), ignore=True)

    def _installed(self, row: sqlite3.Row, extras: _Extras) -> Installed:
        path = self.database.absolute(row["path"])
        return Installed(
            **{name: row[name] for name in _PLAIN if name != "type"},
            path=path,
            type=LoraType(row["type"]),
            ref=parse_ref(row["ref"]) if row["ref"] else None,
            groups=extras.groups(row["id"]),
            suggestions=tuple(
                Suggestion(text=text, score=score, source=source)
                for text, score, source in json.loads(row["suggestions"])
            ),
            tags=tuple(extras.tags[row["id"]]),
            preview=self.database.absolute(row["preview"]) if row["preview"] else None,
            installed_at=datetime.fromisoformat(row["installed_at"]) if row["installed_at"] else None,
            missing=not path.exists(),
            renders=extras.renders.get(row["name"], 0),
        )


def _save_groups(database: sqlite_utils.Database, key: int, groups: Iterable[TriggerGroup]) -> None:
    database.execute("DELETE FROM trigger_groups WHERE lora_id = ?", [key])
    for group in groups:
        position = {"lora_id": key, "position": group.index, "enabled": group.enabled}
        database.table("trigger_groups").insert(position)
        words = (
            {
                "lora_id": key,
                "group_position": group.index,
                "position": position,
                "text": word.text,
                "source": word.source.value,
                "enabled": word.enabled,
            }
            for position, word in enumerate(group.words)
        )
        database.table("trigger_words").insert_all(words)


@dataclass(frozen=True, slots=True)
class _Extras:
    """The rows of the other tables that belong to a set of LoRAs."""

    enabled: dict[int, dict[int, bool]]
    words: dict[tuple[int, int], list[TriggerWord]]
    tags: dict[int, list[str]]
    renders: dict[str, int]

    @classmethod
    def of(cls, connection: sqlite3.Connection, ids: Sequence[int]) -> _Extras:
        extras = cls(defaultdict(dict), defaultdict(list), defaultdict(list), {})
        chosen = "lora_id IN (SELECT value FROM json_each(?))"
        key = [json.dumps(ids)]
        for row in connection.execute(f"SELECT * FROM trigger_groups WHERE {chosen} ORDER BY position", key):  # noqa: S608
            extras.enabled[row["lora_id"]][row["position"]] = bool(row["enabled"])
        query = f"SELECT * FROM trigger_words WHERE {chosen} ORDER BY group_position, position"  # noqa: S608
        for row in connection.execute(query, key):
            word = TriggerWord(text=row["text"], source=WordSource(row["source"]), enabled=bool(row["enabled"]))
            extras.words[row["lora_id"], row["group_position"]].append(word)
        for row in connection.execute(f"SELECT * FROM tags WHERE {chosen} ORDER BY tag", key):  # noqa: S608
            extras.tags[row["lora_id"]].append(row["tag"])
        counts = connection.execute("SELECT name, COUNT(DISTINCT render_id) FROM render_loras GROUP BY name")
        extras.renders.update(counts.fetchall())
        return extras

    def groups(self, key: int) -> tuple[TriggerGroup, ...]:
        return tuple(
            TriggerGroup(index=index, enabled=enabled, words=tuple(self.words[key, index]))
            for index, enabled in self.enabled[key].items()
        )
