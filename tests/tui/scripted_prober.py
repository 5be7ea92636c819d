"""A renderer that only tries words out: a LoRA reacts to those with an `s`. It speaks the real protocol."""

from __future__ import annotations

import sys

from hubsync.render import wire


def say(line: wire.Line) -> None:
    """Send one line."""
    sys.stdout.buffer.write(wire.encode(line))
    sys.stdout.buffer.flush()


asked = wire.decode_request(sys.stdin.buffer.readline())
assert isinstance(asked, wire.Probe)
say(wire.Loaded(device="cpu", dtype="float32", sampler="DPM++ 2M"))
say(wire.Scores(scores=tuple(0.9 if "s" in word else 0.1 for word in asked.words)))
say(wire.Done())
