"""Real answers of both hubs changed at random: whatever comes is read as far as it goes, or refused in one sentence."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hubsync.domain import LoraType, Nsfw, Query
from hubsync.hubs.cards import read_card
from hubsync.hubs.failures import failure
from hubsync.refs import CivitaiRef, HashRef, HuggingFaceRef, parse_ref
from hubsync.sandbox.hub import SandboxHub
from tests.unit.hubs import chaos
from tests.unit.hubs.one_repository import Session, site

if TYPE_CHECKING:
    from tests.unit.hubs.conftest import Wire

Make = Callable[..., "Wire"]
EVERYTHING = Query(types=tuple(LoraType), nsfw=Nsfw.X, limit=100)
DIGEST = "ab" * 32


@dataclass(frozen=True, repr=False)
class Corpus:
    """Answers to change: models and single versions of Civitai, repositories and cards of Hugging Face."""

    models: list[Any]
    versions: list[Any]
    repos: list[Any]
    cards: list[str]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """What the sandbox hub answers, and beside a developer's checkout what the hubs themselves once answered."""
    with SandboxHub.start() as hub, httpx2.Client(trust_env=False) as client:
        ask, models_of = f"{hub.civitai_url}/api/v1", f"{hub.huggingface_url}/api/models"
        numbers = [row["id"] for row in client.get(f"{ask}/models?limit=100&nsfw=true").json()["items"]]
        models = [client.get(f"{ask}/models/{number}").json() for number in numbers]
        tops = [model["modelVersions"][0]["id"] for model in models if model["modelVersions"]]
        versions = [client.get(f"{ask}/model-versions/{number}").json() for number in tops]
        names = [row["id"] for row in client.get(f"{models_of}?filter=lora").json()]
        repos = [client.get(f"{models_of}/{name}?blobs=true").json() for name in names]
        cards = [client.get(f"{hub.huggingface_url}/{name}/resolve/main/README.md").text for name in names]
    folder = Path(__file__).parents[4] / "shared" / "data"

    def recorded(pattern: str) -> list[Any]:
        return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob(pattern))]

    return Corpus(
        models=models + recorded("civitai_2023/*.json") + recorded("civitai/m*_2*.json") + recorded("civitai/m2*.json"),
        versions=[version for version in versions if "id" in version] + recorded("civitai/version_*.json"),
        repos=repos + recorded("huggingface/model_info_*.json"),
        cards=cards + [path.read_text("utf-8") for path in sorted(folder.glob("hf_cards/*.md"))],
    )


def fuzzed(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test with that many seeds."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        fixtures = [HealthCheck.function_scoped_fixture]
        calm = settings(max_examples=examples, deadline=None, suppress_health_check=fixtures)
        return calm(given(seed=st.integers(0, 2**32))(test))

    return decorate


@fuzzed(100)
def test_changed_models_are_read_as_far_as_they_go(wire: Make, corpus: Corpus, seed: int) -> None:
    """By number, by version and by hash; and every file has an address at the hub."""
    chance = random.Random(seed)

    def answer(request: httpx2.Request) -> httpx2.Response:
        return chaos.ok(chaos.some(corpus.versions if "-versions/" in request.url.path else corpus.models, chance))

    hub = wire(answer).civitai()
    for ref in (CivitaiRef(model=1), CivitaiRef(version=1), HashRef(kind="autov2", value="a" * 10)):
        with chaos.tamed():
            lora = hub.lora(ref)
            chaos.check(lora)
            for file in (file for version in lora.versions for file in version.files):
                assert hub.download(file).url.startswith("https://civitai.com/api/download/models/")


@fuzzed(40)
def test_bad_rows_never_cost_civitais_good_ones(wire: Make, corpus: Corpus, seed: int) -> None:
    """Whatever stands between them, the good models of a page are shown."""
    chance = random.Random(seed)
    page, good = chaos.page_of(corpus.models, chance)
    answer = {"items": page, "metadata": {"nextCursor": chaos.worse("a|b", chance)}}
    with chaos.tamed():
        expected = wire(json={"items": good}).civitai().search(EVERYTHING)
        found = wire(lambda _: chaos.ok(answer)).civitai().search(EVERYTHING)
        chaos.check(found)
        numbers = {lora.page_url.partition("?")[0] for lora in found.items}
        assert numbers >= {lora.page_url.partition("?")[0] for lora in expected.items}


@fuzzed(60)
def test_changed_short_answers_of_civitai(wire: Make, seed: int) -> None:
    """What is no match of a hash is none; the names of users and base models are one line each."""
    chance = random.Random(seed)

    def hub(value: Any) -> Any:
        answer = chaos.changed(value, chance, 0.3)
        return wire(lambda _: chaos.ok(answer)).civitai()

    with chaos.tamed():
        chaos.check(hub([{"modelId": 1, "modelVersionId": 2, "hash": DIGEST}] * 3).identify([DIGEST]))
    with chaos.tamed():
        chaos.check(hub({"BaseModel": ["SD 1.5", "Quasar 2"], "ActiveBaseModel": []}).base_models())
    with chaos.tamed():
        chaos.check(hub({"id": 7, "username": "somebody"}).account())


@fuzzed(150)
def test_any_status_headers_and_body_of_civitai(wire: Make, corpus: Corpus, seed: int) -> None:
    """Broken JSON, wrong encodings, refusals and redirects: each question ends in an answer or an error of ours."""
    chance = random.Random(seed)
    text = json.dumps(chance.choice((chance.choice(corpus.models), {"items": corpus.models[:3]})), ensure_ascii=False)
    hub = wire(lambda _: chaos.any_answer(text, chance)).civitai()
    questions: tuple[Callable[[], Any], ...] = (
        lambda: hub.search(EVERYTHING),
        lambda: hub.lora(CivitaiRef(model=1)),
        lambda: hub.lora(CivitaiRef(version=1)),
        lambda: hub.identify([DIGEST]),
        hub.account,
        hub.base_models,
    )
    with chaos.tamed():
        chaos.check(chance.choice(questions)())


@fuzzed(40)
def test_bad_rows_never_cost_hugging_faces_good_ones(wire: Make, corpus: Corpus, seed: int) -> None:
    """Whatever stands between them, the good repositories of a page are shown."""
    chance = random.Random(seed)
    rows = [{**repo, "id": f"o/r{index}"} for index, repo in enumerate(corpus.repos)]
    page, good = chaos.page_of(rows, chance)
    link = {"Link": chance.choice(chaos.HEADERS["Link"])}
    with chaos.tamed():
        expected = wire(json=good).hugging_face().search(EVERYTHING)
        content = json.dumps(page).encode()
        found = wire(lambda _: httpx2.Response(200, headers=link, content=content)).hugging_face().search(EVERYTHING)
        chaos.check(found)
        assert {lora.name for lora in found.items} >= {lora.name for lora in expected.items}


@fuzzed(100)
def test_changed_repositories_are_read_as_far_as_they_go(
    wire: Make, session: Session, corpus: Corpus, seed: int
) -> None:
    """Through the official client, with a changed card; every file has an address at the hub."""
    chance = random.Random(seed)
    card = chaos.rewritten(chance.choice(corpus.cards), chance).encode("utf-8", "replace").decode()
    answers = site(chaos.some(corpus.repos, chance), card)
    session(answers)
    hub = wire(answers).hugging_face()
    with chaos.tamed():
        lora = hub.lora(HuggingFaceRef(repo="o/r"))
        chaos.check(lora)
        for file in (file for version in lora.versions for file in version.files):
            assert hub.download(file).url.startswith("https://huggingface.co/")


@fuzzed(150)
def test_any_status_headers_and_body_of_hugging_face(wire: Make, session: Session, corpus: Corpus, seed: int) -> None:
    """Also what the official client cannot read ends in an answer or an error of ours."""
    chance = random.Random(seed)
    text = json.dumps(chance.choice((chance.choice(corpus.repos), corpus.repos[:3])), ensure_ascii=False)
    session(lambda _: chaos.any_answer(text, chance))
    hub = wire(lambda _: chaos.any_answer(text, chance)).hugging_face()
    with chaos.tamed():
        chaos.check(hub.search(EVERYTHING) if chance.random() < 0.5 else hub.lora(HuggingFaceRef(repo="o/r")))


@fuzzed(100)
def test_changed_cards_are_read_as_far_as_they_go(corpus: Corpus, seed: int) -> None:
    """Any text is a card, in time that grows with its length, also in a wrong encoding."""
    chance = random.Random(seed)
    text = chaos.rewritten(chance.choice(corpus.cards), chance)
    if chance.random() < 0.3:
        text = chaos.garbled(text, chance).decode("utf-8", "replace")
    data = chaos.changed({"base_model": ["a/b"], "instance_prompt": "x", "license": "mit", "widget": [{}]}, chance, 0.2)
    with chaos.tamed():
        chaos.check(read_card(text, repo="o/r", data=data))


@pytest.mark.parametrize("part", ['"a" and ', "'o/r',", "![a](", "[", "| a ", "trigger word: "])
def test_a_card_of_one_thing_repeated_is_read_in_time(part: str) -> None:
    """No pattern takes the square of a card's length."""
    with chaos.tamed():
        chaos.check(read_card(part * (100_000 // len(part)), repo="o/r"))


@fuzzed(150)
def test_any_refusal_is_one_printable_sentence(seed: int) -> None:
    """Whatever a server says, also half a compressed body: message and hint are one line each, a wait is a number."""
    chance = random.Random(seed)
    text = "".join(chance.choice((*chaos.NASTY, "Early Access", "é", "{x}", "%s", "GatedRepo")) for _ in range(20))
    body = {"error": text, "message": chaos.worse(text, chance), "deadline": chance.choice(chaos.JUNK)}
    response = chaos.any_answer(json.dumps(body), chance)
    response.request = httpx2.Request("GET", "https://civitai.com/api/v1/models?token=x")
    with chaos.tamed():
        if error := failure(response, page="https://civitai.com/models/1"):
            raise error
        assert 200 <= response.status_code < 300


@settings(max_examples=200)
@given(text=st.one_of(st.text(), st.from_regex(re.compile(r"(civitai|hf|urn:air|https?://\w+|sha256)[:/@#].{0,40}"))))
@example("hf:o/r/\u202egnp.safetensors")
@example("https://[x")
def test_any_text_is_a_reference_or_none(text: str) -> None:
    """A reference reads back; what is none is an error of the call."""
    with chaos.tamed():
        ref = parse_ref(text)
        assert str(parse_ref(str(ref))) == str(ref)
