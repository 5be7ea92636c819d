"""Which pages are made from the code, whole or in part."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs import commands, keys, settings

DOCS = Path(__file__).parents[2] / "docs"


def _tui() -> str:
    """The page as it is, with the tables of keys between its two marks made anew."""
    begin, end = "<!-- keys: made by `make docs` -->\n", "<!-- keys: end -->"
    text = (DOCS / "tui.md").read_text("utf-8")
    return re.sub(f"(?s)(?<={re.escape(begin)}).*?(?={re.escape(end)})", lambda _: keys.tables(), text)


MADE = {"cli.md": commands.page, "configuration.md": settings.page, "tui.md": _tui}
"""What makes the text of a page of docs/."""
