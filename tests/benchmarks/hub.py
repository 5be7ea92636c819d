"""The sandbox hub in a process of its own, so that its work is not done under the client's lock."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.request import ProxyHandler, build_opener

from hubsync.sandbox.hub import Fault, SandboxHub
from hubsync.sandbox.hub.civitai.catalogue import UNNAMED
from tests.benchmarks.loras import Lora


@dataclass(frozen=True, slots=True)
class Offer:
    """A file as the hubs offer it: Civitai's model and download address, and the repository."""

    lora: Lora
    model: int
    url: str
    repository: str


class HubProcess:
    """A hub that offers the LoRAs in `data`; a context manager that ends it."""

    def __init__(self, data: Path, loras: Sequence[Lora]) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=serve, args=(data, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self.civitai_url, self.huggingface_url = self._pipe.recv()
        # The hub numbers files that no catalogue names in the order of their names.
        by_name = sorted(loras, key=lambda lora: lora.path.name)
        self.offers = tuple(self._offer(number, lora) for number, lora in enumerate(by_name, UNNAMED + 1))

    def switch(self, *faults: Fault) -> None:
        """Replace the faults that are on."""
        self._ask(faults)

    def traffic(self) -> int:
        """The body bytes the hub has sent so far."""
        return self._ask(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pipe.close()
        self._process.join()

    def _ask(self, faults: tuple[Fault, ...] | None) -> int:
        self._pipe.send(faults)
        return int(self._pipe.recv())

    def _offer(self, number: int, lora: Lora) -> Offer:
        """Look the file up on both hubs, which makes them compute its hashes now and not while a client waits."""
        model = answer(f"{self.civitai_url}/api/v1/models/{number}")
        repository = f"sandbox/{lora.stem}"
        answer(f"{self.huggingface_url}/api/models/{repository}?blobs=true")
        assert model["name"] == lora.stem
        return Offer(lora, number, model["modelVersions"][0]["downloadUrl"], repository)


def answer(url: str) -> Any:
    """The JSON at an address on loopback, whatever proxies are set."""
    with build_opener(ProxyHandler({})).open(url) as response:
        return json.load(response)


def serve(data: Path, pipe: Connection) -> None:
    """The process: say where the hub is, then take faults (None: leave them) and answer with the bytes sent so far."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with SandboxHub.start(data) as hub, contextlib.suppress(EOFError):
        pipe.send((hub.civitai_url, hub.huggingface_url))
        while True:
            faults: tuple[Fault, ...] | None = pipe.recv()
            if faults is not None:
                hub.switch(*faults)
            pipe.send(hub.traffic)
