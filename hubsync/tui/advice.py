"""What to do about an error, for somebody at the TUI: hints name commands and options, here they name keys and fields.

Services know no face of hubsync. Their hints are in the words of the command line, where each has one exact form.
"""

from __future__ import annotations

import re

_TEST = "(4, n)"  # the mode and the key of the form of a test
_FORMS = (
    (r"`?hubsync config set ([\w.]+) (\S+/\S+)`?", r"set \1 to \2 in Settings (6)"),
    (r"`?hubsync config set ([\w.]+)(?: [A-Z]+)?`?", r"set \1 in Settings (6)"),
    (r"`hubsync config list`", "Settings (6)"),
    (r"`hubsync doctor`", "the doctor (F2)"),
    (r"hubsync doctor", "ask the doctor (F2)"),
    (r"`hubsync downloads`", "Activity (5)"),
    (r"hubsync install REF", "Discover (1)"),
    (r"`hubsync list`", "the Library (2)"),
    (r"hubsync move NAME --to STEM", "type one"),
    (r"`hubsync move`", "m in the Library (2)"),
    (r"hubsync render NAME --checkpoint PATH", f"a test with it as Model {_TEST}"),
    (r"`hubsync scan`", "a scan (2, S)"),
    (r"hubsync scan", "scan the folders (2, S)"),
    (r"hubsync triggers NAME add '([^']+)'", r"\1"),
    (r"`hubsync triggers \S+ probe`", "trying it out (2, e, t)"),
    (r"`hubsync verify [^`]+`", "verify it (2, v)"),
    (r"run (?:it|the same command) again", "try again"),
    (r"(use|with) --checkpoint", rf"\1 a Model {_TEST}"),
    (r"--device (\w+)", r"render.device \1 (Settings, 6)"),
    (r" or --no-batch", ""),
    (r"use --out DIR", "make it writable, or set root in Settings (6)"),
    (r"with --root", "as root in Settings (6)"),
    (r"leave --sampler out", f"leave Sampler empty {_TEST}"),
    (r"--size", f"Size {_TEST}"),
    (r"with --file(?: NAME)?", "among the versions (v)"),
    (r" with(?:out)? --(?:name|cursor)", ""),
    (r"--allow-[\w-]+ installs", "only the command line installs"),
)


def advice(hint: str) -> str:
    """A hint in the words of the TUI; in brackets the keys that lead there, a mode's first."""
    for form, words in _FORMS:
        hint = re.sub(form, words, hint)
    return hint
