"""A renderer that draws plain colours: it speaks the real protocol, and needs no torch."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from PIL import Image

from hubsync.render import wire


def draw(request: wire.Request) -> None:
    """One picture a row: grey, redder with a LoRA, greener with more words in the prompt; `slow` stops after one."""
    say(wire.Loaded(device="cpu", dtype="float32", sampler="DPM++ 2M"))
    for index, row in enumerate(request.rows):
        path = Path(request.folder) / f"{index}.png"
        red = 200 if row.loras else 90
        Image.new("RGB", (64, 64), (red, min(255, 90 + 20 * row.prompt.count(",")), 90)).save(path)
        say(wire.Progress(pictures=index + 1))
        say(wire.Picture(row=index, path=str(path)))
        if "slow" in sys.argv:
            signal.pause()
    say(wire.Done())


def say(line: wire.Line) -> None:
    """Send one line."""
    sys.stdout.buffer.write(wire.encode(line))
    sys.stdout.buffer.flush()


asked = wire.decode_request(sys.stdin.buffer.readline())
assert isinstance(asked, wire.Request)
draw(asked)
