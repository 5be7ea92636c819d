"""How much memory a large file takes, and whether it grows with the file."""

from __future__ import annotations

from dataclasses import replace

from tests.benchmarks import tools
from tests.benchmarks.table import Bar, Row
from tests.benchmarks.workplace import MEGABYTE, Workplace

# Both are large enough for several connections, which is what memory does grow with.
LARGE, HUGE = 500, 2000
MOST = 150 * MEGABYTE
# Flat in file size: what the buffers of 16 connections may add, 2 MB each, and nothing that grows with the bytes.
BUFFERS = 32 * MEGABYTE


def memory(place: Workplace) -> list[Row]:
    """Two gigabytes beside a quarter of that."""
    large, huge = place.lora("half", LARGE, sparse=True), place.lora("huge", HUGE, sparse=True)
    with place.hub(large) as hub:
        ours = tools.hubsync(*hub.offers)
        small = place.race(hub, (ours, 1))[ours.name]
    with place.hub(huge) as hub:
        (offer,) = hub.offers
        floor, ours = tools.floor(offer), tools.hubsync(offer)
        found = place.race(hub, (floor, 1), (ours, 1), (tools.hf(offer), 1))
    peak = found[ours.name].peak
    bars = [Bar("≤ 150 MB", peak <= MOST), Bar("flat", peak <= small.peak + BUFFERS)]
    seconds = found[floor.name].seconds
    return [
        Row(case="memory", summary=replace(small, tool=f"{small.tool} (500 MB file)"), size=large.size),
        *(
            Row(
                case="memory",
                summary=summary,
                size=huge.size,
                floor=seconds,
                bars=bars if name == ours.name else (),
            )
            for name, summary in found.items()
        ),
    ]
