"""Writes the pages of docs/ that are made from the code: `make docs`. A test holds them to what this would write."""

from __future__ import annotations

from tests.docs.pages import DOCS, MADE

for name, text in MADE.items():
    (DOCS / name).write_text(text(), "utf-8")
    print(DOCS / name)
