"""Asking again: what is retried, how long is waited, and what comes of it."""

from __future__ import annotations

import email.utils
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx2
import pytest

from hubsync.errors import HubError, NotFound, RateLimited, UnexpectedResponse, Unreachable, UsageError
from hubsync.hubs.failures import asked_wait
from hubsync.hubs.http import Http, json_of, user_agent
from hubsync.limiter import Limiter

if TYPE_CHECKING:
    from tests.unit.hubs.conftest import Wire

URL = "https://civitai.com/api/v1/models"


def _sequence(*answers: httpx2.Response | Exception) -> Callable[[httpx2.Request], httpx2.Response]:
    """A handler that gives these answers in turn."""
    left = list(answers)

    def answer(_: httpx2.Request) -> httpx2.Response:
        following = left.pop(0)
        if isinstance(following, Exception):
            raise following
        return following

    return answer


def test_what_passes_is_waited_for(wire: Callable[..., Wire]) -> None:
    """Network errors and server errors are tried again after 1 and 2 seconds, each with up to a second of jitter."""
    flaky = wire(_sequence(httpx2.ConnectError("refused"), httpx2.Response(502), httpx2.Response(200, json=[1])))
    answer = flaky.http(retries=3).request("GET", URL)
    assert answer.json() == [1]
    first, second = flaky.waits
    assert 1 <= first <= 2
    assert 2 <= second <= 3


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_wait_the_hub_asks_for_is_kept(wire: Callable[..., Wire], form: str) -> None:
    """`Retry-After` is understood as seconds and as a date."""
    value = "7" if form == "seconds" else email.utils.formatdate(time.time() + 7, usegmt=True)
    busy = wire(_sequence(httpx2.Response(503, headers={"Retry-After": value}), httpx2.Response(200, json={})))
    busy.http(retries=1).request("GET", URL)
    assert 5 <= busy.waits[0] <= 8


def test_a_long_wait_is_not_slept(wire: Callable[..., Wire]) -> None:
    """Where the hub asks for minutes the user hears so at once."""
    busy = wire(_sequence(httpx2.Response(429, headers={"Retry-After": "295"})))
    with pytest.raises(RateLimited) as caught:
        busy.http(retries=5).request("GET", URL)
    assert (caught.value.retry_after, busy.waits) == (295, [])
    assert caught.value.hint == "try again in 295 seconds"


def test_the_impatient_hear_why_they_do_not_wait(wire: Callable[..., Wire]) -> None:
    """A search gives up where the next pause would be longer than it waits, with the hub's own reason."""
    down = wire(_sequence(*[httpx2.ConnectError("refused")] * 9))
    with pytest.raises(Unreachable, match="cannot be reached"):
        down.http(retries=8).request("GET", URL, patience=4)
    assert [round(wait) <= 4 for wait in down.waits] == [True, True]
    busy = wire(_sequence(httpx2.Response(429, headers={"Retry-After": "20"})))
    with pytest.raises(RateLimited) as caught:
        busy.http(retries=5).request("GET", URL, patience=4)
    assert (caught.value.hint, busy.waits) == ("try again in 20 seconds", [])


def test_the_impatient_do_not_ask_a_silent_hub_again(wire: Callable[..., Wire]) -> None:
    """A try that took longer than they wait for another one is the last."""
    now = [100.0]

    def hang(_: httpx2.Request) -> httpx2.Response:
        now[0] += 20
        raise httpx2.ReadTimeout("silence")

    silent = wire(hang)
    http = Http(client=silent.client(), limiter=Limiter(sleep=silent.waits.append, clock=lambda: now[0]), retries=3)
    with pytest.raises(Unreachable, match="did not answer in time"):
        http.request("GET", URL, patience=4)
    assert (len(silent.requests), silent.waits) == (1, [])


def test_the_last_failure_is_the_error(wire: Callable[..., Wire]) -> None:
    """When every try fails the last answer is what is told."""
    down = wire(_sequence(httpx2.ReadTimeout("silence"), httpx2.Response(503), httpx2.Response(429)))
    with pytest.raises(RateLimited):
        down.http(retries=2).request("GET", URL)
    assert len(down.waits) == 2


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, {"error": "No model with id 5"}, NotFound),
        (429, {"error": "You've requested too many pages, please use cursors instead"}, UsageError),
        (429, {"error": "We've noticed an unusual amount of downloading from your account. Contact us"}, RateLimited),
    ],
)
def test_what_does_not_pass_is_asked_once(
    wire: Callable[..., Wire], status: int, body: dict[str, str], error: type[Exception]
) -> None:
    """Refusals, and the two 429s that waiting does not cure, are not tried again."""
    refusing = wire(lambda _: httpx2.Response(status, json=body))
    with pytest.raises(error):
        refusing.http(retries=3).request("GET", URL)
    assert (len(refusing.requests), refusing.waits) == (1, [])


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (httpx2.ConnectError("[Errno -2] Name or service not known"), "civitai.com cannot be reached"),
        (httpx2.ReadTimeout("timed out"), "civitai.com did not answer in time"),
        (httpx2.ConnectTimeout(""), "civitai.com did not answer in time"),
        (httpx2.RemoteProtocolError("Server disconnected"), "civitai.com cannot be reached (Server disconnected)"),
    ],
)
def test_no_connection_names_the_host(wire: Callable[..., Wire], error: Exception, said: str) -> None:
    """A user reads which hub is out of reach, and why."""
    gone = wire(_sequence(error))
    with pytest.raises(Unreachable) as caught:
        gone.http(retries=0).request("GET", URL)
    assert caught.value.message.startswith(said)


def test_undecodable_answers_are_unexpected(wire: Callable[..., Wire]) -> None:
    """A body that is not what its encoding says is no answer."""
    broken = wire(lambda _: httpx2.Response(200, headers={"Content-Encoding": "gzip"}, content=b"no gzip"))
    with pytest.raises(UnexpectedResponse):
        broken.http(retries=3).request("GET", URL)


@pytest.mark.parametrize("content", [b"", b"<html>", b"{", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"])
def test_what_is_no_json_is_unexpected(content: bytes) -> None:
    """Cut, nested without end or absurd: one error."""
    answer = httpx2.Response(200, content=content, request=httpx2.Request("GET", URL))
    with pytest.raises(UnexpectedResponse, match=r"civitai\.com"):
        json_of(answer)


def test_numbers_json_does_not_have_are_nothing() -> None:
    """`NaN` and `Infinity`, which some servers write, become None."""
    answer = httpx2.Response(200, content=b"[NaN, -Infinity, 1]", request=httpx2.Request("GET", URL))
    assert json_of(answer) == [None, None, 1]


def test_half_a_surrogate_pair_is_no_character() -> None:
    """A cut emoji, which cannot be printed or sent, is replaced; a whole one stays."""
    answer = httpx2.Response(200, content=rb'["a\uD83D", "\ud83d\ude00"]', request=httpx2.Request("GET", URL))
    assert json_of(answer) == ["a?", "\U0001f600"]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "12"}, 12.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "9" * 400}, 86_400.0),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, 86_400.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:01:40 GMT"}, 90.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"RateLimit": '"api";r=0;t=55'}, 55.0),
        ({"RateLimit": '"api";r=499;t=295'}, None),
    ],
)
def test_every_way_to_ask_for_a_wait(headers: dict[str, str], seconds: float | None) -> None:
    """Both forms of `Retry-After`, and Hugging Face's own header when nothing is left."""
    assert asked_wait(httpx2.Headers(headers), now=lambda: 10.0) == seconds


def test_the_agent_is_no_browser(wire: Callable[..., Wire]) -> None:
    """The User-Agent is the program's own and holds no browser's name, which would turn errors into pages."""
    client = wire(json={}).client()
    agent = client.headers["User-Agent"]
    assert agent == user_agent()
    assert agent.startswith("hubsync")
    assert not any(word in agent.lower() for word in ("mozilla", "chrome", "safari", "firefox", "opera", "edge"))


def test_timeouts_are_those_of_the_settings(wire: Callable[..., Wire]) -> None:
    """Every phase of a request has the configured limit."""
    timeout = wire(json={}).client().timeout
    assert timeout.as_dict() == dict.fromkeys(("connect", "read", "write", "pool"), 20.0)


def test_server_errors_keep_their_status_in_the_message(wire: Callable[..., Wire]) -> None:
    """A failing hub is told apart from a refusing one."""
    with pytest.raises(HubError, match="HTTP 500"):
        wire(lambda _: httpx2.Response(500)).http(retries=0).request("GET", URL)


def test_the_hubs_load_nothing_before_they_are_asked() -> None:
    """Importing both hubs loads neither the HTTP stack nor the official client."""
    code = "import sys, hubsync.hubs.civitai, hubsync.hubs.huggingface, hubsync.hubs.http; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"httpx2", "huggingface_hub", "yaml"}.isdisjoint(loaded)
    assert "hubsync.hubs.civitai.hub" in loaded
