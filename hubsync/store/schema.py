"""The schema, as an append-only list of steps: each brings a library from one version to the next."""

from __future__ import annotations

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

STEPS = (INITIAL, DOWNLOADS)

VERSION = len(STEPS)
"""SQLite's `user_version` of an up-to-date library."""
