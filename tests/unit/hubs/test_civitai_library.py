"""What Civitai is asked for a whole library: whose files these are, and whose key this is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx2
import pytest

from hubsync.errors import NotFound, TokenInvalid
from hubsync.refs import CivitaiRef, parse_ref

if TYPE_CHECKING:
    from tests.unit.hubs.conftest import Wire

SHA = "AB" * 32


def test_a_whole_library_is_identified_at_once(wire: Callable[..., Wire]) -> None:
    """Hashes go up in portions of 10,000; unknown ones are absent, the first of several matches counts."""
    answer = [
        {"modelVersionId": 2, "modelId": 1, "hash": SHA},
        {"modelVersionId": 3, "modelId": 1, "hash": SHA},
        {"modelVersionId": 0, "hash": "x"},
        None,
    ]
    wired = wire(json=answer)
    assert wired.civitai().identify([SHA.lower(), *(f"{n:064x}" for n in range(10_000))]) == {
        SHA.lower(): CivitaiRef(model=1, version=2)
    }
    assert len(wired.requests) == 2
    assert wired.requests[0].url.path == "/api/v1/model-versions/by-hash/ids"
    assert wired.requests[1].content == b'["' + f"{9999:064X}".encode() + b'"]'


def test_a_hash_nobody_asked_for_is_no_match(wire: Callable[..., Wire]) -> None:
    """What comes back is looked up by what was sent."""
    answer = [{"modelVersionId": 2, "modelId": 1, "hash": f"\x1b{SHA[1:]}"}]
    assert wire(json=answer).civitai().identify([SHA.lower()]) == {}


def test_the_key_is_checked_where_it_counts(wire: Callable[..., Wire]) -> None:
    """Other routes ignore a bad key; `/me` does not."""
    assert wire(json={"id": 7, "username": "\x1b[2Jme\n"}).civitai().account() == "[2Jme"
    with pytest.raises(TokenInvalid):
        wire(lambda _: httpx2.Response(401, json={"error": "Unauthorized"})).civitai().account()


def test_the_hash_of_nothing_is_never_looked_up(wire: Callable[..., Wire]) -> None:
    """Some trainers wrote it into every file: it matches models that have nothing to do with them."""
    wired = wire(json=[])
    nothing = hashlib.sha256(b"").hexdigest()
    assert wired.civitai().identify([nothing]) == {}
    for ref in (f"sha256:{nothing}", f"autov2:{nothing[:10]}", f"autov3:{nothing[:12]}"):
        with pytest.raises(NotFound, match="hash of nothing"):
            wired.civitai().lora(parse_ref(ref))
    assert wired.requests == []


def test_models_are_read_a_hundred_at_once(wire: Callable[..., Wire]) -> None:
    """Mature ones too; one that is not listed, or has no version, is absent."""
    model = {"id": 1, "name": "a", "modelVersions": [{"id": 2, "name": "v1", "trainedWords": ["x, y"]}]}
    wired = wire(json={"items": [model, {"id": 3, "modelVersions": []}, None]})
    found = wired.civitai().loras(range(1, 151))
    assert {number: lora.trigger_words for number, lora in found.items()} == {1: (("x", "y"),)}
    assert [request.url.params["ids"].count(",") + 1 for request in wired.requests] == [100, 50]
    assert {request.url.params["nsfw"] for request in wired.requests} == {"true"}
