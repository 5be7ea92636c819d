"""A renderer that draws plain colours: it speaks the real protocol, and needs no torch.

`slow` stops after one picture, `poor` has no memory, `picky` refuses add_detail.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from PIL import Image

from hubsync.render import wire


def draw(request: wire.Request) -> None:
    """One picture a row: grey, redder with a LoRA, greener with more words in the prompt."""
    say(wire.Loaded(device="cpu", dtype="float32", sampler="DPM++ 2M"))
    if "poor" in sys.argv:
        say(wire.Failure(code="out_of_memory", message="the card has no memory left", hint="try --size 512x512"))
        return
    refused = {"add_detail"} & request.loras.keys() if "picky" in sys.argv else set()
    for name in refused:
        say(wire.Refused(lora=name, code="wrong_family", message=f"{name} fits nothing here"))
    for index, row in enumerate(request.rows):
        if refused & {use.lora for use in row.loras}:
            continue
        say(wire.Drawing(rows=(index,)))
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
