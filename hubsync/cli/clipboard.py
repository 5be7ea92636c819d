"""The clipboard of the terminal in front of the user, reached through SSH, tmux and screen (OSC 52)."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Mapping
from pathlib import Path

LIMIT = 74_994
"""Bytes that pass everywhere: hterm and others take no sequence of more than 100,000 characters."""

_PIECE = 240
"""Characters GNU screen passes on at once; older ones end a longer string."""

_WITHOUT = ("dumb", "linux")
"""Terminals that would print the sequence."""


def copy(text: str) -> str:
    """Hand a text to the clipboard, and say in a sentence what came of it. No terminal answers, so none can confirm."""
    data = sequence(text, os.environ)
    if os.environ.get("TERM") in _WITHOUT or not _write(data):
        return "nothing is copied: there is no terminal with a clipboard here"
    if len(text.encode()) > LIMIT:
        return f"handed to the terminal's clipboard; many terminals take no more than {LIMIT} bytes"
    return "copied to the terminal's clipboard"


def sequence(text: str, environ: Mapping[str, str]) -> str:
    """What a terminal has to be sent, through whatever stands between it and this program."""
    plain = f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\x07"
    if "TMUX" in environ or environ.get("TERM", "").startswith("tmux"):
        # tmux takes the plain one with `set-clipboard on` and passes the wrapped one with `allow-passthrough on`.
        doubled = plain.replace("\x1b", "\x1b\x1b")
        return f"{plain}\x1bPtmux;{doubled}\x1b\\"
    if "STY" in environ:
        return "".join(f"\x1bP{plain[at : at + _PIECE]}\x1b\\" for at in range(0, len(plain), _PIECE))
    return plain


def _write(data: str) -> bool:
    """Whether there is a terminal; stdout is the prompt's, and stderr may go to a file."""
    if sys.stderr.isatty():
        sys.stderr.write(data)
        sys.stderr.flush()
        return True
    try:
        with Path("/dev/tty").open("w", encoding="ascii") as terminal:
            terminal.write(data)
    except OSError:
        return False
    return True
