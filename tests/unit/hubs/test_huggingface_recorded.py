"""Hugging Face's real answers, and what is left of them after any change, through the official client."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubsync import errors
from hubsync.domain import LoraType
from hubsync.refs import parse_ref
from tests.unit.hubs.one_repository import Session, repository, shown, site

if TYPE_CHECKING:
    from tests.unit.hubs.conftest import Wire


def test_recorded_repositories(wire: Callable[..., Wire], session: Session, shared_data: Path) -> None:
    """What the Hub really answered: an embedding, a whole pipeline, an expanded row, and a rename."""
    folder = shared_data / "huggingface"
    found = {}
    for path in sorted(folder.glob("model_info_blobs__*.json")):
        raw = json.loads(path.read_text("utf-8"))
        found[raw["id"]] = shown(wire, session, site(raw), f"hf:{raw['id']}")
    embedding = found["InvokeAI-test/textual_inversion_tests"]
    assert (embedding.type, embedding.families, embedding.license) == (
        LoraType.EMBEDDING,
        ("sdxl",),
        "creativeml-openrail-m",
    )
    (file,) = embedding.versions[0].files
    assert (file.kind, file.primary, file.size) == ("embedding", True, 3184)
    assert str(file.sha256).startswith("f368050465cd")
    turbo = found["stabilityai/sdxl-turbo"]
    assert (turbo.license, turbo.versions[0].files[0].kind) == ("sai-nc-community", "other")
    assert [file for file in turbo.versions[0].files if file.primary] == []
    row = json.loads((folder / "hub_2026-10-02_model-stable-diffusion-v1-5_expand.json").read_text())["body"]
    assert shown(wire, session, site(row), "hf:stable-diffusion-v1-5/stable-diffusion-v1-5").downloads == 1633999
    moved = json.loads((folder / "hub_2026-10-02_redirect-runwayml-sd15.json").read_text())

    def redirecting(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == moved["request"]:
            return httpx2.Response(moved["status"], headers=moved["headers"])
        return httpx2.Response(200, json=row)

    new = shown(wire, session, redirecting, "hf:runwayml/stable-diffusion-v1-5")
    assert new.name == "stable-diffusion-v1-5"
    assert new.creator == "stable-diffusion-v1-5"


JUNK: tuple[Any, ...] = (
    None,
    True,
    -1,
    2**70,
    1.5,
    float("nan"),
    "",
    "\x1b[2J",
    "\ud800",
    [],
    {},
    [None, 1, {}],
    "o/r",
)


def _changed(value: Any, chance: random.Random, depth: int = 0) -> Any:
    if depth and chance.random() < 0.08:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        return {key: _changed(item, chance, depth + 1) for key, item in value.items() if chance.random() > 0.05}
    return [_changed(item, chance, depth + 1) for item in value] if isinstance(value, list) else value


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_no_change_of_an_answer_breaks_the_reader(wire: Callable[..., Wire], session: Session, seed: int) -> None:
    """Any mutation gives a LoRA with references that read back, or a `HubsyncError`."""
    card = {"base_model": ["a/b"], "instance_prompt": "x", "widget": [{"text": "a", "output": {"url": "b.png"}}]}
    repo = repository("README.md", "a.safetensors", "b_emb.safetensors", cardData=card, gated="auto", downloads=5)
    changed = _changed(repo, random.Random(seed))
    try:
        lora = shown(wire, session, site(changed, "---\nwidget: [\n---\n"))
    except errors.HubsyncError:
        return
    refs = [lora.ref, *(file.ref for version in lora.versions for file in version.files)]
    assert [parse_ref(str(ref)) for ref in refs] == refs
