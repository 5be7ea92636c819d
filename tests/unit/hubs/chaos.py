"""Changes real answers at random, as careless or hostile servers would, and says what may come of it."""

from __future__ import annotations

import dataclasses
import json
import math
import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from hubsync.domain import Lora
from hubsync.errors import HubError, HubsyncError
from hubsync.refs import parse_ref

# C0 and C1 controls, half surrogates, and every mark that turns the direction of text.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
SEVERAL_LINES = {"description", "raw_words"}
SLOWEST = 4.0  # seconds of this process's own time; honest answers take a hundredth

# fmt: off
NASTY = (
    "\x1b[2J", "\x00", "\x9b31m", "\u202e", "\u061c", "\ud83d", "\n", "\r\n", "\u2028", "[/]", "<b>", "`", "../", "\\",
)
JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, -(2**63), 2**63, 2**70, 10**400, 1.5, -0.0, 1e308, float("nan"), float("inf"),
    "", " ", "12", "\x1b[2J\n", "\ud800", "2026-13-45T99:99", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00",
    "<![x", "<lora:a:", "https://[x", "https://i/\x1b\u202e.png", "9" * 400, "\u0661" * 12, "a" * 64, "f" * 40 + "\n",
    [], {}, [None, 1, {}], {"name": []}, [[[]]], ["x", None, "\u202ey"], [{}] * 40, {"": {"": {"": ""}}},
)
HEADERS: dict[str, tuple[str, ...]] = {
    "Retry-After": ("2", "-5", "9" * 400, "\u0663", "soon", "Fri, 31 Dec 9999 23:59:59 GMT", "1 Jan 0001 0:0 -2400"),
    "RateLimit": ('"api";r=0;t=' + "9" * 400, '"api";r=0;t=1', "r=0;t=\u0663"),
    "Content-Type": ("application/json", "text/html", "", ";", "text/plain; charset=hex", "text/x; charset=zlib"),
    "Link": ('<https://[>; rel="next"', '<?cursor=%00%1b%ff>; rel="next"', "<>;;=", '<x?cursor=a&cursor>; rel="next"'),
    "Location": ("https://[", "//", "", "/api/v1/me", "ftp://x/", "http://huggingface.co/", "https://x:99999/", "\x1b"),
    "Content-Encoding": ("gzip", "br", "zstd", "deflate", "gzip, gzip", "x"),
    "X-Error-Message": ("Invalid username or password.", "\x1b[31mred", "\u202e"),
    "X-Error-Code": ("RepoNotFound", "GatedRepo", "\x85"),
    "Set-Cookie": ("a", "a=b; expires=never; max-age=x", "=;=;", "a=\x01; Domain=[; Path=\u202e"),
}
STATUSES = (
    *(200,) * 20, 100, 101, 199, 204, 206, 226, *range(300, 309), *range(400, 432), 451, 499, *range(500, 512),
    *range(520, 528), 599,
)
# fmt: on


def worse(value: Any, chance: random.Random) -> Any:
    """Something else in a value's place, often one of the same type."""
    if isinstance(value, str) and chance.random() < 0.6:
        at = chance.randint(0, len(value))
        return value[:at] + chance.choice(NASTY) + value[at:]
    if isinstance(value, int | float) and chance.random() < 0.6:
        return chance.choice((-value, value * 2**40, value * 1e300, int(value) * 10**300, str(value)))
    return chance.choice(JUNK)


def changed(value: Any, chance: random.Random, rate: float, depth: int = 0) -> Any:
    """The value with some of its parts dropped, replaced, doubled or in another order."""
    if depth and chance.random() < rate:
        return worse(value, chance)
    if isinstance(value, dict):
        items = [(key, item) for key, item in value.items() if chance.random() > rate]
        if chance.random() < rate:
            chance.shuffle(items)
        return {key: changed(item, chance, rate, depth + 1) for key, item in items}
    if isinstance(value, list):
        times = chance.choices((0, 1, 2), (rate, 1, rate), k=len(value))
        return [changed(item, chance, rate, depth + 1) for item, n in zip(value, times, strict=True) for _ in range(n)]
    return value


def some(values: list[Any], chance: random.Random) -> Any:
    """One of the values, changed a little or a lot."""
    return changed(chance.choice(values), chance, chance.choice((0.02, 0.05, 0.2)))


def page_of(rows: list[Any], chance: random.Random) -> tuple[list[Any], list[Any]]:
    """A page in which changed rows and things that are none stand between good ones; and the good ones."""
    good = chance.sample(rows, 3)
    page = [*good, *(some(rows, chance) for _ in range(3)), *chance.sample(JUNK, 3)]
    chance.shuffle(page)
    return page, good


def garbled(text: str, chance: random.Random) -> bytes:
    """A text as broken servers send it: cut, in another encoding, with bytes flipped, or something else altogether."""
    content = text.encode("utf-8", "surrogatepass")
    flipped = bytearray(content or b" ")
    for _ in range(20):
        flipped[chance.randrange(len(flipped))] = chance.randrange(256)
    whole = (content, content[: chance.randrange(len(content) + 1)], bytes(flipped), b"\xef\xbb\xbf" + content)
    recoded = (text.encode("utf-16", "replace"), text.encode("latin-1", "replace"), b'{"error": [' + content + b"]}")
    others = (b"", b"null", b"[" * 100_000, b'{"a":' * 50_000, b"<html>", b"\xff\xfe\x00", b"9" * 5000, b'"\\ud83d"')
    return chance.choice((*whole, *recoded, *others, b'{"message": "\\ud800\\u202e\\u001b"}'))


def any_answer(text: str, chance: random.Random) -> httpx2.Response:
    """Any status with any headers over a text, garbled or not."""
    names = chance.sample(list(HEADERS), chance.randint(0, 4))
    headers = [(name.encode(), chance.choice(HEADERS[name]).encode()) for name in names]
    stream = httpx2.ByteStream(garbled(text, chance))
    return httpx2.Response(chance.choice(STATUSES), headers=headers, stream=stream)


def ok(value: Any) -> httpx2.Response:
    """A good answer of JSON, also of what JSON has no words for."""
    return httpx2.Response(200, content=json.dumps(value).encode())


def rewritten(card: str, chance: random.Random) -> str:
    """A card with lines dropped, doubled, swapped, run together or repeated without end."""
    lines = card.split("\n")
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(lines) + 1)
        line = lines[at] if at < len(lines) else ""
        odd = str(worse(line, chance))[:5000]
        again, torn = (line * chance.choice((3, 500)))[:50_000], line[: len(line) // 2]
        others = [chance.choice([*lines, ""]), chance.choice(NASTY) * 3000, "---", "```", "| a | b |\n|---|"]
        lines[at : at + 1] = chance.choice(([], [line, line], [torn], [odd], [again], [chance.choice(others)]))
    return "\n".join(lines)


def check(thing: Any) -> None:
    """A thing may be shown and kept: no text in it moves a cursor, its numbers and references are good."""
    for name, text in _texts(thing):
        assert not UNPRINTABLE.search(text), (name, text)
        assert name in SEVERAL_LINES or not re.search(r"[\t\n]", text), (name, text)
        text.encode("utf-8")
    if isinstance(thing, Lora):
        files = [file for version in thing.versions for file in version.files]
        for number in (thing.downloads, thing.likes, *(file.size for file in files)):
            assert number is None or 0 <= number < 2**63
        for ref in (thing.ref, *(version.ref for version in thing.versions), *(file.ref for file in files)):
            assert parse_ref(str(ref)) == ref


def _texts(thing: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a thing, with the name of the field it stands in."""
    if isinstance(thing, str):
        yield name, thing
    elif dataclasses.is_dataclass(thing):
        for field in dataclasses.fields(thing):
            yield from _texts(getattr(thing, field.name), field.name)
    elif isinstance(thing, dict):
        yield from _texts([*thing, *thing.values()], name)
    elif isinstance(thing, tuple | list):
        for item in thing:
            yield from _texts(item, name)


@contextmanager
def tamed() -> Iterator[None]:
    """What happens inside ends soon, and at worst with an error of hubsync's that may be shown."""
    began = time.process_time()
    try:
        yield
    except HubsyncError as error:
        _check_error(error)
    assert time.process_time() - began < SLOWEST


def _check_error(error: HubsyncError) -> None:
    check([error.message, error.hint, str(error)])
    assert error.message
    wait = error.retry_after if isinstance(error, HubError) else None
    assert wait is None or (wait >= 0 and math.isfinite(wait))
