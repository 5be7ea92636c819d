"""Writing one value into a TOML file, whose comments stay."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def put(path: Path, section: str, name: str, value: object) -> None:
    """Set a value of a section, of none where that is empty, or take it out with None; only the owner reads the file.

    What was there before stays whole until the new file is.
    """
    import tomlkit

    document = tomlkit.parse(path.read_text("utf-8")) if path.exists() else tomlkit.document()
    if section and section not in document:
        document[section] = tomlkit.table()
    table: Any = document[section] if section else document
    if value is None:
        del table[name]
    else:
        table[name] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(tomlkit.dumps(document))
    aside.replace(path)
