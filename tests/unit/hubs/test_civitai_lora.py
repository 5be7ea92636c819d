"""One Civitai model: which version and file a reference means, and what is read of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from hubsync.domain import Availability, LoraType
from hubsync.errors import NotFound, UnexpectedResponse
from hubsync.refs import CivitaiRef, HashRef, HuggingFaceRef, parse_ref

if TYPE_CHECKING:
    from hubsync.domain import Lora, Version
    from tests.unit.hubs.conftest import Wire

SHA = "AB" * 32


def _file(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "name": f"f{number}.safetensors", "type": "Model", "sizeKB": 1.5, **more}


def _version(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "name": f"v{number}", "baseModel": "SD 1.5", "files": [_file(number * 10)], **more}


def _model(*versions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": 1, "name": "One", "type": "LORA", "modelVersions": list(versions), **more}


class Site:
    """Answers for model 1 and the versions given to it; everything else is not found."""

    def __init__(self, model: dict[str, Any] | None, **versions: dict[str, Any]) -> None:
        self._answers: dict[str, Any] = {f"/api/v1/model-versions/{key}": value for key, value in versions.items()}
        if model is not None:
            self._answers["/api/v1/models/1"] = model

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """The answer to one request."""
        body = self._answers.get(request.url.path)
        return httpx2.Response(404, json={"error": "not found"}) if body is None else httpx2.Response(200, json=body)


def _shown(wire: Callable[..., Wire], ref: str, site: Site) -> Lora:
    return wire(site).civitai().lora(parse_ref(ref))


def _only(wire: Callable[..., Wire], model: dict[str, Any] | None = None, **version: Any) -> Version:
    """The one version of a model, as read."""
    return _shown(wire, "civitai:1", Site(_model(_version(2, **version), **(model or {})))).versions[0]


TWO = _model(_version(3), _version(2))


@pytest.mark.parametrize(
    ("ref", "versions", "file"),
    [
        ("civitai:1", [3, 2], 30),
        ("1", [3, 2], 30),
        ("civitai:1@2", [2, 3], 20),
        ("civitai:1#20", [2, 3], 20),
        ("civitai:1@2#20", [2, 3], 20),
        ("https://civitai.com/models/1?modelVersionId=2", [2, 3], 20),
    ],
)
def test_what_a_reference_names_comes_first(
    wire: Callable[..., Wire], ref: str, versions: list[int], file: int
) -> None:
    """The newest version unless another is named, by its number or by a file of it."""
    lora = _shown(wire, ref, Site(TWO))
    assert lora.ref == CivitaiRef(model=1, version=versions[0])
    assert [version.ref for version in lora.versions] == [CivitaiRef(model=1, version=number) for number in versions]
    assert lora.versions[0].files[0].ref == CivitaiRef(model=1, version=versions[0], file=file)


def test_a_bare_number_is_a_model_else_a_version(wire: Callable[..., Wire]) -> None:
    """Only where there is no such model is it taken for a version."""
    detail = _version(7, modelId=1)
    assert _shown(wire, "7", Site(_model(_version(7)), **{"7": detail})).ref == CivitaiRef(model=1, version=7)
    with pytest.raises(NotFound):
        _shown(wire, "civitai:7", Site(_model(_version(7)), **{"7": detail}))


def test_a_version_of_another_model_is_named(wire: Callable[..., Wire]) -> None:
    """A page address can hold a version that is not the model's: the right reference is the hint."""
    with pytest.raises(NotFound) as caught:
        _shown(wire, "civitai:1@9", Site(TWO, **{"9": _version(9, modelId=5)}))
    assert caught.value.hint == "use civitai:5@9"


def test_a_version_the_model_does_not_list_yet_is_still_shown(wire: Callable[..., Wire]) -> None:
    """Lists lag behind for minutes; the version's own answer is enough."""
    lora = _shown(wire, "civitai:1@9", Site(TWO, **{"9": _version(9, modelId=1)}))
    assert [version.name for version in lora.versions] == ["v9", "v3", "v2"]


def test_a_version_whose_model_is_not_served_stands_alone(wire: Callable[..., Wire]) -> None:
    """What the version says of its model is used then."""
    site = Site(None, **{"9": _version(9, modelId=4, model={"name": "Fresh", "type": "LoCon", "nsfw": True})})
    lora = _shown(wire, "civitai:@9", site)
    assert (lora.name, lora.type, lora.nsfw, lora.ref) == (
        "Fresh",
        LoraType.LOCON,
        True,
        CivitaiRef(model=4, version=9),
    )


@pytest.mark.parametrize("ref", ["civitai:1@8", "civitai:1#77", "civitai:2", "civitai:@8", "autov2:0123456789"])
def test_what_is_not_there_is_not_found(wire: Callable[..., Wire], ref: str) -> None:
    """Models, versions, files and hashes nobody knows."""
    with pytest.raises(NotFound):
        _shown(wire, ref, Site(TWO))


def test_a_reference_to_the_other_hub_is_not_here(wire: Callable[..., Wire]) -> None:
    """Civitai is not asked for a repository."""
    with pytest.raises(NotFound):
        wire(Site(TWO)).civitai().lora(HuggingFaceRef(repo="a/b"))


def test_a_hash_leads_to_its_file(wire: Callable[..., Wire]) -> None:
    """The file with that hash comes first; a full AutoV3 is asked for by its first 12 digits."""
    files = [_file(20), _file(21, hashes={"SHA256": SHA, "AutoV3": "34A22376739D" + "0" * 52})]
    detail = _version(2, modelId=1, files=files)
    site = Site(_model(_version(2, files=files)), **{f"by-hash/{SHA.lower()}": detail, "by-hash/34a22376739d": detail})
    for ref in (f"sha256:{SHA}", "autov3:34a22376739d", "autov3:34a22376739d" + "1" * 52):
        assert _shown(wire, ref, site).versions[0].files[0].ref == CivitaiRef(model=1, version=2, file=21)


def test_the_versions_own_answer_adds_how_pictures_were_made(wire: Callable[..., Wire]) -> None:
    """Suggestions come from it, pictures beyond its ten from the model, availability too."""
    first = {"url": "https://i/1.jpeg", "meta": {"prompt": "<lora:f20:0.6> x", "negativePrompt": "bad"}}
    second = {"url": "https://i/2.jpeg", "meta": {"prompt": "<lora:f20:0.8> y", "negativePrompt": "bad"}}
    bare = {"url": "https://i/1.jpeg"}, {"url": "https://i/3.jpeg"}
    site = Site(
        _model(_version(2, images=list(bare), availability="Private")),
        **{"2": _version(2, modelId=1, images=[first, second], trainedWords=["sks"])},
    )
    version = _shown(wire, "civitai:1", site).versions[0]
    assert (version.suggested_weight, version.suggested_negative) == (0.7, "bad")
    assert [preview.url[-6] for preview in version.previews] == ["1", "2", "3"]
    assert version.previews[0].prompt == "<lora:f20:0.6> x"
    assert (version.availability, version.trigger_words) == (Availability.PRIVATE, (("sks",),))


def test_a_tag_among_the_words_hints_at_the_weight(wire: Callable[..., Wire]) -> None:
    """Without examples the weight in a pasted tag is taken; the tag itself is no word."""
    version = _only(wire, trainedWords=["<lora:zerg:0.7>", "zerg"])
    assert (version.suggested_weight, version.trigger_words) == (0.7, (("zerg",),))
    assert version.raw_words == ("<lora:zerg:0.7>", "zerg")


@pytest.mark.parametrize(
    ("version", "availability", "ends"),
    [
        ({}, "public", None),
        ({"paidAccess": {}}, "public", None),
        ({"paidAccess": {"permanent": True, "endsAt": None}}, "early_access", None),
        ({"paidAccess": {"permanent": False, "endsAt": None}}, "early_access", None),
        ({"paidAccess": {"permanent": False, "endsAt": "2026-10-05T00:00:00Z"}}, "early_access", 5),
        ({"paidAccess": {"permanent": False, "endsAt": "2026-09-05T00:00:00Z"}}, "public", None),
        ({"availability": "EarlyAccess"}, "early_access", None),
        ({"availability": "EarlyAccess", "earlyAccessEndsAt": "2026-10-05T00:00:00Z"}, "early_access", 5),
        ({"availability": "EarlyAccess", "earlyAccessDeadline": "2026-09-05T00:00:00Z"}, "public", None),
        ({"earlyAccessTimeFrame": 7, "publishedAt": "2026-09-28T00:00:00Z"}, "early_access", 5),
        ({"earlyAccessTimeFrame": 2, "publishedAt": "2023-04-13T00:00:00Z"}, "public", None),
        ({"availability": "Private"}, "private", None),
        ({"availability": "Unsearchable"}, "public", None),
    ],
)
def test_three_eras_of_early_access(
    wire: Callable[..., Wire], version: dict[str, Any], availability: str, ends: int | None
) -> None:
    """Days after publishing, a date beside the word, and paid access: all three are read against the time."""
    found = _only(wire, **version)
    assert found.availability == availability
    assert found.early_access_ends_at == (datetime(2026, 10, ends, tzinfo=UTC) if ends else None)
    assert found.requires_token == (True if availability == "early_access" else None)


@pytest.mark.parametrize(("mode", "availability"), [("Archived", "archived"), ("TakenDown", "taken_down")])
def test_closed_models_say_so(wire: Callable[..., Wire], mode: str, availability: str) -> None:
    """A mode of the model outranks what its versions say, and such models may list no files."""
    found = _only(wire, {"mode": mode}, files=[], availability="EarlyAccess")
    assert (found.availability, found.files) == (availability, ())


@pytest.mark.parametrize(("usage", "can"), [("Download", True), ("Generation", False), ("InternalGeneration", False)])
def test_downloads_a_creator_switched_off(wire: Callable[..., Wire], usage: str, can: bool) -> None:  # noqa: FBT001
    """Only `Download` can be downloaded."""
    assert _only(wire, usageControl=usage).downloadable is can


@pytest.mark.parametrize("needs", [True, False, None])
def test_whether_a_key_is_needed_is_asked(wire: Callable[..., Wire], needs: bool | None) -> None:  # noqa: FBT001
    """The light record tells before any download; without it the question stays open."""
    mini = {} if needs is None else {"mini/2": {"requireAuth": needs}}
    assert _shown(wire, "civitai:1", Site(_model(_version(2)), **mini)).versions[0].requires_token is needs


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, None),
        (
            {"allowNoCredit": True, "allowCommercialUse": ["Image", "Rent"], "allowDerivatives": False},
            "commercial use: Image, Rent; credit not required; no derivatives",
        ),
        (
            {"allowNoCredit": False, "allowCommercialUse": "{Image,RentCivit}", "allowDerivatives": True},
            "commercial use: Image, RentCivit; credit required; derivatives allowed",
        ),
        ({"allowCommercialUse": "None", "allowNoCredit": True}, "commercial use: none; credit not required"),
        ({"allowCommercialUse": [], "allowNoCredit": False}, "commercial use: none; credit required"),
    ],
)
def test_three_shapes_of_the_license(wire: Callable[..., Wire], fields: dict[str, Any], text: str | None) -> None:
    """A list, a database literal and a single word say the same things."""
    assert _shown(wire, "civitai:1", Site(_model(**fields))).license == text


def test_what_a_hub_writes_is_made_safe(wire: Callable[..., Wire]) -> None:
    """Control characters go from every text; descriptions lose their HTML; addresses are web addresses."""
    evil = "a\x1b[31m\u202eb"
    version = _version(
        2,
        name=evil,
        baseModel=evil,
        description="<p>of the version</p>",
        trainedWords=[evil],
        files=[_file(1, name=f"../{evil}.safetensors")],
        images=[{"url": "javascript:alert(1)"}, {"url": "file:///etc/passwd"}, {"url": "https://i/x.jpeg"}],
    )
    model = _model(version, name=evil, tags=[evil], creator={"username": evil}, description="<p>&lt;x&gt;<br>y</p>")
    lora = _shown(wire, "civitai:1", Site(model))
    first = lora.versions[0]
    texts = [lora.name, *lora.tags, lora.creator, first.name, first.base_model, *first.raw_words, first.files[0].name]
    assert all(text and "\x1b" not in text and "\u202e" not in text for text in texts)
    assert lora.description == "<x>\ny\n\nof the version"
    assert [preview.url for preview in first.previews] == ["https://i/x.jpeg"]


def test_pictures_and_films_are_told_apart(wire: Callable[..., Wire]) -> None:
    """Films are marked, sounds left out, sizes kept; the preview is the first still."""
    images = [
        {"url": "https://i/1.mp4", "type": "video", "width": 10, "height": 20},
        {"url": "https://i/2.mp3", "type": "audio"},
        {"url": "https://i/3.jpeg", "type": "image", "width": -1, "nsfwLevel": 2},
    ]
    lora = _shown(wire, "civitai:1", Site(_model(_version(2, images=images))))
    film, still = lora.versions[0].previews
    assert (film.kind, film.width, film.height) == ("video", 10, 20)
    assert (still.kind, still.width, still.nsfw_level) == ("image", None, 2)
    assert lora.preview_url == "https://i/3.jpeg"


def test_counts_of_every_era(wire: Callable[..., Wire]) -> None:
    """Likes were favourites once; hidden counts stay unknown."""
    old = _shown(wire, "civitai:1", Site(_model(stats={"downloadCount": 5, "favoriteCount": 3})))
    hidden = _shown(wire, "civitai:1", Site(_model(stats={"downloadCount": None, "thumbsUpCount": 0})))
    assert (old.downloads, old.likes, hidden.downloads, hidden.likes) == (5, 3, None, 0)


def test_a_download_is_asked_for_by_the_files_own_number(wire: Callable[..., Wire]) -> None:
    """The address is built here, never taken from an answer; the size is not promised."""
    hub = wire(
        Site(_model(_version(2, files=[_file(30, hashes={"SHA256": SHA}, downloadUrl="https://evil/")])))
    ).civitai()
    file = hub.lora(parse_ref("civitai:1")).versions[0].files[0]
    wanted = hub.download(file)
    assert wanted.url == "https://civitai.com/api/download/models/2?fileId=30"
    assert (wanted.sha256, wanted.size) == (SHA.lower(), None)


@pytest.mark.parametrize("body", [[], {}, {"id": 0}, {"id": "x"}])
def test_another_shape_is_unexpected(wire: Callable[..., Wire], body: object) -> None:
    """An answer without an id is none."""
    with pytest.raises(UnexpectedResponse):
        wire(lambda _: httpx2.Response(200, json=body)).civitai().lora(HashRef(kind="autov2", value="0123456789"))
