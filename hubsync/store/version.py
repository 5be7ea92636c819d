"""The number of migrations, known without importing them."""

from __future__ import annotations

SCHEMA_VERSION = 1
"""SQLite's `user_version` of an up-to-date library; a test holds it equal to the list of migrations."""
