"""Everything that speaks HTTP, made from settings when first asked for: `list` never pays for it."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING

from hubsync.config import Settings
from hubsync.families import Families, load_families
from hubsync.limiter import Limiter
from hubsync.refs import Source

if TYPE_CHECKING:
    import httpx2

    from hubsync.files.transfer import Transfer
    from hubsync.hubs.base import Hub
    from hubsync.hubs.civitai import Civitai
    from hubsync.hubs.http import Http


class Network:
    """One HTTP client with the hubs and the transfer that share it; `transport` and `limiter` are seams of tests."""

    def __init__(self, settings: Settings, *, transport: httpx2.BaseTransport | None, limiter: Limiter) -> None:
        self._settings = settings
        self._transport = transport
        self._limiter = limiter
        self._making = threading.Lock()
        self._made: httpx2.Client | None = None
        self._former: list[httpx2.Client] = []

    @cached_property
    def families(self) -> Families:
        """The table of base-model families."""
        return load_families()

    @cached_property
    def civitai(self) -> Civitai:
        """Civitai."""
        from hubsync.hubs.civitai import Civitai

        return Civitai(self._http, self._settings, self.families)

    @cached_property
    def hugging_face(self) -> Hub:
        """Hugging Face."""
        from hubsync.hubs.huggingface import HuggingFace

        return HuggingFace(self._http, self._settings, self.families)

    def hub(self, source: Source) -> Hub:
        """The hub of that name."""
        return self.civitai if source is Source.CIVITAI else self.hugging_face

    def has_token(self, source: Source) -> bool:
        """Whether a key is stored that is sent to a hub."""
        from hubsync.hubs.guard import Guard

        hubs = {
            Source.CIVITAI: self._settings.civitai.url,
            Source.HUGGINGFACE: self._settings.huggingface.endpoint,
        }
        return Guard(self._settings).holds_token(hubs[source])

    @cached_property
    def transfer(self) -> Transfer:
        """What brings files."""
        from hubsync.files.transfer import Transfer
        from hubsync.hubs.failures import raise_for

        network = self._settings.network
        return Transfer(
            client=self.client,
            limiter=self._limiter,
            check=raise_for,
            retries=network.retries,
            patience=network.patience,
            connections=network.connections,
            spare=threading.Semaphore(network.connections),
        )

    @property
    def client(self) -> httpx2.Client:
        """The HTTP client."""
        # Threads of the TUI ask for it at the same time; two would be two connection pools, one never closed.
        with self._making:
            if self._made is None:
                from hubsync.hubs.http import make_client

                self._made = make_client(self._settings, transport=self._transport)
            return self._made

    def warm_up(self) -> None:
        """Begin to make the HTTP client, most of whose 80 ms go by beside whatever is loaded next."""
        threading.Thread(target=lambda: self.client, daemon=True).start()

    def adopt(self, settings: Settings) -> None:
        """Go on with other settings; what is under way keeps the client it has."""
        with self._making:
            self._settings = settings
            self._former += [self._made] if self._made else []
            self._made = None
            for name in ("civitai", "hugging_face", "transfer"):
                vars(self).pop(name, None)

    def forget(self) -> None:
        """Ask hosts that failed at once, whatever wait was left; see `Limiter.forget`."""
        self._limiter.forget()

    def close(self) -> None:
        """Close the HTTP clients that were made."""
        for client in (*self._former, self._made):
            if client is not None:
                client.close()

    @property
    def _http(self) -> Http:
        from hubsync.hubs.http import Http

        return Http(client=self.client, limiter=self._limiter, retries=self._settings.network.retries)
