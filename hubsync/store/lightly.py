"""Loads sqlite_utils without numpy and pandas, which it looks for only to know their number types.

Where a renderer is installed numpy is too, and loading it takes 55 of 80 ms: a tenth of the time a 200 MB file takes.
"""

from __future__ import annotations

import sys

_LOOKED_FOR = ("numpy", "pandas")


def load_sqlite_utils() -> None:
    """Import sqlite_utils; what it looked for can be imported afterwards as before."""
    hidden = [name for name in _LOOKED_FOR if name not in sys.modules]
    # Python takes None for "there is no such module", which sqlite_utils is made for.
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        import sqlite_utils.migrations  # noqa: F401
    finally:
        for name in hidden:
            if sys.modules.get(name) is None:
                sys.modules.pop(name, None)
