"""The HTTP client both hubs share, and how often a question is asked.

Every request of the program passes `retrying`: the place for one limiter per host.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from importlib import metadata
from typing import TYPE_CHECKING, Any, TypeVar

from hubsync.config import Settings
from hubsync.errors import HubError, HubsyncError, RateLimited, UnexpectedResponse, Unreachable
from hubsync.hubs.failures import asked_wait, failure, unreachable
from hubsync.hubs.guard import Guard, origin

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")
Sleep = Callable[[float], object]

LONGEST_WAIT = 60.0
"""Seconds hubsync waits because a hub says so; where more is asked, it gives up at once and says how long."""

_MOST_HOPS = 10


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
        follow_redirects=True,
        max_redirects=_MOST_HOPS,
        event_hooks={"request": [Guard(settings)]},
        transport=transport,
    )


class Transient(Exception):
    """A failure that may pass; `wait` is what the hub asks for, in seconds."""

    def __init__(self, error: HubsyncError, *, wait: float | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.wait = wait


def retrying(attempt: Callable[[], T], *, retries: int, sleep: Sleep = time.sleep) -> T:
    """Call `attempt` until it answers; it raises `Transient` for what may pass, whose error is raised in the end."""
    tried = 0
    while True:
        try:
            return attempt()
        except Transient as trouble:
            wait = 2.0**tried if trouble.wait is None else trouble.wait
            if tried >= retries or wait > LONGEST_WAIT:
                raise trouble.error from trouble.__cause__
        # Jitter keeps clients that failed together from coming back together.
        sleep(wait + random.random())  # noqa: S311 - guards nothing
        tried += 1


def request(
    client: httpx2.Client,
    method: str,
    url: str,
    *,
    retries: int,
    sleep: Sleep = time.sleep,
    page: str = "",
    **options: Any,  # noqa: ANN401 - passed to httpx2
) -> httpx2.Response:
    """A hub's good answer, asked for again where that may help.

    `page` is what a person would open instead; hints name it.

    Raises:
        HubsyncError: no connection, or a refusal; `hubsync.hubs.failures` tells which.
    """

    def attempt() -> httpx2.Response:
        response = _send(client, method, url, **options)
        if error := failure(response, page=page):
            raise passing(error, response)
        return response

    return retrying(attempt, retries=retries, sleep=sleep)


def passing(error: HubsyncError, response: httpx2.Response) -> HubsyncError | Transient:
    """The error of a refusal, made `Transient` if the same request may succeed a little later."""
    if isinstance(error, RateLimited) and error.retry_after is not None:
        return Transient(error, wait=error.retry_after)
    if isinstance(error, RateLimited | Unreachable) or type(error) is HubError:
        return Transient(error, wait=asked_wait(response.headers))
    return error


def _send(client: httpx2.Client, method: str, url: str, **options: Any) -> httpx2.Response:  # noqa: ANN401
    import httpx2

    try:
        return client.request(method, url, **options)
    except (httpx2.TooManyRedirects, httpx2.DecodingError, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
        raise UnexpectedResponse(f"{origin(url).host} answered with something unreadable: {error}") from error
    except httpx2.RequestError as error:
        raise Transient(unreachable(url, error)) from error


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
