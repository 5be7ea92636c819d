"""The schema, as an append-only list of steps: each brings a library from one version to the next."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

# `path` and `preview` are relative to the root where they lie inside it, so that a library can be moved whole.
# `name_key` is the case-folded stem: stems are unique on every file system.
# `written` is what hubsync last wrote into the sidecar, so that a human's edits there are recognised.
INITIAL = """
CREATE TABLE loras (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    alias TEXT,
    ref TEXT,
    type TEXT NOT NULL,
    base_model TEXT,
    family TEXT,
    network TEXT,
    rank INTEGER,
    alpha REAL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    sha256 TEXT,
    autov2 TEXT,
    autov3 TEXT,
    weight REAL,
    negative TEXT,
    notes TEXT,
    creator TEXT,
    nsfw_level INTEGER,
    preview TEXT,
    installed_at TEXT,
    raw_words TEXT NOT NULL DEFAULT '[]',
    suggestions TEXT NOT NULL DEFAULT '[]',
    written TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX loras_sha256 ON loras (sha256);
CREATE INDEX loras_ref ON loras (ref);
CREATE TABLE tags (
    lora_id INTEGER NOT NULL REFERENCES loras (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (lora_id, tag)
) WITHOUT ROWID;
CREATE TABLE trigger_groups (
    lora_id INTEGER NOT NULL REFERENCES loras (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    PRIMARY KEY (lora_id, position)
) WITHOUT ROWID;
CREATE TABLE trigger_words (
    lora_id INTEGER NOT NULL,
    group_position INTEGER NOT NULL,
    position INTEGER NOT NULL,
    text TEXT NOT NULL,
    source TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    PRIMARY KEY (lora_id, group_position, position),
    FOREIGN KEY (lora_id, group_position) REFERENCES trigger_groups (lora_id, position) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX trigger_words_text ON trigger_words (text);
CREATE TABLE renders (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    trigger_words TEXT NOT NULL,
    prompt TEXT NOT NULL,
    negative_prompt TEXT NOT NULL,
    seed INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    cfg REAL NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    sampler TEXT NOT NULL,
    checkpoint TEXT NOT NULL,
    family TEXT,
    effect REAL,
    trigger_effect REAL,
    created_at TEXT NOT NULL
);
CREATE TABLE render_loras (
    render_id INTEGER NOT NULL REFERENCES renders (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    weight REAL NOT NULL,
    PRIMARY KEY (render_id, position)
) WITHOUT ROWID;
CREATE INDEX render_loras_name ON render_loras (name)
"""
"""Version 1: LoRAs with their trigger groups and tags, and renders with the LoRAs in them."""

# `ref` is canonical and holds no secret; `options` is JSON; `journal` is relative to the root; `error` is the code and
# message of the last failure, NULL while there was none.
DOWNLOADS = """
CREATE TABLE downloads (
    ref TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    size INTEGER,
    options TEXT NOT NULL,
    data TEXT NOT NULL,
    journal TEXT NOT NULL,
    lock TEXT NOT NULL,
    error TEXT,
    added_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX loras_autov3 ON loras (autov3)
"""
"""Version 2: what is to be downloaded and is not here yet; LoRAs are found by their weights."""

# What each source says is kept apart, so that a rescan or a hub never touches what a user wrote; `trigger_groups` and
# `trigger_words` hold what follows from it. `groups` is JSON as `rows.groups_json` writes it, NULL where a source says
# nothing of words. Stems may repeat: they do in libraries that other tools filled, and a row lost is worse than a row
# reported. `sidecars` tells whether a file beside the LoRA changed. `trashed` is when it was removed: `path` is in the
# trash then. `newer` is the reference of a newer version, '' where there is none, NULL where nobody looked.
# `asked_at` is when a hub was last asked about these bytes. `problems` are files that are no LoRAs: they too are read
# once.
KNOWLEDGE = """
CREATE TABLE loras_new (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    title TEXT NOT NULL,
    alias TEXT,
    ref TEXT,
    type TEXT NOT NULL,
    base_model TEXT,
    family TEXT,
    network TEXT,
    rank INTEGER,
    alpha REAL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL DEFAULT 0,
    sidecars TEXT NOT NULL DEFAULT '',
    sha256 TEXT,
    autov1 TEXT,
    autov2 TEXT,
    autov3 TEXT,
    blake3 TEXT,
    crc32 TEXT,
    weight REAL,
    negative TEXT,
    notes TEXT,
    creator TEXT,
    nsfw_level INTEGER,
    preview TEXT,
    installed_at TEXT,
    description TEXT NOT NULL DEFAULT '',
    written TEXT NOT NULL DEFAULT '{}',
    missing INTEGER NOT NULL DEFAULT 0,
    trashed TEXT,
    newer TEXT,
    pinned INTEGER NOT NULL DEFAULT 0,
    asked_at TEXT
);
INSERT INTO loras_new (
    id, path, name, name_key, title, alias, ref, type, base_model, family, network, rank, alpha, size, mtime_ns, sha256,
    autov2, autov3, weight, negative, notes, creator, nsfw_level, preview, installed_at, written
) SELECT
    id, path, name, name_key, title, alias, ref, type, base_model, family, network, rank, alpha, size, mtime_ns, sha256,
    autov2, autov3, weight, negative, notes, creator, nsfw_level, preview, installed_at, written
FROM loras;
CREATE TABLE statements (
    lora_id INTEGER NOT NULL REFERENCES loras (id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    raw TEXT NOT NULL DEFAULT '[]',
    groups TEXT,
    weight REAL,
    negative TEXT,
    notes TEXT,
    PRIMARY KEY (lora_id, source)
) WITHOUT ROWID;
INSERT INTO statements (lora_id, source, raw, groups, weight, negative, notes)
SELECT
    id,
    COALESCE(
        (SELECT source FROM trigger_words WHERE lora_id = loras.id LIMIT 1),
        CASE WHEN ref LIKE 'hf:%' THEN 'card' ELSE 'civitai' END
    ),
    raw_words,
    (
        SELECT json_group_array(json_array(
            json(CASE WHEN enabled THEN 'true' ELSE 'false' END),
            json((
                SELECT json_group_array(
                    json_array(text, source, json(CASE WHEN enabled THEN 'true' ELSE 'false' END))
                ) FROM trigger_words
                WHERE trigger_words.lora_id = trigger_groups.lora_id AND group_position = trigger_groups.position
            ))
        )) FROM trigger_groups WHERE lora_id = loras.id HAVING COUNT(*)
    ),
    weight,
    negative,
    notes
FROM loras;
DROP TABLE loras;
ALTER TABLE loras_new RENAME TO loras;
CREATE INDEX loras_name_key ON loras (name_key);
CREATE INDEX loras_sha256 ON loras (sha256);
CREATE INDEX loras_autov3 ON loras (autov3);
CREATE INDEX loras_ref ON loras (ref);
CREATE TABLE problems (
    path TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL
) WITHOUT ROWID
"""
"""Version 3: what every source says of a LoRA; files as they were found on disk."""

# `body` is what `finding` searches: a LoRA's words, folded, the marks before them saying where they come from. `finder`
# is the index of its trigrams; without positions it takes a quarter of the space (18 of 73 MB at 100,000 LoRAs).
FINDING = """
CREATE TABLE lookup (
    id INTEGER PRIMARY KEY REFERENCES loras (id) ON DELETE CASCADE,
    body TEXT NOT NULL
);
CREATE VIRTUAL TABLE finder USING fts5 (
    body, content = 'lookup', content_rowid = 'id', tokenize = 'trigram', detail = 'none', columnsize = 0
);
CREATE TRIGGER lookup_added AFTER INSERT ON lookup BEGIN
    INSERT INTO finder (rowid, body) VALUES (new.id, new.body);
END;
CREATE TRIGGER lookup_removed AFTER DELETE ON lookup BEGIN
    INSERT INTO finder (finder, rowid, body) VALUES ('delete', old.id, old.body);
END;
CREATE TRIGGER lookup_changed AFTER UPDATE ON lookup BEGIN
    INSERT INTO finder (finder, rowid, body) VALUES ('delete', old.id, old.body);
    INSERT INTO finder (rowid, body) VALUES (new.id, new.body);
END
"""
"""Version 4: LoRAs are found by any part of their words."""

PROBING = """
CREATE TABLE suggestions (
    lora_id INTEGER NOT NULL REFERENCES loras (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    text TEXT NOT NULL,
    score REAL NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (lora_id, position)
) WITHOUT ROWID
"""
"""Version 5: words that were tried out on a LoRA."""

# `loras` is JSON: what `services.triggers` keeps of each, in their order.
PROMPTS = """
CREATE TABLE prompts (
    name TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    negative TEXT NOT NULL,
    loras TEXT NOT NULL,
    saved_at TEXT NOT NULL
) WITHOUT ROWID
"""
"""Version 6: prompts kept under a name."""

# `key` is the job's own, also when it is tried again. `refs` is JSON. `place` and `picture` are relative to the root
# where they lie inside it.
JOBS = """
CREATE TABLE jobs (
    key TEXT PRIMARY KEY,
    label TEXT NOT NULL,
    state TEXT NOT NULL,
    note TEXT NOT NULL,
    error TEXT NOT NULL,
    hint TEXT NOT NULL,
    refs TEXT NOT NULL,
    begun TEXT NOT NULL,
    ended TEXT NOT NULL,
    place TEXT,
    picture TEXT
)
"""
"""Version 7: work that is over."""

STEPS = (INITIAL, DOWNLOADS, KNOWLEDGE, FINDING, PROBING, PROMPTS, JOBS)

VERSION = len(STEPS)
"""SQLite's `user_version` of an up-to-date library."""


def statements(version: int) -> Iterator[str]:
    """The statements that lead to a version, one by one. The body of a trigger has semicolons of its own."""
    statement = ""
    for part in f"{STEPS[version - 1]};".split(";")[:-1]:
        statement += f"{part};"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
