"""How fast: one large file on a free line and on a line where each connection is slow, and many small ones far away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hubsync.sandbox.hub import Fault, FaultKind
from tests.benchmarks import tools
from tests.benchmarks.table import Bar, Row
from tests.benchmarks.workplace import MEGABYTE, Summary, Workplace

LARGE = 200
SLOW = Fault(kind=FaultKind.THROTTLE, rate=20 * MEGABYTE)
MANY, SMALL = 50, 4
FAR = Fault(kind=FaultKind.LATENCY, seconds=0.06)


def throughput(place: Workplace) -> list[Row]:
    """One file, nothing in the way."""
    lora = place.lora("large", LARGE)
    with place.hub(lora) as hub:
        (offer,) = hub.offers
        floor, curl, openssl, aria2c = (
            tools.floor(offer),
            tools.curl(offer),
            tools.curl_and_openssl(offer),
            tools.aria2c(offer),
        )
        ours, hf = [tools.hubsync(offer), tools.hubsync(offer, source="hf")], tools.hf(offer)
        contenders = [floor, *ours, curl, openssl, aria2c, hf]
        # The first run of each reads programs from the disk.
        place.race(hub, *((tool, 1) for tool in contenders))
        found = place.race(hub, *((tool, place.rounds) for tool in contenders))
    # curl with openssl behind it is no downloader that verifies; it stands there for comparison.
    bars = {tool.name: list(faster(found, tool.name, hf)) for tool in ours}
    # Loading the official client, 0.15 s of every Hugging Face install, is its own and no matter of downloading.
    bars[ours[0].name] += [*faster(found, ours[0].name, aria2c), at_most(2.5, found, ours[0].name, floor.name)]
    return rows("throughput", found, lora.size, bars, floor=floor.name)


def segments(place: Workplace) -> list[Row]:
    """The same file at 20 MB/s a connection."""
    lora = place.lora("large", LARGE)
    with place.hub(lora) as hub:
        hub.switch(SLOW)
        (offer,) = hub.offers
        floor, ours, curl, aria2c = (
            tools.floor(offer),
            tools.hubsync(offer),
            tools.curl(offer),
            tools.aria2c(offer),
        )
        rounds = min(3, place.rounds)
        found = place.race(hub, (floor, 1), (ours, rounds), (curl, 1), (aria2c, rounds))
    bars = [times_faster(7, found, ours.name, curl.name), *faster(found, ours.name, aria2c)]
    return rows("20 MB/s a connection", found, lora.size, {ours.name: bars}, floor=floor.name)


def many(place: Workplace) -> list[Row]:
    """Fifty files, every answer 60 ms late."""
    loras = [place.lora(f"small-{number:02}", SMALL) for number in range(MANY)]
    with place.hub(*loras) as hub:
        hub.switch(FAR)
        floor, alone, ours, curl, aria2c = (
            tools.floor(*hub.offers),
            tools.hubsync(*hub.offers, options=["-j", "1"]),
            tools.hubsync(*hub.offers),
            tools.curl(*hub.offers),
            tools.aria2c(*hub.offers),
        )
        rounds = min(3, place.rounds)
        found = place.race(hub, (floor, 1), (alone, 1), (ours, rounds), (curl, rounds), (aria2c, rounds))
    bars = [times_faster(5, found, ours.name, alone.name)]
    size = sum(lora.size for lora in loras)
    return rows("50 files, 60 ms away", found, size, {ours.name: bars}, floor=floor.name)


def rows(case: str, found: Mapping[str, Summary], size: int, bars: Mapping[str, list[Bar]], *, floor: str) -> list[Row]:
    """A line for each tool, the floor first."""
    return [
        Row(case=case, summary=summary, size=size, floor=found[floor].seconds, bars=bars.get(name, ()))
        for name, summary in found.items()
    ]


def at_most(factor: float, found: Mapping[str, Summary], tool: str, floor: str) -> Bar:
    """No slower than that many times the floor."""
    return Bar(f"≤ {factor:g} x {floor}", found[tool].seconds <= factor * found[floor].seconds)


def times_faster(factor: float, found: Mapping[str, Summary], tool: str, other: str) -> Bar:
    """That many times as fast as another."""
    ratio = found[other].seconds / found[tool].seconds
    return Bar(f"≥ {factor:g} x faster than {other} (is {ratio:.1f})", ratio >= factor)


def faster(found: Mapping[str, Summary], tool: str, *others: tools.Tool) -> Iterable[Bar]:
    """No slower than any of the others that ran."""
    for other in others:
        if other.installed:
            yield Bar(f"≤ {other.name}", found[tool].seconds <= found[other.name].seconds)
