"""The HTTP client both hubs share, and how often a question is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, TypeVar

from hubsync.config import Settings
from hubsync.errors import HubError, UnexpectedResponse
from hubsync.hubs.failures import failure, said, unreachable
from hubsync.hubs.guard import Guard, origin
from hubsync.limiter import LONGEST_WAIT, Limiter, host_of

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")
_MOST_HOPS = 10
_KEPT_CONNECTIONS = 32  # idle ones; how many work at once is decided where they are opened


def user_agent() -> str:
    """`hubsync/1.2.3`: Civitai sends pages instead of data to anything with a browser's name in it."""
    try:
        return f"hubsync/{metadata.version('hubsync')}"
    except metadata.PackageNotFoundError:
        return "hubsync"


def make_client(settings: Settings, *, transport: httpx2.BaseTransport | None = None) -> httpx2.Client:
    """A client that follows redirects and lets `Guard` decide at every hop what may be sent there.

    The environment's proxies and certificates are used; a `.netrc` is not: httpx2 reads one only when told to.
    """
    import httpx2

    return httpx2.Client(
        headers={"User-Agent": user_agent()},
        timeout=httpx2.Timeout(settings.network.timeout),
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=_KEPT_CONNECTIONS),
        follow_redirects=True,
        max_redirects=_MOST_HOPS,
        event_hooks={"request": [Guard(settings)]},
        transport=transport,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """How hubs are asked: one client and one limiter for the whole process, `retries` further tries."""

    client: httpx2.Client
    limiter: Limiter
    retries: int

    def request(
        self,
        method: str,
        url: str,
        *,
        page: str = "",
        retries: int | None = None,
        patience: float | None = None,
        **options: Any,  # noqa: ANN401 - passed to httpx2
    ) -> httpx2.Response:
        """A hub's good answer, asked for again where that may help.

        `page` is what a person would open instead; hints name it. `patience` as in `retrying`.

        Raises:
            HubsyncError: no connection, or a refusal; `hubsync.hubs.failures` tells which.
        """

        def attempt() -> httpx2.Response:
            response = _send(self.client, method, url, **options)
            if error := failure(response, page=page):
                raise error
            return response

        return self.retrying(attempt, url, retries=retries, patience=patience)

    def retrying(
        self, attempt: Callable[[], T], url: str, *, retries: int | None = None, patience: float | None = None
    ) -> T:
        """Call `attempt`, which asks `url`, until it answers or fails in a way that does not pass.

        No wait for another try is longer than `patience` seconds, and none follows a try that took longer: it fails
        instead.
        """
        host, left = host_of(url), self.retries if retries is None else retries
        while True:
            with self.limiter.turn(host, patience=patience) as began:
                try:
                    answer = attempt()
                except HubError as trouble:
                    if not trouble.passes or not left or (trouble.retry_after or 0) > LONGEST_WAIT:
                        raise
                    self.limiter.busy(host, began=began, asked=trouble.retry_after)
                    waited = max(self.limiter.now() - began, self.limiter.delay(host))
                    if patience is not None and waited > patience:
                        raise
                    left -= 1
                    continue
            self.limiter.well(host, began=began)
            return answer


def _send(client: httpx2.Client, method: str, url: str, **options: Any) -> httpx2.Response:  # noqa: ANN401
    import httpx2

    try:
        return client.request(method, url, **options)
    except (httpx2.TooManyRedirects, httpx2.DecodingError, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
        raise UnexpectedResponse(f"{origin(url).host} answered with something unreadable: {said(error)}") from error
    except httpx2.RequestError as error:
        raise unreachable(url, error) from error


def json_of(response: httpx2.Response) -> Any:  # noqa: ANN401 - whatever JSON holds
    """The answer's JSON; numbers JSON does not have become None, halves of a surrogate pair a question mark.

    Raises:
        UnexpectedResponse: it holds none.
    """
    try:
        value = json.loads(response.content, parse_constant=lambda _: None)
        if rb"\ud" in response.content.lower():
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
        return value
    except (ValueError, RecursionError) as error:
        host = origin(str(response.url)).host
        raise UnexpectedResponse(f"{host} answered with something that is not JSON", hint="try again later") from error
