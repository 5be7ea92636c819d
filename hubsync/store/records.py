"""The installed LoRAs of one library: reading them in pages, saving them whole."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath

from hubsync.domain import Entry, Facets, Installed, ListFilter, LoraType, Stamp, Suggestion
from hubsync.refs import Ref
from hubsync.store import rows
from hubsync.store.database import Database

_SAVE = (
    f"INSERT INTO loras ({', '.join(rows.COLUMNS)}) VALUES ({', '.join('?' for _ in rows.COLUMNS)}) "  # noqa: S608
    f"ON CONFLICT (path) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in rows.COLUMNS)}"
)
_CHILDREN = {
    "statements": "INSERT INTO statements VALUES (?, ?, ?, ?, ?, ?, ?)",
    "trigger_groups": "INSERT INTO trigger_groups VALUES (?, ?, ?)",
    "trigger_words": "INSERT INTO trigger_words VALUES (?, ?, ?, ?, ?, ?)",
    "tags": "INSERT OR IGNORE INTO tags VALUES (?, ?)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The installed LoRAs of one library root; those in the trash are not among them."""

    database: Database

    def page(self, wanted: ListFilter, *, limit: int = -1, offset: int = 0) -> list[Installed]:
        """A page of the LoRAs that fit, ordered; all of them without a limit."""
        from hubsync.store import listing

        with self.database.reading() as connection:
            if wanted.missing:
                found = self._gone(connection, wanted)
                return self._of_ids(connection, found[offset : None if limit < 0 else offset + limit])
            return self._of_ids(connection, listing.ids(connection, wanted, limit=limit, offset=offset))

    def count(self, wanted: ListFilter) -> int:
        """How many LoRAs fit."""
        from hubsync.store import listing

        with self.database.reading() as connection:
            return len(self._gone(connection, wanted)) if wanted.missing else listing.count(connection, wanted)

    def facets(self) -> Facets:
        """What the LoRAs can be filtered by, with numbers."""
        from hubsync.store import listing

        with self.database.reading() as connection:
            return Facets(
                families=listing.families(connection),
                tags=listing.tags(connection),
                missing=len(self._gone(connection, ListFilter(missing=True))),
                outdated=listing.count(connection, ListFilter(outdated=True)),
                no_words=listing.count(connection, ListFilter(no_words=True)),
                no_preview=listing.count(connection, ListFilter(no_preview=True)),
            )

    def all(self, where: str = "1", parameters: Sequence[object] = ()) -> list[Installed]:
        """Installed LoRAs that fit an SQL condition of this package, by name."""
        query = f"SELECT id FROM loras WHERE trashed IS NULL AND ({where}) ORDER BY name_key, path"  # noqa: S608
        with self.database.reading() as connection:
            return self._of_ids(connection, [key for (key,) in connection.execute(query, parameters)])

    def by_name(self, name: str) -> list[Installed]:
        """The LoRAs with that stem; case-insensitive."""
        return self.all("name_key = ?", [name.casefold()])

    def of_type(self, kind: LoraType) -> list[Installed]:
        """Everything of that type."""
        return self.all("type = ?", [kind.value])

    def by_path(self, path: Path) -> list[Installed]:
        """The LoRA at that path."""
        return self.all("path = ?", [self.database.stored(path)])

    def by_sha256(self, sha256: str) -> list[Installed]:
        """LoRAs with exactly these bytes."""
        return self.all("sha256 = ?", [sha256.lower()])

    def by_autov3(self, autov3: str) -> list[Installed]:
        """LoRAs with exactly these weights, whatever their header says."""
        return self.all("autov3 = ?", [autov3.lower()])

    def by_hash(self, value: str) -> list[Installed]:
        """LoRAs with that SHA-256, AutoV2 or AutoV3."""
        return self.all("? IN (sha256, autov2, autov3)", [value.lower()])

    def by_ref(self, pattern: str) -> list[Installed]:
        """LoRAs whose canonical reference fits a pattern of SQL's LIKE; case aside."""
        return self.all("ref LIKE ?", [pattern])

    def near(self, name: str) -> list[str]:
        """Up to three installed names that look like `name`, the nearest first."""
        from hubsync.store import finding

        with self.database.reading() as connection:
            return finding.near(connection, name)

    def names(self) -> Mapping[str, Path]:
        """Case-folded stems in use, with their paths."""
        with self.database.reading() as connection:
            query = connection.execute("SELECT name_key, path FROM loras WHERE trashed IS NULL")
            return {key: self.database.absolute(path) for key, path in query}

    def names_and_aliases(self) -> list[tuple[str, str | None, str | None]]:
        """Stem, alias and family of every LoRA, in the order tools walk the folders."""
        from hubsync.prompts.resolution import walk_key

        with self.database.reading() as connection:
            query = "SELECT path, name, alias, family FROM loras WHERE trashed IS NULL AND type != 'embedding'"
            found = sorted(connection.execute(query), key=lambda row: walk_key(PurePath(row["path"])))
            return [(name, alias, family) for _, name, alias, family in found]

    def embeddings(self) -> list[str]:
        """The names of all embeddings."""
        with self.database.reading() as connection:
            query = "SELECT name FROM loras WHERE trashed IS NULL AND type = 'embedding' ORDER BY name_key, path"
            return [name for (name,) in connection.execute(query)]

    def beginning(self, text: str, *, limit: int) -> list[str]:
        """The names of at most `limit` LoRAs that begin like this, in any case; for a shell's tab key."""
        query = (
            "SELECT DISTINCT name FROM loras WHERE trashed IS NULL AND substr(name_key, 1, ?) = ? "
            "ORDER BY name_key LIMIT ?"
        )
        key = text.casefold()
        with self.database.reading() as connection:
            return [name for (name,) in connection.execute(query, [len(key), key, limit])]

    def refs(self) -> frozenset[str]:
        """References of everything installed from a hub."""
        with self.database.reading() as connection:
            query = "SELECT ref FROM loras WHERE ref IS NOT NULL AND trashed IS NULL"
            return frozenset(ref for (ref,) in connection.execute(query))

    def having(self, sha256: Iterable[str]) -> frozenset[str]:
        """Those of these SHA-256 (lower case) that are in the library, in one query."""
        with self.database.reading() as connection:
            query = "SELECT sha256 FROM loras WHERE trashed IS NULL AND sha256 IN (SELECT value FROM json_each(?))"
            return frozenset(digest for (digest,) in connection.execute(query, [json.dumps([*sha256])]))

    def entry(self, path: Path) -> Entry | None:
        """All that is known of the LoRA at that path."""
        return next(iter(self.entries([path])), None)

    def entries(self, paths: Iterable[Path]) -> list[Entry]:
        """All that is known of the LoRAs at these paths; those that are none are left out."""
        wanted = json.dumps([self.database.stored(path) for path in paths])
        query = "SELECT * FROM loras WHERE trashed IS NULL AND path IN (SELECT value FROM json_each(?))"
        with self.database.reading() as connection:
            found = connection.execute(query, [wanted]).fetchall()
            extras = rows.Extras.of(connection, [row["id"] for row in found])
            return [self._entry(connection, row, extras) for row in found]

    def suggested(self, path: Path) -> list[Suggestion]:
        """Words that were tried out on the LoRA at that path, best first."""
        query = (
            "SELECT text, score, source FROM suggestions JOIN loras ON id = lora_id WHERE path = ? ORDER BY position"
        )
        with self.database.reading() as connection:
            return [Suggestion(**row) for row in connection.execute(query, [self.database.stored(path)])]

    def suggest(self, path: Path, suggestions: Iterable[Suggestion]) -> None:
        """Keep words that were tried out instead of those of before."""
        stored = self.database.stored(path)
        rows = [(at, one.text, one.score, one.source, stored) for at, one in enumerate(suggestions)]
        with self.database.writing() as database:
            of_it = "(SELECT id FROM loras WHERE path = ?)"
            database.execute(f"DELETE FROM suggestions WHERE lora_id = {of_it}", [stored])  # noqa: S608
            database.conn.executemany(
                f"INSERT INTO suggestions SELECT id, ?, ?, ?, ? FROM loras WHERE id = {of_it}",  # noqa: S608
                rows,
            )

    def alone(self) -> AbstractContextManager[None]:
        """While it lasts nobody else changes what was read in it; see `Database.alone`."""
        return self.database.alone()

    def save(self, entry: Entry) -> Installed:
        """Insert or replace one LoRA; its download, if it is in the queue, is done. What it comes to is returned."""
        return self.save_all([entry])[0]

    def save_all(self, entries: Iterable[Entry]) -> list[Installed]:
        """Insert or replace LoRAs, with the words that follow from their statements, in one transaction."""
        from hubsync.prompts.sources import resolved
        from hubsync.store import finding

        whole = [resolved(entry) for entry in entries]
        with self.database.writing() as database:
            connection: sqlite3.Connection = database.conn
            by_path = {self.database.stored(one.lora.path): one for one in whole}
            connection.executemany(_SAVE, [rows.row_of(one, path, self.database) for path, one in by_path.items()])
            query = "SELECT id, path FROM loras WHERE path IN (SELECT value FROM json_each(?))"
            found = connection.execute(query, [json.dumps([*by_path])]).fetchall()
            keys = [key for key, _ in found]
            self._replace_children(connection, {key: by_path[path] for key, path in found})
            refs = [(str(one.lora.ref),) for one in whole if one.lora.ref]
            connection.executemany("DELETE FROM downloads WHERE ref = ?", refs)
            finding.refresh(connection, keys)
        return [one.lora for one in whole]

    def relocate(self, places: Mapping[Path, Path], *, trashed: datetime | None = None) -> None:
        """Files that lie elsewhere now: their rows follow, also into the trash (`trashed` says when) and out of it."""
        from hubsync.store import finding

        stored = self.database.stored
        moved = [(stored(old), stored(new), new.stem) for old, new in places.items()]
        moment = trashed.isoformat() if trashed else None
        with self.database.writing() as database:
            connection: sqlite3.Connection = database.conn
            keys = []
            for old, new, name in moved:
                row = connection.execute("SELECT id, name, preview FROM loras WHERE path = ?", [old]).fetchone()
                if row is None:
                    continue
                key, before, preview = row
                picture = places.get(self.database.absolute(preview)) if preview else None
                connection.execute("DELETE FROM loras WHERE path = ?", [new])
                connection.execute(
                    "UPDATE loras SET path = ?, name = ?, name_key = ?, trashed = ?, preview = ? WHERE id = ?",
                    [new, name, name.casefold(), moment, stored(picture) if picture else preview, key],
                )
                connection.execute("UPDATE render_loras SET name = ? WHERE name = ?", [name, before])
                keys.append(key)
            finding.refresh(connection, keys)

    def forget(self, path: Path) -> None:
        """Drop the row of a file, also of one in the trash."""
        with self.database.writing() as database:
            database.execute("DELETE FROM loras WHERE path = ?", [self.database.stored(path)])

    def note_newer(self, found: Mapping[Path, Ref | None]) -> None:
        """Newer versions of LoRAs were looked for; None: there is none."""
        if found:
            rows = [(str(newer) if newer else "", self.database.stored(path)) for path, newer in found.items()]
            with self.database.writing() as database:
                database.conn.executemany("UPDATE loras SET newer = ? WHERE path = ?", rows)

    def _gone(self, connection: sqlite3.Connection, wanted: ListFilter) -> list[int]:
        """The ids of the LoRAs that fit and whose file is gone: only the disk knows that since the last scan."""
        from hubsync.store import listing

        keys = listing.ids(connection, wanted)
        query = "SELECT id, path FROM loras WHERE id IN (SELECT value FROM json_each(?))"
        paths = dict(connection.execute(query, [json.dumps(keys)]).fetchall())
        return [key for key in keys if not self.database.absolute(paths[key]).exists()]

    def _of_ids(self, connection: sqlite3.Connection, ids: Sequence[int]) -> list[Installed]:
        """LoRAs in the order of their ids, in one query a table."""
        query = "SELECT * FROM loras WHERE id IN (SELECT value FROM json_each(?))"
        found = {row["id"]: row for row in connection.execute(query, [json.dumps(ids)])}
        extras = rows.Extras.of(connection, ids)
        return [rows.installed(found[key], extras, self.database) for key in ids]

    def _entry(self, connection: sqlite3.Connection, row: sqlite3.Row, extras: rows.Extras) -> Entry:
        said = connection.execute("SELECT * FROM statements WHERE lora_id = ?", [row["id"]])
        return Entry(
            lora=rows.installed(row, extras, self.database),
            stamp=Stamp(size=row["size"], mtime_ns=row["mtime_ns"], inode=row["inode"], sidecars=row["sidecars"]),
            statements=tuple(sorted(map(rows.statement, said), key=lambda one: one.source.rank)),
            written=json.loads(row["written"]),
            description=row["description"],
        )

    def _replace_children(self, connection: sqlite3.Connection, entries: Mapping[int, Entry]) -> None:
        keys = [json.dumps([*entries])]
        for table in _CHILDREN:
            connection.execute(f"DELETE FROM {table} WHERE lora_id IN (SELECT value FROM json_each(?))", keys)  # noqa: S608
        new: dict[str, list[tuple[object, ...]]] = {
            "statements": [row for key, one in entries.items() for row in rows.statement_rows(key, one.statements)],
            "trigger_groups": [row for key, one in entries.items() for row in rows.group_rows(key, one.lora.groups)],
            "trigger_words": [row for key, one in entries.items() for row in rows.word_rows(key, one.lora.groups)],
            "tags": [(key, tag) for key, one in entries.items() for tag in one.lora.tags],
        }
        for table, statement in _CHILDREN.items():
            connection.executemany(statement, new[table])
