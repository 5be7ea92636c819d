"""What the tests of the hubs share: settings, families, and clients whose answers a test writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from hubsync.config import Civitai as CivitaiSettings
from hubsync.config import HuggingFace as HuggingFaceSettings
from hubsync.config import Network, Settings
from hubsync.families import Families, load_families
from hubsync.hubs.civitai import Civitai
from hubsync.hubs.http import Http, make_client
from hubsync.hubs.huggingface import HuggingFace
from hubsync.limiter import Limiter

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
Handler = Callable[[httpx2.Request], httpx2.Response]


@dataclass
class Wire:
    """Makes hubs over a handler; keeps every request, and every wait instead of waiting."""

    handler: Handler
    settings: Settings
    stack: ExitStack
    families: Families
    requests: list[httpx2.Request] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def client(self) -> httpx2.Client:
        """A client that asks the handler."""

        def answer(request: httpx2.Request) -> httpx2.Response:
            self.requests.append(request)
            return self.handler(request)

        client = make_client(self.settings, transport=httpx2.MockTransport(answer))
        return self.stack.enter_context(client)

    def http(self, *, retries: int | None = None) -> Http:
        """What hubs ask through."""
        tries = self.settings.network.retries if retries is None else retries
        return Http(client=self.client(), limiter=Limiter(sleep=self.waits.append), retries=tries)

    def civitai(self) -> Civitai:
        """Civitai at a fixed time."""
        return Civitai(self.http(), self.settings, self.families, now=lambda: NOW)

    def hugging_face(self) -> HuggingFace:
        """Hugging Face at a fixed time."""
        return HuggingFace(self.http(), self.settings, self.families, now=lambda: NOW)

    def pairs(self, name: str, *, request: int = -1) -> list[str]:
        """The values of a query parameter of one request."""
        return self.requests[request].url.params.get_list(name)


@pytest.fixture(scope="session")
def families() -> Families:
    """The shipped table."""
    return load_families()


@pytest.fixture
def settings() -> Settings:
    """Both public hubs with a key each, two retries."""
    return Settings(
        civitai=CivitaiSettings(api_key="civitai-key"),
        huggingface=HuggingFaceSettings(token="hf_token"),
        network=Network(retries=2),
    )


@pytest.fixture
def wire(settings: Settings, families: Families) -> Iterator[Callable[..., Wire]]:
    """Makes a `Wire` over a handler, or over one JSON answer for everything."""
    with ExitStack() as stack:

        def make(handler: Handler | None = None, *, json: Any = None, settings: Settings = settings) -> Wire:
            return Wire(handler or (lambda _: httpx2.Response(200, json=json)), settings, stack, families)

        yield make


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Handler], list[httpx2.Request]]]:
    """Puts answers under the official client's own session; gives the requests it makes."""
    import huggingface_hub
    from huggingface_hub.utils import _http

    def install(answers: Handler) -> list[httpx2.Request]:
        asked: list[httpx2.Request] = []

        def answer(request: httpx2.Request) -> httpx2.Response:
            asked.append(request)
            return answers(request)

        hooks = {"request": [_http.hf_request_event_hook]}
        huggingface_hub.set_client_factory(
            lambda: httpx2.Client(transport=httpx2.MockTransport(answer), follow_redirects=True, event_hooks=hooks)
        )
        return asked

    monkeypatch.setenv("NO_PROXY", "*")
    yield install
    huggingface_hub.set_client_factory(_http.default_client_factory)
