"""The real hubs' clients against the sandbox: search, pages, details, downloads, every state, every edge's answer."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pytest

from hubsync import errors
from hubsync.config import Civitai as CivitaiSettings
from hubsync.config import HuggingFace as HuggingFaceSettings
from hubsync.config import Network, Settings
from hubsync.domain import Availability, Lora, LoraType, Nsfw, Query, Scan, Sort
from hubsync.families import load_families
from hubsync.hubs.base import Hub
from hubsync.hubs.civitai import Civitai
from hubsync.hubs.failures import raise_for
from hubsync.hubs.http import Http, make_client
from hubsync.hubs.huggingface import HuggingFace
from hubsync.limiter import Limiter
from hubsync.refs import CivitaiRef, Source, parse_ref
from hubsync.sandbox.hub import Fault, FaultKind, SandboxHub
from hubsync.sandbox.hub.scenarios import (
    AGENT_REFUSED,
    ANONYMOUS_NOT_FOUND,
    CLOUDFLARE,
    LOGIN_PAGE,
    ORIGIN_DOWN,
    OVERLOADED,
    REGION_BLOCKED,
    TOO_MANY,
    TOO_MANY_WAIT,
)

STEMS = ("add_detail", "add_saturation", "add_brightness", "sks_frame", "mona_outfits", "pytorch_lora_weights")


def _weights(path: Path) -> None:
    """A valid file with one alpha, whose content follows from its name."""
    matrix = random.Random(path.stem).randbytes(4000)
    entries = {
        "__metadata__": {"ss_output_name": path.stem},
        "lora_unet_mid.alpha": {"dtype": "F16", "shape": [], "data_offsets": [0, 2]},
        "lora_unet_mid.lora_down.weight": {"dtype": "U8", "shape": [4000], "data_offsets": [2, 4002]},
    }
    header = json.dumps(entries).encode()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(header)) + header + struct.pack("<e", 4.0) + matrix)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of small files, laid out like the packaged one."""
    root = tmp_path_factory.mktemp("data")
    for stem in STEMS:
        _weights(root / "loras" / f"{stem}.safetensors")
    _weights(root / "embeddings" / "blue_ring.safetensors")
    _weights(root / "shapes.safetensors")
    (root / "previews").mkdir()
    return root


@dataclass(frozen=True)
class Bench:
    """A running sandbox and what talks to it; `waits` collects the pauses instead of making them."""

    hub: SandboxHub
    stack: ExitStack
    waits: list[float]

    def settings(self, *, key: str | None = None, token: str | None = None, retries: int = 2) -> Settings:
        """Settings for the sandbox, with its own key and token unless told otherwise."""
        return Settings(
            civitai=CivitaiSettings(url=self.hub.civitai_url, api_key=self.hub.KEY if key is None else key),
            huggingface=HuggingFaceSettings(
                endpoint=self.hub.huggingface_url, token=self.hub.TOKEN if token is None else token
            ),
            network=Network(retries=retries, timeout=5),
        )

    def client(self, settings: Settings) -> httpx2.Client:
        """A client that is closed at the end."""
        return self.stack.enter_context(make_client(settings))

    def http(self, settings: Settings) -> Http:
        """What hubs ask through, without waiting."""
        limiter = Limiter(sleep=self.waits.append)
        return Http(client=self.client(settings), limiter=limiter, retries=settings.network.retries)

    def civitai(self, *, key: str | None = None, retries: int = 2) -> Civitai:
        """Civitai, logged in unless told otherwise."""
        settings = self.settings(key=key, retries=retries)
        return Civitai(self.http(settings), settings, load_families())

    def hugging_face(self, *, token: str | None = None, retries: int = 2) -> HuggingFace:
        """Hugging Face, logged in unless told otherwise."""
        settings = self.settings(token=token, retries=retries)
        return HuggingFace(self.http(settings), settings, load_families())

    def fetch(self, hub: Hub, lora: Lora, *, key: str | None = None, token: str | None = None) -> str:
        """Download the first file as it is told to be; its SHA-256."""
        file = lora.versions[0].files[0]
        wanted = hub.download(file)
        answer = self.client(self.settings(key=key, token=token)).get(wanted.url)
        raise_for(answer, page=lora.page_url)
        assert len(answer.content) == file.size
        return hashlib.sha256(answer.content).hexdigest()


@pytest.fixture
def bench(files: Path) -> Iterator[Bench]:
    """A sandbox nobody leaked a secret to."""
    with ExitStack() as stack, SandboxHub.start(files) as hub:
        yield Bench(hub, stack, [])
        assert hub.leaks == ()


def _every_page(hub: Hub, query: Query) -> list[str]:
    """The names on every page of a search."""
    names, cursors = [], query.cursors
    for _ in range(30):
        page = hub.search(replace(query, cursors=cursors))
        names += [lora.name for lora in page.items]
        if page.next is None:
            break
        cursors = {hub.source: page.next}
    return names


@pytest.mark.parametrize("limit", [1, 4, 100])
def test_every_page_of_civitai(bench: Bench, limit: int) -> None:
    """Page by page and all at once give the same LoRAs in the same order, each once, none above the ceiling."""
    hub = bench.civitai()
    names = _every_page(hub, Query(limit=limit, sort=Sort.DOWNLOADS))
    assert names[:4] == ["Add Detail", "Add Saturation", "Add Brightness", "sks Frame"]
    assert names == _every_page(hub, Query(limit=50, sort=Sort.DOWNLOADS))
    assert len(names) == len(set(names))
    assert {"Boudoir Light", "Shapes", "Of A New Kind"}.isdisjoint(names)


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_every_page_of_hugging_face(bench: Bench, limit: int) -> None:
    """The Hub's short pages are followed; language models, private and disabled repositories are not shown."""
    names = _every_page(bench.hugging_face(), Query(limit=limit, sort=Sort.DOWNLOADS))
    assert names == ["multi-base-sliders", "ohwx-lora", "gated-lora", "sks-frame-kohya", "manual-lora"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (Query(text="saturation"), ["Add Saturation"]),
        (Query(text="add", tag="detail"), ["Add Detail", "Add Detail, strong"]),
        (Query(creator="framewright", nsfw=Nsfw.MATURE), ["Mona (2 outfits)", "sks Frame"]),
        (Query(base_models=("pony",)), ["Frosted Glass (early)"]),
        (Query(base_models=("sdxl",), types=(LoraType.LOCON,)), ["Wide Weave"]),
        (Query(types=(LoraType.EMBEDDING,)), ["Blue Ring (embedding)"]),
        (Query(tag="nobody uses this"), []),
        (Query(creator="nobody"), []),
        (Query(text="boudoir", nsfw=Nsfw.MATURE), ["Boudoir Light"]),
    ],
)
def test_filters_of_civitai(bench: Bench, query: Query, names: list[str]) -> None:
    """Text, tag, creator, base model in any spelling, type and ceiling."""
    assert [lora.name for lora in bench.civitai().search(query).items] == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (Query(text="ohwx"), ["ohwx-lora"]),
        (Query(creator="framewright"), ["sks-frame-kohya"]),
        (Query(base_models=("SDXL 1.0",)), ["multi-base-sliders"]),
        (Query(tag="kohya"), ["sks-frame-kohya"]),
        (Query(types=(LoraType.LOCON,)), []),
    ],
)
def test_filters_of_hugging_face(bench: Bench, query: Query, names: list[str]) -> None:
    """Text, creator, base model by either hub's name, tag and type."""
    assert [lora.name for lora in bench.hugging_face().search(query).items] == names


def test_both_names_of_a_renamed_base_model_are_found(bench: Bench) -> None:
    """Cards keep the name their author wrote, old or new."""
    names = _every_page(bench.hugging_face(), Query(base_models=("SD 1.5",)))
    assert {"ohwx-lora", "sks-frame-kohya"} <= set(names)


@pytest.mark.parametrize("kind", [FaultKind.EMPTY_PAGE, FaultKind.DUPLICATE, FaultKind.MALFORMED])
def test_odd_pages_change_nothing(bench: Bench, kind: FaultKind) -> None:
    """An empty page, a row twice, a row that is none: the same LoRAs are found on both hubs."""
    hubs: tuple[Hub, ...] = (bench.civitai(), bench.hugging_face())
    plain = [{lora.name for lora in hub.search(Query(limit=6)).items} for hub in hubs]
    for hub, names in zip(hubs, plain, strict=True):
        bench.hub.switch(Fault(kind=kind, times=1, skip=0 if kind is FaultKind.EMPTY_PAGE else 1))
        found = hub.search(Query(limit=6)).items
        assert len(found) == len({lora.ref for lora in found})
        assert {lora.name for lora in found} <= set(_every_page(hub, Query(limit=50)))
        assert len(names & {lora.name for lora in found}) >= len(names) - 1


@pytest.mark.parametrize("ref", ["1004", "civitai:1004", "civitai:@2004", "2004", "civitai:1004@2004#3004"])
def test_a_civitai_lora_arrives_whole(bench: Bench, ref: str) -> None:
    """However it is named: words, weight, hashes, and the very bytes."""
    hub = bench.civitai()
    lora = hub.lora(parse_ref(ref))
    version = lora.versions[0]
    assert (lora.ref, lora.name) == (CivitaiRef(model=1004, version=2004), "sks Frame")
    assert (version.trigger_words, version.suggested_weight, version.requires_token) == ((("sks",),), 0.9, False)
    assert bench.fetch(hub, lora) == version.files[0].sha256


def test_a_version_and_its_neighbours(bench: Bench) -> None:
    """The older version asked for comes first; the newest is first otherwise."""
    hub = bench.civitai()
    assert [version.name for version in hub.lora(parse_ref("civitai:1003")).versions] == ["v1.1", "v1.0"]
    older = hub.lora(parse_ref("civitai:1003@2103"))
    assert [version.name for version in older.versions] == ["v1.0", "v1.1"]
    assert (older.versions[0].suggested_weight, older.versions[1].suggested_weight) == (1.2, None)


def test_hashes_lead_back_to_where_a_file_came_from(bench: Bench) -> None:
    """Each kind of hash finds the version, and a list of them is answered at once."""
    hub = bench.civitai()
    file = hub.lora(parse_ref("civitai:1004")).versions[0].files[0]
    sha256 = str(file.sha256)
    for ref in (f"sha256:{sha256}", f"autov2:{sha256[:10]}", f"autov3:{file.autov3}"):
        found = hub.lora(parse_ref(ref))
        assert (str(found.ref), found.versions[0].files[0].sha256) == ("civitai:1004@2004", sha256)
    assert hub.identify([sha256, "0" * 64]) == {sha256: CivitaiRef(model=1004, version=2004)}


@pytest.mark.parametrize("ref", ["hf:sandbox/ohwx-lora", "sandbox/ohwx-old-name", "hf:sandbox/OHWX-lora@main"])
def test_a_hugging_face_lora_arrives_whole(bench: Bench, ref: str) -> None:
    """Under its new name, pinned to its commit, with exact size and the very bytes."""
    hub = bench.hugging_face()
    lora = hub.lora(parse_ref(ref))
    version = lora.versions[0]
    assert str(lora.ref).startswith("hf:sandbox/ohwx-lora@")
    assert (version.trigger_words, version.family, version.requires_token) == ((("ohwx",),), "sd1", False)
    assert [(file.name, file.primary) for file in version.files] == [("pytorch_lora_weights.safetensors", True)]
    wanted = hub.download(version.files[0])
    assert (wanted.size, wanted.sha256) == (version.files[0].size, version.files[0].sha256)
    assert bench.fetch(hub, lora) == version.files[0].sha256
    assert parse_ref(str(version.files[0].ref)) == version.files[0].ref


def test_a_repository_for_several_bases_is_not_picked_from(bench: Bench) -> None:
    """The choice is open until a file is named; then its own base model counts."""
    hub = bench.hugging_face()
    open_choice = hub.lora(parse_ref("sandbox/multi-base-sliders"))
    assert [file.primary for file in open_choice.versions[0].files] == [False] * 3
    named = hub.lora(parse_ref("hf:sandbox/multi-base-sliders/sdxl/detail_xl.safetensors"))
    assert (named.versions[0].files[0].name, named.versions[0].family) == ("sdxl/detail_xl.safetensors", "sdxl")
    assert bench.fetch(hub, named) == named.versions[0].files[0].sha256


def test_a_card_without_front_matter_for_words_is_read(bench: Bench) -> None:
    """Words and weight stand in the text of a kohya repository; its preview's odd name is kept."""
    version = bench.hugging_face().lora(parse_ref("framewright/sks-frame-kohya")).versions[0]
    assert (version.trigger_words, version.suggested_weight) == ((("sks",),), 0.9)
    assert version.files[0].name == "sks-frame-v1.safetensors"


@pytest.mark.parametrize(
    ("model", "availability", "downloadable", "key", "error"),
    [
        (1011, Availability.EARLY_ACCESS, True, None, errors.EarlyAccess),
        (1012, Availability.PUBLIC, True, "", errors.TokenRequired),
        (1012, Availability.PUBLIC, True, "wrong", errors.TokenInvalid),
        (1012, Availability.PUBLIC, True, None, None),
        (1014, Availability.PUBLIC, False, None, errors.DownloadsDisabled),
        (1015, Availability.TAKEN_DOWN, True, None, errors.NotFound),
        (1022, Availability.EARLY_ACCESS, True, None, errors.EarlyAccess),
    ],
)
def test_closed_models_of_civitai(
    bench: Bench,
    model: int,
    availability: Availability,
    downloadable: bool,  # noqa: FBT001
    key: str | None,
    error: type[errors.HubsyncError] | None,
) -> None:
    """Each state is known before a byte moves, and the refusal of the download says the same."""
    hub = bench.civitai(key=key)
    lora = hub.lora(CivitaiRef(model=model))
    assert (lora.versions[0].availability, lora.versions[0].downloadable) == (availability, downloadable)
    if error is None:
        assert bench.fetch(hub, lora, key=key) == lora.versions[0].files[0].sha256
        return
    with pytest.raises(errors.HubsyncError) as caught:
        bench.fetch(hub, lora, key=key)
    assert type(caught.value) is error


def test_an_archived_model_has_no_files(bench: Bench) -> None:
    """It is still there to be seen; its download address says it is gone."""
    hub = bench.civitai()
    version = hub.lora(parse_ref("civitai:1013")).versions[0]
    assert (version.availability, version.files) == (Availability.ARCHIVED, ())
    with pytest.raises(errors.Archived):
        raise_for(bench.client(bench.settings()).get(f"{bench.hub.civitai_url}/api/download/models/2013"))


def test_dirty_records_of_civitai(bench: Bench) -> None:
    """Pickles, pending scans, hostile names, missing keys, unknown types: each is read as what it is."""
    hub = bench.civitai()
    read = {number: hub.lora(CivitaiRef(model=number)) for number in range(1016, 1026) if number != 1017}
    pickle = read[1016].versions[0].files[0]
    assert (pickle.format, pickle.scan) == ("pickle", Scan.DANGER)
    moving = read[1018].versions[0]
    assert (moving.files[0].sha256, moving.files[0].scan, moving.previews[0].kind) == (None, Scan.PENDING, "video")
    sparkle = read[1019]
    assert sparkle.versions[0].raw_words[1] == " <lora:sparkle:0.8>"
    assert sparkle.versions[0].suggested_weight == 0.8
    assert not {"\x1b", "\u202e"} & set(f"{sparkle} {sparkle.description}")
    assert (str(read[1020].ref), read[1020].versions) == ("civitai:1020", ())
    assert (read[1021].creator, read[1021].downloads, read[1021].versions[0].previews) == (None, None, ())
    assert len(str(read[1021].versions[0].files[0].autov3)) == 12
    assert (read[1023].type, read[1024].families, read[1025].type) == (LoraType.LOCON, ("other",), LoraType.OTHER)
    assert [(file.kind, file.primary) for file in read[1024].versions[0].files] == [
        ("model", True),
        ("training_data", False),
    ]


@pytest.mark.parametrize(
    ("name", "token", "error"),
    [
        ("gated-lora", None, None),
        ("gated-lora", "", errors.Gated),
        ("manual-lora", None, errors.Gated),
        ("private-lora", None, None),
        ("private-lora", "", errors.NotFound),
        ("disabled-lora", None, errors.Archived),
        ("no-such-lora", None, errors.NotFound),
        ("ohwx-lora", "hf_wrong", errors.TokenInvalid),
    ],
)
def test_closed_repositories(
    bench: Bench,
    name: str,
    token: str | None,
    error: type[errors.HubsyncError] | None,
) -> None:
    """Gated, private, disabled, missing and a bad token: each its own error, at the page or at the file."""
    hub = bench.hugging_face(token=token)
    ref = parse_ref(f"sandbox/{name}")
    if error is None:
        lora = hub.lora(ref)
        assert lora.versions[0].requires_token is True
        assert bench.fetch(hub, lora, token=token) == lora.versions[0].files[0].sha256
        return
    with pytest.raises(errors.HubsyncError) as caught:
        bench.fetch(hub, hub.lora(ref), token=token)
    assert type(caught.value) is error
    assert caught.value.hint


def test_a_missing_revision_or_file_is_not_found(bench: Bench) -> None:
    """Told apart from a missing repository."""
    hub = bench.hugging_face()
    with pytest.raises(errors.NotFound, match="revision"):
        hub.lora(parse_ref("hf:sandbox/ohwx-lora@nope"))
    with pytest.raises(errors.NotFound, match="weights file"):
        hub.lora(parse_ref("hf:sandbox/ohwx-lora/nope.safetensors"))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (CLOUDFLARE, errors.UnexpectedResponse),
        (AGENT_REFUSED, errors.AccessDenied),
        (ORIGIN_DOWN, errors.Unreachable),
        (REGION_BLOCKED, errors.RegionBlocked),
        (TOO_MANY, errors.RateLimited),
        (TOO_MANY_WAIT, errors.RateLimited),
        (OVERLOADED, errors.HubError),
        (LOGIN_PAGE, errors.UnexpectedResponse),
        (ANONYMOUS_NOT_FOUND, errors.NotFound),
        (Fault(kind=FaultKind.RESET, at=0), errors.Unreachable),
    ],
)
@pytest.mark.parametrize("source", list(Source))
def test_edges_that_stand_in_the_way(
    bench: Bench, source: Source, fault: Fault, error: type[errors.HubsyncError]
) -> None:
    """What edges are known to answer is told as what it is, on both hubs, after the settings' retries."""
    hub: Hub = bench.civitai(retries=1) if source is Source.CIVITAI else bench.hugging_face(retries=1)
    ref = parse_ref("civitai:1001" if source is Source.CIVITAI else "sandbox/ohwx-lora")
    bench.hub.switch(replace(fault, path="/api/*"))
    with pytest.raises(errors.HubsyncError) as caught:
        hub.lora(ref)
    assert type(caught.value) is error
    assert len(bench.waits) == (1 if error in {errors.Unreachable, errors.RateLimited, errors.HubError} else 0)


@pytest.mark.parametrize("fault", [OVERLOADED, TOO_MANY_WAIT, ORIGIN_DOWN, Fault(kind=FaultKind.RESET, at=0)])
@pytest.mark.parametrize("source", list(Source))
def test_what_passes_is_survived(bench: Bench, source: Source, fault: Fault) -> None:
    """Two failures in a row cost two pauses, no more."""
    hub: Hub = bench.civitai() if source is Source.CIVITAI else bench.hugging_face()
    ref = parse_ref("civitai:1001" if source is Source.CIVITAI else "sandbox/ohwx-lora")
    bench.hub.switch(replace(fault, path="/api/*", times=2))
    assert hub.lora(ref).versions
    assert len(bench.waits) == 2


@pytest.mark.parametrize("source", list(Source))
def test_a_silent_hub_is_left_in_time(bench: Bench, source: Source) -> None:
    """A server that accepts and never answers costs one timeout, not for ever."""
    settings = bench.settings(retries=0)
    settings = Settings(
        civitai=settings.civitai, huggingface=settings.huggingface, network=Network(timeout=0.3, retries=0)
    )
    http, families = bench.http(settings), load_families()
    bench.hub.switch(Fault(kind=FaultKind.STALL, at=0, path="/api/*"))
    civitai = source is Source.CIVITAI
    hub: Hub = Civitai(http, settings, families) if civitai else HuggingFace(http, settings, families)
    for ask in (
        lambda: hub.search(Query()),
        lambda: hub.lora(parse_ref("civitai:1001" if civitai else "sandbox/ohwx-lora")),
    ):
        with pytest.raises(errors.Unreachable, match="did not answer in time"):
            ask()


def test_nobody_else_is_asked(bench: Bench) -> None:
    """A whole round with the official client reaches the endpoint and its storage only, and asks about no agents."""
    hub = bench.hugging_face()
    lora = hub.lora(parse_ref("sandbox/ohwx-lora"))
    bench.fetch(hub, lora)
    hub.search(Query())
    assert not [record for record in bench.hub.requests if "harness" in record.path]
    agents = {record.headers.get("user-agent", "").partition("/")[0] for record in bench.hub.requests}
    assert {agent.partition(";")[0] for agent in agents} == {"hubsync"}
