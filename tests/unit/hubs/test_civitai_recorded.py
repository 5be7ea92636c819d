"""Answers Civitai really gave, 2023 to 2026: all are read, and say what a person reads in them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubsync.domain import Availability, LoraType, Nsfw, Query, Scan
from hubsync.errors import HubsyncError
from hubsync.refs import CivitaiRef, parse_ref

if TYPE_CHECKING:
    from hubsync.domain import Lora
    from tests.unit.hubs.conftest import Wire


def _recorded(folder: Path, kind: str) -> list[Path]:
    rows = [line.split("\t") for line in (folder / "manifest.tsv").read_text("utf-8").splitlines()[1:]]
    return [folder / row[0] for row in rows if row[1] == kind]


def _site(model: Any, version: Any = None) -> Callable[[httpx2.Request], httpx2.Response]:
    """The hub with one model, and one version's own answer."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if path == f"/api/v1/models/{model['id']}":
            return httpx2.Response(200, json=model)
        known = version is not None and path == f"/api/v1/model-versions/{version['id']}"
        return httpx2.Response(200, json=version) if known else httpx2.Response(404, json={"error": "Model not found"})

    return answer


def _model(wire: Callable[..., Wire], path: Path) -> Lora:
    model = json.loads(path.read_text("utf-8"))
    return wire(_site(model)).civitai().lora(CivitaiRef(model=model["id"]))


def test_every_recorded_model_is_read_whole(wire: Callable[..., Wire], shared_data: Path) -> None:
    """Each version, file and picture of each model arrives, with names, sizes and dates."""
    paths = [*_recorded(shared_data / "civitai", "model"), *(shared_data / "civitai_2023").glob("*.json")]
    assert len(paths) == 48
    for path in paths:
        raw = json.loads(path.read_text("utf-8"))
        lora = _model(wire, path)
        versions = raw["modelVersions"]
        assert [str(version.ref) for version in lora.versions] == [f"civitai:{raw['id']}@{v['id']}" for v in versions]
        assert [len(version.files) for version in lora.versions] == [len(v["files"]) for v in versions]
        assert [len(version.previews) for version in lora.versions] == [len(v["images"]) for v in versions]
        assert all(version.published_at and version.base_model for version in lora.versions)
        assert all(file.size for version in lora.versions for file in version.files)
        assert (lora.name, lora.creator) == (raw["name"].strip(), raw["creator"]["username"])
        assert lora.downloads == raw["stats"]["downloadCount"]


def test_every_recorded_version_is_read(wire: Callable[..., Wire], shared_data: Path) -> None:
    """A version without its model is enough for a LoRA, its file, hashes and pictures."""
    found = {}
    for path in _recorded(shared_data / "civitai", "version"):
        raw = json.loads(path.read_text("utf-8"))
        lora = wire(_site({"id": 0}, raw)).civitai().lora(CivitaiRef(version=raw["id"]))
        found[str(lora.ref)] = lora.versions[0]
    storybook, turbo = found["civitai:1231067@1387174"], found["civitai:215485@242807"]
    assert (storybook.base_model, storybook.family, storybook.trigger_words) == (
        "Flux.1 D",
        "flux1",
        (("ppstorybook",),),
    )
    assert storybook.files[0].sha256 == "9753338ab693ca82bf89ed77a5d1912879e40051463ec6e330fb9866ce798668"
    assert (storybook.files[0].autov3, storybook.files[0].scan) == ("34a22376739d", Scan.OK)
    assert (storybook.availability, storybook.downloadable) == (Availability.PUBLIC, True)
    assert (storybook.previews[0].width, storybook.previews[0].nsfw_level) == (832, 1)
    assert (turbo.family, turbo.trigger_words, turbo.suggested_weight) == ("sdxl", (), 1.0)
    assert turbo.files[0].autov3 == "813ea5fb1c67"
    assert str(turbo.suggested_negative).startswith("blurry, blurry_image, Lowres")


def test_what_a_person_reads_in_the_models(wire: Callable[..., Wire], shared_data: Path) -> None:
    """Trap by trap: pasted tags, long lists, labels, archived models, pending scans, negative files, pickles."""
    read = {path.stem: _model(wire, path) for path in _recorded(shared_data / "civitai", "model")}
    zerg = read["m2023_20060_lora_tag_and_word"].versions[0]
    assert (zerg.trigger_words, zerg.suggested_weight) == ((("zerg",),), 1.0)
    assert read["m2023_6054_lora_tag_only"].versions[0].trigger_words == ()
    cat = read["m2023_38373_one_long_comma_entry"].versions[0]
    assert (len(cat.trigger_words), len(cat.trigger_words[0]), cat.trigger_words[0][:2]) == (1, 19, ("cat", "lihuacat"))
    assert (cat.availability, cat.suggested_weight) == (Availability.PUBLIC, 0.8)
    mural = read["m2023_61925_fullwidth_comma_spaces"]
    assert mural.versions[0].trigger_words == (("long sleeves", "beard", "hanfu"),)
    assert mural.families == ("sd1", "other")
    archived = read["m2023_35484_archived_lora"]
    assert [version.availability for version in archived.versions] == [Availability.ARCHIVED] * 2
    assert archived.versions[1].trigger_words == (("Saeko Busujima", "purple hair"),)
    assert read["m2023_98806_archived_checkpoint"].type is LoraType.CHECKPOINT
    pending = read["m2023_99822_pending_scan_empty_hashes"].versions[0].files[0]
    assert (pending.scan, pending.sha256, pending.format, pending.kind) == (Scan.PENDING, None, "pickle", "embedding")
    negative = read["m2023_5224_ti_negative_file"].versions[0].files[0]
    assert (negative.kind, negative.format, negative.primary) == ("embedding", "pickle", True)
    assert read["m2023_80549_controlnet"].type is LoraType.OTHER
    synthwave = read["model_1102_2023"]
    assert synthwave.tags == ("punk", "synthwave", "style")
    assert [file.name for file in synthwave.versions[1].files if file.primary] == ["synthwavepunk_v3Alpha.safetensors"]


def test_models_of_2023_are_lists_too(wire: Callable[..., Wire], shared_data: Path) -> None:
    """The same models as rows of a search page, with no row lost."""
    rows = [json.loads(path.read_text("utf-8")) for path in sorted((shared_data / "civitai_2023").glob("*.json"))]
    query = Query(nsfw=Nsfw.X, limit=100, types=tuple(LoraType))
    page = wire(json={"items": rows, "metadata": {"totalItems": 37, "nextPage": ""}}).civitai().search(query)
    assert [lora.name for lora in page.items] == [row["name"].strip() for row in rows]
    assert page.next is None
    assert all(len(lora.versions) == 1 for lora in page.items)


@pytest.fixture(scope="module")
def real_models() -> list[Path]:
    """Whole models to change at random."""
    folder = Path(__file__).parents[4] / "shared" / "data" / "civitai"
    if not folder.is_dir():
        pytest.skip("the recorded data is not here")
    return _recorded(folder, "model")


JUNK: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**70, 1.5, float("nan"), float("inf"), "", "12", "\x1b[2J\n", "\ud800", "2026-13-45T99:99"),
    *([], {}, [None, 1, {}], {"name": []}, [[[]]], "<![x", "<lora:a:", "https://[x", "9" * 400),
)


def _changed(value: Any, chance: random.Random, depth: int = 0) -> Any:
    """The value with some of its parts dropped or replaced."""
    if depth and chance.random() < 0.06:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        return {key: _changed(item, chance, depth + 1) for key, item in value.items() if chance.random() > 0.05}
    if isinstance(value, list):
        return [_changed(item, chance, depth + 1) for item in value]
    return value


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_no_change_of_an_answer_breaks_the_reader(
    wire: Callable[..., Wire], real_models: list[Path], seed: int
) -> None:
    """Any mutation of a real answer gives a LoRA, a page or a `HubsyncError`, and references that read back."""
    chance = random.Random(seed)
    model = _changed(json.loads(chance.choice(real_models).read_text("utf-8")), chance)
    content = json.dumps(model).encode()
    hub = wire(lambda _: httpx2.Response(200, content=content)).civitai()
    try:
        lora = hub.lora(parse_ref("civitai:1"))
    except HubsyncError:
        pass
    else:
        refs = [lora.ref, *(v.ref for v in lora.versions), *(f.ref for v in lora.versions for f in v.files)]
        assert [parse_ref(str(ref)) for ref in refs] == refs
    rows = b'{"items": [' + content + b"]}"
    page = (
        wire(lambda _: httpx2.Response(200, content=rows)).civitai().search(Query(nsfw=Nsfw.X, types=tuple(LoraType)))
    )
    assert len(page.items) <= 1
