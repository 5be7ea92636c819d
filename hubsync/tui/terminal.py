"""The world around the app: whether the terminal draws true pictures, and the desktop, if there is one."""

from __future__ import annotations

import importlib.util
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.widget import Widget

_KITTY = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
_ATTRIBUTES = "\x1b[c"
_OPENERS = {"darwin": "open", "linux": "xdg-open"}
_PATIENCE = 2.0  # seconds for a file to be handed over; some desktops' openers stay for as long as their program
_SECONDS = 0.3  # a late answer would end up in the search box; every terminal in use answers `_ATTRIBUTES` at once


def graphics_widget(images: str) -> type[Widget] | None:
    """The widget of textual-image, where it is installed, wanted and the terminal speaks Sixel or Kitty graphics."""
    if images != "auto" or importlib.util.find_spec("textual_image") is None or not draws(_ask()):
        return None
    from textual_image.widget import Image

    return Image  # type: ignore[no-any-return]


def open_outside(path: Path, environ: Mapping[str, str] = os.environ) -> bool:
    """Open a file in the desktop's own program; False where nobody would see it: over SSH, or without a display."""
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return False
    if sys.platform == "win32":
        os.startfile(path)  # noqa: S606  (a picture hubsync drew)
        return True
    display = sys.platform == "darwin" or environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    opener = shutil.which(_OPENERS.get(sys.platform, "xdg-open"), path=environ.get("PATH"))
    if not display or opener is None:
        return False
    nothing = subprocess.DEVNULL
    process = subprocess.Popen(  # noqa: S603  (the desktop's opener, a picture hubsync drew)
        [opener, path], stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
    )
    with suppress(subprocess.TimeoutExpired):
        return process.wait(_PATIENCE) == 0
    return True


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
