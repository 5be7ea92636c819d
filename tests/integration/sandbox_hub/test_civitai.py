"""Civitai's side of the sandbox, as a plain HTTP client meets it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from hubsync.sandbox.hub import SandboxHub

MODELS = "/api/v1/models"


def pages(client: httpx2.Client, **params: Any) -> Iterator[dict[str, Any]]:
    """Every page of a search, by following the cursor."""
    page = client.get(MODELS, params=params).json()
    yield page
    while cursor := page["metadata"].get("nextCursor"):
        page = client.get(MODELS, params={**params, "cursor": cursor}).json()
        yield page


def ids(client: httpx2.Client, **params: Any) -> list[int]:
    """The model ids of a whole search."""
    return [item["id"] for page in pages(client, **params) for item in page["items"]]


@pytest.mark.parametrize("limit", [1, 4, 100])
@pytest.mark.parametrize("sort", ["Highest Rated", "Most Downloaded", "Newest", "Oldest"])
def test_cursors_walk_the_catalogue_once(civitai: httpx2.Client, limit: int, sort: str) -> None:
    """Whatever the page size and order, following the cursor gives every listed model exactly once."""
    found = ids(civitai, limit=limit, sort=sort, nsfw="true", archived="true")
    assert sorted(found) == [*range(1001, 1008), *(n for n in range(1011, 1026) if n != 1015), 10_001]


@pytest.mark.parametrize(
    ("params", "status", "text"),
    [
        ({"query": "a", "page": 1}, 400, "Cannot use page param with query search"),
        ({"page": 11, "limit": 100}, 429, "use cursors instead"),
        ({"limit": 101}, 400, "ZodError"),
        ({"sort": "Best"}, 400, "ZodError"),
        ({"types": "LORA,LoCon"}, 400, "ZodError"),
        ({"page": 0}, 400, "ZodError"),
        ({"nsfw": "perhaps"}, 400, "ZodError"),
        ({"cursor": "1"}, 400, "expected 3 value(s) for this sort, received 1"),
        ({"username": "nobody at all"}, 404, "User not found"),
        ({"favorites": "false"}, 401, "Unauthorized"),
    ],
)
def test_searches_the_route_refuses(civitai: httpx2.Client, params: dict[str, Any], status: int, text: str) -> None:
    """Parameters that Civitai refuses get its status and its words."""
    answer = civitai.get(MODELS, params=params)
    assert (answer.status_code, text in answer.text) == (status, True)


def test_filters(civitai: httpx2.Client) -> None:
    """Types repeat, base models keep only their versions, tags and creators narrow, mature models need asking for."""
    assert 1007 not in ids(civitai, types=["LORA", "LoCon", "DoRA"])
    assert ids(civitai, types="LoCon") == [1023]
    assert ids(civitai, tag="frame") == [1004]
    assert ids(civitai, username="Framewright", sort="Most Downloaded") == [1004, 1005]
    assert ids(civitai, baseModels=["Pony", "SDXL 1.0"], sort="Oldest") == [1011, 1023]
    assert {1017} == set(ids(civitai, nsfw="true")) - set(ids(civitai))
    [item] = civitai.get(MODELS, params={"ids": 1005}).json()["items"]
    assert {image["nsfwLevel"] for image in item["modelVersions"][0]["images"]} == {1}


def test_a_query_pages_by_offset_and_filters_late(civitai: httpx2.Client) -> None:
    """With a query the base model is applied after the page is cut: short pages that still have a cursor."""
    found = list(pages(civitai, query="detail", baseModels="Pony", limit=1))
    assert [len(page["items"]) for page in found] == [0, 0]
    assert found[0]["metadata"]["nextCursor"] == "1"
    assert ids(civitai, query="detail") == [1001, 1012]


def test_shapes_differ_between_routes(civitai: httpx2.Client) -> None:
    """A list keeps what is empty, a model drops it, a version knows its model only by name and carries prompts."""
    [item] = civitai.get(MODELS, params={"ids": 1001}).json()["items"]
    model = civitai.get(f"{MODELS}/1001").json()
    version = civitai.get("/api/v1/model-versions/2001").json()
    assert item["modelVersions"][0]["trainedWords"] == []
    assert {"trainedWords", "description", "vaeId"}.isdisjoint(model["modelVersions"][0])
    assert set(version["model"]) == {"name", "type", "nsfw", "poi"}
    assert version["images"][0]["meta"]["prompt"].endswith("<lora:add_detail:0.8>")
    assert "images" not in civitai.get(f"{MODELS}/1021").json()["modelVersions"][0]


def test_hashes_are_those_of_the_bytes(hub: SandboxHub, civitai: httpx2.Client, data: Path) -> None:
    """Every published hash can be computed from the file, and finds its version in any case."""
    content = (data / "loras" / "sks_frame.safetensors").read_bytes()
    [file] = civitai.get("/api/v1/model-versions/2004").json()["files"]
    start = 8 + int.from_bytes(content[:8], "little")
    sha256, autov3 = (hashlib.sha256(part).hexdigest().upper() for part in (content, content[start:]))
    autov1 = hashlib.sha256(content[1 << 20 : (1 << 20) + (64 << 10)]).hexdigest().upper()
    assert file["sizeKB"] * 1024 == len(content)
    expected = {"SHA256": sha256, "AutoV1": autov1[:8], "AutoV2": sha256[:10], "AutoV3": autov3[:12]}
    assert {**file["hashes"], **expected} == file["hashes"]
    # AutoV1 covers 64 KiB only, which LoRAs of the same weights share: there the oldest version wins.
    found = {
        kind: civitai.get(f"/api/v1/model-versions/by-hash/{file['hashes'][kind].lower()}") for kind in file["hashes"]
    }
    assert {kind: answer.json()["id"] for kind, answer in found.items()} == dict.fromkeys(found, 2004) | {
        "AutoV1": 2021
    }
    asked = civitai.post("/api/v1/model-versions/by-hash/ids", json=[sha256, "0" * 64]).json()
    assert asked == [{"modelVersionId": 2004, "modelId": 1004, "hash": sha256}]
    assert civitai.post("/api/v1/model-versions/by-hash", json=["short"]).status_code == 400
    assert civitai.get("/api/v1/model-versions/by-hash/00000000").json() == {"error": "Model not found"}
    assert hub.leaks == ()


def test_an_older_version_is_another_lora(civitai: httpx2.Client) -> None:
    """The two versions of one model share no hash, AutoV3 included, and the newer one stands first."""
    new, old = civitai.get(f"{MODELS}/1003").json()["modelVersions"]
    assert (new["id"], old["id"]) == (2003, 2103)
    assert set(new["files"][0]["hashes"].values()).isdisjoint(old["files"][0]["hashes"].values())


@pytest.mark.parametrize(
    ("version", "status", "text"),
    [
        (2011, 403, "Early Access"),
        (2022, 403, "Early Access"),
        (2012, 401, "requires you to be logged in"),
        (2013, 410, "Model archived"),
        (2014, 401, "has disabled downloads"),
        (2015, 404, "File not found"),
        (999, 404, "File not found"),
    ],
)
def test_downloads_that_are_refused(civitai: httpx2.Client, version: int, status: int, text: str) -> None:
    """Each state answers with the status and the words a client has to tell it by."""
    answer = civitai.get(f"/api/download/models/{version}")
    assert (answer.status_code, text in answer.text) == (status, True)


def test_a_key_opens_what_needs_a_login(hub: SandboxHub, civitai: httpx2.Client) -> None:
    """The key works as a header or in the query, `/me` knows it, HEAD never works, and the key stays off storage."""
    address = "/api/download/models/2012"
    signed = {"Authorization": f"Bearer {hub.KEY}"}
    assert civitai.get(address, headers=signed, follow_redirects=True).status_code == 200
    assert civitai.get(address, params={"token": hub.KEY}).status_code == 307
    assert civitai.head(address, headers=signed).status_code == 401
    assert civitai.get("/api/v1/me", headers=signed).json()["username"] == "sandbox"
    assert civitai.get("/api/v1/me").status_code == 401
    page = civitai.get(address, headers={"User-Agent": "Mozilla/5.0"}, follow_redirects=True)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert hub.leaks == ()


def test_previews_are_pictures(hub: SandboxHub, civitai: httpx2.Client) -> None:
    """Every preview address answers, shrinks on demand, and only the lying one is not what its extension says."""
    from PIL import Image

    for item in civitai.get(MODELS, params={"nsfw": "true"}).json()["items"]:
        for preview in (image for version in item["modelVersions"] for image in version["images"]):
            answer = civitai.get(preview["url"].replace("original=true", "anim=false,width=96"))
            assert answer.status_code == 200
            if preview["type"] == "image":
                picture = Image.open(io.BytesIO(answer.content))
                assert (picture.width, picture.format) == (96, "PNG" if preview["id"] == 4181 else "JPEG")
    assert hub.leaks == ()


def test_side_routes(civitai: httpx2.Client) -> None:
    """Pictures of a version, tags, enums and light version records answer in their shapes."""
    images = civitai.get("/api/v1/images", params={"modelVersionId": 2004, "withMeta": "true"}).json()["items"]
    assert [image["meta"]["prompt"].split(",")[0] for image in images][:2] == ["sks", "sks"]
    assert {image["nsfwLevel"] for image in images} == {"None"}
    assert civitai.get("/api/v1/tags", params={"query": "fram"}).json()["items"][0]["name"] == "frame"
    assert "Pony" in civitai.get("/api/v1/enums").json()["BaseModel"]
    assert civitai.get("/api/v1/model-versions/mini/2012").json()["requireAuth"] is True
