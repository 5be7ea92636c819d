"""Asking the terminal, before the app starts, whether it can draw true pictures."""

from __future__ import annotations

import importlib.util
import os
import select
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.widget import Widget

_KITTY = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
_ATTRIBUTES = "\x1b[c"
_SECONDS = 0.3  # a late answer would end up in the search box; every terminal in use answers `_ATTRIBUTES` at once


def graphics_widget(images: str) -> type[Widget] | None:
    """The widget of textual-image, where it is installed, wanted and the terminal speaks Sixel or Kitty graphics."""
    if images != "auto" or importlib.util.find_spec("textual_image") is None or not draws(_ask()):
        return None
    from textual_image.widget import Image

    return Image  # type: ignore[no-any-return]


def draws(answer: str) -> bool:
    """Whether an answer to the two questions names Kitty graphics, or Sixel (attribute 4)."""
    _, _, attributes = answer.rpartition("\x1b[?")
    return "_Gi=31;OK" in answer or "4" in attributes.rstrip("c").split(";")


def _ask() -> str:
    """Both questions in one round trip: all terminals answer the second, and whatever the first brings comes before."""
    if sys.platform == "win32" or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return ""
    import termios
    import tty

    stdin = sys.stdin.fileno()
    before = termios.tcgetattr(stdin)
    try:
        tty.setcbreak(stdin)
        sys.stdout.write(_KITTY + _ATTRIBUTES)
        sys.stdout.flush()
        return _read(stdin, until=time.monotonic() + _SECONDS)
    finally:
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)


def _read(stdin: int, *, until: float) -> str:
    answer = ""
    while "\x1b[?" not in answer or not answer.endswith("c"):
        ready, _, _ = select.select([stdin], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            break
        answer += os.read(stdin, 1024).decode("ascii", "replace")
    return answer
