"""Where a token may go: to the hub it belongs to, at every hop, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from hubsync.config import Settings, is_loopback
from hubsync.errors import TokenInvalid, UnexpectedResponse

if TYPE_CHECKING:
    import httpx2

_PORTS = {"http": 80, "https": 443}
_NO_PORT = -1
_CIVITAI_SITES = frozenset(f"{www}civitai.{top}" for www in ("", "www.") for top in ("com", "red"))


class Origin(NamedTuple):
    """What must be equal for a token to be sent."""

    scheme: str
    host: str
    port: int | None


def origin(url: str) -> Origin:
    """The origin of an address, its port spelled out; one beyond 65535 equals no other."""
    parts = urlsplit(url)
    try:
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        port = _NO_PORT
    return Origin(parts.scheme, (parts.hostname or "").lower(), port)


@dataclass(frozen=True)
class Guard:
    """A request hook of httpx2, which calls it before each hop, redirects included.

    Plain http is spoken to this machine only, and only when a hub is configured to be here.
    """

    settings: Settings

    def __call__(self, request: httpx2.Request) -> None:
        """Take any token off the request, then put on the one that belongs there.

        Raises:
            UnexpectedResponse: the hop is not encrypted, or leads to a port that cannot be.
            TokenInvalid: the stored token cannot be sent.
        """
        target = origin(str(request.url))
        request.headers.pop("Authorization", None)
        if target.scheme != "https" and not (target.scheme == "http" and self._local(target.host)):
            raise UnexpectedResponse(f"the hub sent us to {target.host or 'an address'} without encryption")
        if target.port == _NO_PORT:
            raise UnexpectedResponse(f"the hub sent us to {target.host}, at a port that cannot be")
        if token := self._token(target):
            request.headers["Authorization"] = f"Bearer {sendable(token)}"

    def holds_token(self, url: str) -> bool:
        """Whether a request to this address would carry a token."""
        return bool(self._token(origin(url)))

    def _local(self, host: str) -> bool:
        hubs = self.settings.civitai.url, self.settings.huggingface.endpoint
        return is_loopback(host) and any(is_loopback(origin(hub).host) for hub in hubs)

    def _token(self, target: Origin) -> str:
        if target in self._civitai:
            return self.settings.civitai.api_key
        return self._hugging_face_token if target == origin(self.settings.huggingface.endpoint) else ""

    @cached_property
    def _civitai(self) -> frozenset[Origin]:
        """The configured site; the public ones share accounts and redirect to each other."""
        own = origin(self.settings.civitai.url)
        twins = _CIVITAI_SITES if own.host in _CIVITAI_SITES else ()
        return frozenset({own, *(Origin("https", host, 443) for host in twins)})

    @cached_property
    def _hugging_face_token(self) -> str:
        """The configured token, else what `hf auth login` stored."""
        if self.settings.huggingface.token:
            return self.settings.huggingface.token
        from huggingface_hub import constants, get_token

        return "" if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token() or ""


def sendable(token: str) -> str:
    """A token as it is.

    Raises:
        TokenInvalid: no header can hold it, and whoever tries tells it in an error.
    """
    if token.isascii() and token.isprintable() and " " not in token:
        return token
    raise TokenInvalid("the stored key holds characters that no key has", hint="copy it again from your account page")
