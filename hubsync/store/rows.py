"""Rows to domain and back: one LoRA with its groups, words, tags and statements."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from hubsync.domain import Entry, Installed, LoraType, Statement, TriggerGroup, TriggerWord, WordSource
from hubsync.refs import parse_ref
from hubsync.store.database import Database

# fmt: off
_PLAIN = (
    "name", "title", "alias", "base_model", "family", "network", "rank", "alpha", "size", "sha256", "autov1", "autov2",
    "autov3", "blake3", "crc32", "weight", "negative", "notes", "creator", "nsfw_level", "pinned",
)
COLUMNS = (
    *_PLAIN, "path", "name_key", "ref", "type", "mtime_ns", "inode", "sidecars", "preview", "installed_at",
    "description", "written", "missing", "newer",
)
# fmt: on


_plain = attrgetter(*_PLAIN)


def row_of(entry: Entry, path: str, database: Database) -> tuple[object, ...]:
    """The values of `COLUMNS`; `path` is the LoRA's as it is stored."""
    lora, stamp = entry.lora, entry.stamp
    return (
        *_plain(lora),
        path,
        lora.name.casefold(),
        str(lora.ref) if lora.ref else None,
        lora.type.value,
        stamp.mtime_ns,
        stamp.inode,
        stamp.sidecars,
        database.stored(lora.preview) if lora.preview else None,
        lora.installed_at.isoformat() if lora.installed_at else None,
        entry.description,
        json.dumps(dict(entry.written)) if entry.written else "{}",
        False,
        str(lora.newer) if lora.newer else "" if lora.outdated is False else None,
    )


def installed(row: sqlite3.Row, extras: Extras, database: Database) -> Installed:
    """The LoRA of a row. Whether its file is there is looked up now: the row may be older than the disk."""
    path = database.absolute(row["path"])
    return Installed(
        **{name: row[name] for name in _PLAIN if name != "pinned"},
        path=path,
        type=LoraType(row["type"]),
        ref=parse_ref(row["ref"]) if row["ref"] else None,
        groups=extras.groups(row["id"]),
        tags=tuple(extras.tags[row["id"]]),
        preview=database.absolute(row["preview"]) if row["preview"] else None,
        installed_at=datetime.fromisoformat(row["installed_at"]) if row["installed_at"] else None,
        missing=not path.exists(),
        outdated=None if row["newer"] is None else bool(row["newer"]),
        newer=parse_ref(row["newer"]) if row["newer"] else None,
        pinned=bool(row["pinned"]),
        renders=extras.renders.get(row["name"], 0),
    )


def statement_rows(key: int, statements: Sequence[Statement]) -> Iterator[tuple[object, ...]]:
    """Rows of `statements`."""
    from hubsync.prompts.grouping import groups_to_builtins

    for one in statements:
        groups = None if one.groups is None else json.dumps(groups_to_builtins(one.groups))
        yield key, one.source.value, json.dumps(one.raw), groups, one.weight, one.negative, one.notes


def statement(row: sqlite3.Row) -> Statement:
    """What a row of `statements` says."""
    from hubsync.prompts.grouping import groups_from_builtins

    return Statement(
        source=WordSource(row["source"]),
        raw=tuple(json.loads(row["raw"])),
        groups=None if row["groups"] is None else groups_from_builtins(json.loads(row["groups"])),
        weight=row["weight"],
        negative=row["negative"],
        notes=row["notes"],
    )


def group_rows(key: int, groups: Sequence[TriggerGroup]) -> Iterator[tuple[object, ...]]:
    """Rows of `trigger_groups`."""
    return ((key, group.index, group.enabled) for group in groups)


def word_rows(key: int, groups: Sequence[TriggerGroup]) -> Iterator[tuple[object, ...]]:
    """Rows of `trigger_words`."""
    for group in groups:
        for position, word in enumerate(group.words):
            yield key, group.index, position, word.text, word.source.value, word.enabled


@dataclass(frozen=True, slots=True)
class Extras:
    """The rows of the other tables that belong to a set of LoRAs."""

    enabled: dict[int, dict[int, bool]]
    words: dict[tuple[int, int], list[TriggerWord]]
    tags: dict[int, list[str]]
    renders: dict[str, int]

    @classmethod
    def of(cls, connection: sqlite3.Connection, ids: Sequence[int]) -> Extras:
        """Read them, in one query a table."""
        extras = cls(defaultdict(dict), defaultdict(list), defaultdict(list), {})
        chosen = "lora_id IN (SELECT value FROM json_each(?))"
        key: list[Any] = [json.dumps(ids)]
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
        """The trigger groups of one LoRA."""
        return tuple(
            TriggerGroup(index=index, enabled=enabled, words=tuple(self.words[key, index]))
            for index, enabled in self.enabled[key].items()
        )
