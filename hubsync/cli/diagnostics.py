"""Everything on stderr: progress, notes, errors with their hints; and the exit codes.

No other module writes to stderr or knows a number to exit with.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TextIO

from hubsync.errors import Cancelled, HubsyncError
from hubsync.events import Advanced, Event, Failed, Finished, Noted, Started, Verified

EXIT_CANCELLED = 130

# fmt: off
_EXIT_CODES = {
    1: ("internal", "failed"),
    2: ("usage", "bad_reference", "bad_config", "ambiguous"),
    3: ("not_found", "archived"),
    4: ("token_required", "token_invalid", "early_access", "gated", "forbidden", "downloads_disabled",
        "region_blocked"),
    5: ("unreachable", "rate_limited", "hub_error", "unexpected_response"),
    6: ("hash_mismatch", "size_mismatch", "not_safetensors", "not_a_model"),
    7: ("unsafe_file", "unsafe_name", "scan_failed", "wrong_family", "unknown_lora"),
    8: ("no_space", "permission", "database", "renderer_missing", "web_missing", "out_of_memory"),
}
# fmt: on
EXIT_CODES = {code: number for number, codes in _EXIT_CODES.items() for code in codes}
"""Exit number for each error code, as the command-line contract fixes them."""


def exit_code(error: HubsyncError | Cancelled) -> int:
    """What a command that fails with this exits with."""
    return EXIT_CANCELLED if isinstance(error, Cancelled) else EXIT_CODES[error.code]


def batch_exit_code(errors: list[HubsyncError]) -> int:
    """What a batch exits with: 0, the exit of its failures if they share one code, else 1."""
    if not errors:
        return 0
    return exit_code(errors[0]) if len({error.code for error in errors}) == 1 else 1


def plain(text: str) -> str:
    """A text without control characters: a hub's name must not move the cursor or change colours."""
    return "".join(char if char.isprintable() or char == "\n" else "�" for char in text)


def say(text: str, *, end: str = "\n") -> None:
    """Print one line of narration."""
    print(plain(text), end=end, file=sys.stderr, flush=True)


def report(error: HubsyncError | Cancelled) -> None:
    """Print an error with the step that fixes it."""
    if isinstance(error, Cancelled):
        say("cancelled")
        return
    say(f"error: {error.message}")
    if error.hint:
        say(f"hint: {error.hint}")


@dataclass(slots=True)
class Narrator:
    """A Sink that tells a job's story on stderr: a bar on a terminal, whole lines elsewhere."""

    quiet: bool = False
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    _labels: dict[str, str] = field(default_factory=dict)
    _under_way: dict[str, Advanced] = field(default_factory=dict)
    _bar: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, event: Event) -> None:
        """Tell one event."""
        if self.quiet:
            return
        with self._lock:
            match event:
                case Started():
                    self._labels[event.key] = event.label
                case Advanced():
                    self._under_way[event.key] = event
                    self._draw()
                case Noted():
                    self._line(f"{self._label(event.key)}: {event.message}")
                case Verified():
                    self._line(f"{self._label(event.key)}: SHA-256 {event.sha256[:12]}… verified")
                case Finished():
                    self._under_way.pop(event.key, None)
                    self._clear()  # the command's own output says what came of it
                case Failed():
                    self._under_way.pop(event.key, None)
                    self._line(f"{self._label(event.key)}: {event.error.message}")

    def _label(self, key: str) -> str:
        return self._labels.get(key, key)

    def _draw(self) -> None:
        """One bar for all that is under way."""
        if not self.stream.isatty():
            return
        events = list(self._under_way.values())
        done, total = sum(map(_reached, events)), sum(event.total or event.done for event in events)
        filled = round(24 * done / total) if total else 0
        share = f"{done / total:4.0%}" if total else "    "
        what = self._label(events[0].key) if len(events) == 1 else f"{len(events)} at once"
        self._show(f"{share} {'█' * filled}{'░' * (24 - filled)} {_pace(events)}{plain(what)[:30]}")

    def _show(self, bar: str) -> None:
        print(f"\r{bar}{' ' * (len(self._bar) - len(bar))}", end="", file=self.stream, flush=True)
        self._bar = bar

    def _clear(self) -> None:
        if self._bar:
            self._show(" " * len(self._bar))
            print("\r", end="", file=self.stream, flush=True)
            self._bar = ""

    def _line(self, text: str) -> None:
        self._clear()
        print(plain(text), file=self.stream, flush=True)


def _reached(event: Advanced) -> float:
    """How much is done, of a picture under way too."""
    return event.done if event.share is None or not event.total else event.share * event.total


def _pace(events: Sequence[Advanced]) -> str:
    """How fast bytes come in all, or how many pictures there are, and when the last will be here."""
    left = int(max((event.eta or 0 for event in events), default=0))
    until = f"{left // 60}:{left % 60:02} left"
    if rate := sum(event.rate or 0 for event in events):
        return f"{rate / 1e6:.1f} MB/s {until}  "
    if all(event.share is None for event in events):
        return ""
    pictures = f"{sum(event.done for event in events)}/{sum(event.total or 0 for event in events)} pictures"
    return f"{pictures}, {until}  " if any(event.eta is not None for event in events) else f"{pictures}  "
