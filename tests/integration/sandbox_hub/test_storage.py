"""The storage origin: signed addresses, byte ranges, names."""

from __future__ import annotations

import itertools
from pathlib import Path

import httpx2
import pytest

from hubsync.sandbox.hub import SandboxHub

DOWNLOAD = "/api/download/models/2001"


@pytest.fixture
def content(data: Path) -> bytes:
    """The bytes of the file that is downloaded here."""
    return (data / "loras" / "add_detail.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("asked", "status", "start", "stop"),
    [
        ("bytes=0-0", 206, 0, 1),
        ("bytes=1000-1999", 206, 1000, 2000),
        ("bytes=40000-", 206, 40_000, None),
        ("bytes=-7", 206, -7, None),
        ("bytes=100-999999999", 206, 100, None),
        ("bytes=0-1,4-5", 200, 0, None),
        ("chunks=0-1", 200, 0, None),
        ("bytes=-", 200, 0, None),
    ],
)
def test_ranges(civitai: httpx2.Client, content: bytes, asked: str, status: int, start: int, stop: int | None) -> None:
    """One range gives its bytes and says where they are; several ranges or another unit give the whole file."""
    answer = civitai.get(DOWNLOAD, headers={"Range": asked}, follow_redirects=True)
    assert (answer.status_code, answer.content) == (status, content[start:stop])
    first, last, _ = slice(start, stop).indices(len(content))
    said = f"bytes {first}-{last - 1}/{len(content)}" if status == 206 else None
    assert answer.headers.get("Content-Range") == said


def test_a_range_after_the_end_is_refused(civitai: httpx2.Client, content: bytes) -> None:
    """A file that is complete already answers 416 with its length."""
    answer = civitai.get(DOWNLOAD, headers={"Range": f"bytes={len(content)}-"}, follow_redirects=True)
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{len(content)}")


def test_a_range_of_another_file_gives_the_whole(civitai: httpx2.Client, content: bytes) -> None:
    """If-Range lets a range through only while the ETag is the same."""
    location = civitai.get(DOWNLOAD).headers["Location"]
    etag = civitai.get(location).headers["ETag"]
    same = civitai.get(location, headers={"Range": "bytes=5-8", "If-Range": etag})
    other = civitai.get(location, headers={"Range": "bytes=5-8", "If-Range": '"other"'})
    assert (same.status_code, same.content) == (206, content[5:9])
    assert (other.status_code, other.content) == (200, content)


def test_addresses_expire_and_cannot_be_forged(data: Path) -> None:
    """A signature is good for an hour of the hub's clock, for its own path, and for GET only."""
    clock = itertools.chain([1000.0] * 3, itertools.repeat(1000.0 + 3601))
    with SandboxHub.start(data, clock=lambda: next(clock)) as hub, httpx2.Client() as client:
        location = client.get(hub.civitai_url + DOWNLOAD).headers["Location"]
        assert client.get(location).status_code == 200
        assert client.get(location.replace("add_detail", "add_saturation")).status_code == 403
        assert client.get(f"{hub.storage_url}/files/civitai/3001/add_detail.safetensors").status_code == 403
        assert client.head(location).status_code == 403
        late = client.get(location)
        assert (late.status_code, "Request has expired" in late.text) == (403, True)


def test_names_travel_in_content_disposition(civitai: httpx2.Client) -> None:
    """A plain name is quoted, an awkward one comes as `filename*`, just as it was uploaded."""
    plain = civitai.get(DOWNLOAD, follow_redirects=True).headers["Content-Disposition"]
    hostile = civitai.get("/api/download/models/2019", follow_redirects=True).headers["Content-Disposition"]
    assert plain == 'attachment; filename="add_detail.safetensors"'
    assert hostile.startswith("attachment; filename*=UTF-8''../../sparkle%3A%20%E2%80%AEgnp.%E2%9C%A8")


def test_a_file_is_chosen_by_number_or_kind(civitai: httpx2.Client) -> None:
    """Without parameters the model itself comes, `type` and `fileId` choose another, and strangers are not found."""
    address = "/api/download/models/2024"
    assert "crate.safetensors" in civitai.get(address).headers["Location"]
    assert "trainingData.zip" in civitai.get(address, params={"type": "Training Data"}).headers["Location"]
    assert "trainingData.zip" in civitai.get(address, params={"fileId": 3124}).headers["Location"]
    assert civitai.get(address, params={"fileId": 3001}).status_code == 404
    assert civitai.get(address, params={"format": "GGUF"}).status_code == 404
    assert civitai.get(address, params={"format": "Rar"}).status_code == 400
