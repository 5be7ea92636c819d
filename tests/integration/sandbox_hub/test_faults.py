"""Each fault that can be switched on, seen from the client's side."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from hubsync.sandbox.hub import Fault, FaultKind, SandboxHub, scenarios

DOWNLOAD = "/api/download/models/2001"
MODELS = "/api/v1/models"
HF = "/api/models"


SCENARIOS = {**scenarios.SURVIVABLE, **scenarios.HOPELESS}
# How the first download ends under each scenario: an error, or none where something else arrives instead. The two
# that strike after 8 MiB leave a small file alone, and three more are tested by themselves.
VICTIMS: dict[str, type[Exception] | None] = {
    **dict.fromkeys(SCENARIOS.keys() - {"drop_each", "fin_each", "api_500", "expired_range", "head_403"}),
    **dict.fromkeys(("drop_once", "etag_change", "expired", "norange_drop", "range_lies"), httpx2.ReadError),
    "reset_early": httpx2.ReadError,
    "stall_once": httpx2.ReadTimeout,
    "loris": httpx2.ReadTimeout,
    "wrong_cl_long": httpx2.RemoteProtocolError,
}


@pytest.fixture
def content(data: Path) -> bytes:
    """The bytes of the file that is downloaded here."""
    return (data / "loras" / "add_detail.safetensors").read_bytes()


@pytest.fixture
def location(civitai: httpx2.Client) -> str:
    """A signed address of that file."""
    return civitai.get(DOWNLOAD).headers["Location"]


def received(client: httpx2.Client, url: str, *, patience: float = 10) -> tuple[bytes, type[Exception] | None]:
    """What arrives of a body, and the error that ended it; `patience` is the longest wait for more, in seconds."""
    got = b""
    try:
        with client.stream("GET", url, timeout=patience) as answer:
            for chunk in answer.iter_raw():
                got += chunk
    except httpx2.TransportError as error:
        return got, type(error)
    return got, None


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.CUT, httpx2.RemoteProtocolError),
        (FaultKind.RESET, httpx2.ReadError),
        (FaultKind.STALL, httpx2.ReadTimeout),
    ],
)
def test_bodies_that_end_too_soon(
    hub: SandboxHub, civitai: httpx2.Client, location: str, content: bytes, kind: FaultKind, error: type[Exception]
) -> None:
    """A body stops at the share asked for, by FIN, by RST or in silence, once; the next one is whole."""
    hub.switch(Fault(kind=kind, at=0.25, times=1))
    got, ended = received(civitai, location, patience=0.3 if kind == FaultKind.STALL else 10)
    assert (ended, content.startswith(got), len(got) <= len(content) // 4) == (error, True, True)
    assert received(civitai, location) == (content, None)


def test_nothing_at_all(hub: SandboxHub, civitai: httpx2.Client, location: str) -> None:
    """At zero a reset comes before the status line, and a stall is a server that never answers."""
    hub.switch(Fault(kind=FaultKind.RESET, at=0, times=1), Fault(kind=FaultKind.STALL, at=0, path=MODELS))
    with pytest.raises(httpx2.TransportError):
        civitai.get(location)
    with pytest.raises(httpx2.ReadTimeout):
        civitai.get(MODELS, timeout=0.2)


def test_a_drip(hub: SandboxHub, civitai: httpx2.Client, location: str, content: bytes) -> None:
    """After its share of the body a dripping server sends one byte and then, a second later, another."""
    hub.switch(Fault(kind=FaultKind.DRIP, at=100))
    with civitai.stream("GET", location, timeout=5) as answer:
        sizes = list(itertools.islice((len(chunk) for chunk in answer.iter_raw()), 3))
    assert (sum(sizes[:-2]), sizes[-2:]) == (100, [1, 1])
    assert int(answer.headers["Content-Length"]) == len(content)


def test_slow_answers(hub: SandboxHub, civitai: httpx2.Client, location: str, content: bytes) -> None:
    """Latency delays an answer, a throttle keeps a connection to its rate."""
    rate = 100_000
    hub.switch(Fault(kind=FaultKind.LATENCY, seconds=0.1), Fault(kind=FaultKind.THROTTLE, rate=rate))
    started = time.perf_counter()
    assert civitai.get(location).content == content
    assert time.perf_counter() - started > 0.1 + len(content) / rate - 0.1


def test_bytes_that_are_wrong(hub: SandboxHub, civitai: httpx2.Client, location: str, content: bytes) -> None:
    """Corruption flips 16 bytes under the same ETag; a changed file has another ETag and other bytes throughout."""
    etag = civitai.get(location).headers["ETag"]
    hub.switch(Fault(kind=FaultKind.CORRUPT, times=1), Fault(kind=FaultKind.CHANGED, skip=1))
    corrupt, changed = civitai.get(location), civitai.get(location)
    assert sum(map(bytes.__ne__, (bytes([b]) for b in corrupt.content), (bytes([b]) for b in content))) == 16
    assert (corrupt.headers["ETag"], changed.headers["ETag"] == etag) == (etag, False)
    assert (len(changed.content), any(map(int.__eq__, changed.content, content))) == (len(content), False)


@pytest.mark.parametrize("at", [0.6, 1.1])
def test_lengths_that_are_wrong(
    hub: SandboxHub, civitai: httpx2.Client, location: str, content: bytes, at: float
) -> None:
    """Content-Length says less, and that is all there is, or more, and the file ends first."""
    hub.switch(Fault(kind=FaultKind.WRONG_LENGTH, at=at))
    got, ended = received(civitai, location)
    assert (got, ended is None) == (content[: int(at * len(content))], at < 1)


def test_bodies_without_a_length(hub: SandboxHub, civitai: httpx2.Client, location: str, content: bytes) -> None:
    """Without Content-Length only the bytes themselves can tell that a body is short."""
    hub.switch(Fault(kind=FaultKind.NO_LENGTH, times=1), Fault(kind=FaultKind.NO_LENGTH, at=0.6, skip=1))
    whole, short = civitai.get(location), civitai.get(location)
    assert ("Content-Length" in whole.headers, whole.content) == (False, content)
    assert ("Content-Length" in short.headers, short.content) == (False, content[: int(0.6 * len(content))])


def test_ranges_that_are_ignored_or_lie(hub: SandboxHub, civitai: httpx2.Client, location: str, content: bytes) -> None:
    """A range is answered with 200 and everything, or with a right Content-Range and the wrong bytes."""
    hub.switch(Fault(kind=FaultKind.NO_RANGE, times=1), Fault(kind=FaultKind.RANGE_LIES))
    ignored, lie = (civitai.get(location, headers={"Range": "bytes=50-59"}) for _ in range(2))
    assert (ignored.status_code, ignored.content, "Accept-Ranges" in ignored.headers) == (200, content, False)
    assert (lie.status_code, lie.content) == (206, content[:10])
    assert lie.headers["Content-Range"] == f"bytes 50-59/{len(content)}"


def test_addresses_that_end_early(hub: SandboxHub, civitai: httpx2.Client, location: str) -> None:
    """An address expires at once, after one more answer, or after one use; a fresh one is good again."""
    hub.switch(Fault(kind=FaultKind.EXPIRED, times=1))
    assert [civitai.get(location).status_code for _ in range(2)] == [403, 403]
    for kind in (FaultKind.REVOKE, FaultKind.ONE_USE):
        hub.switch(Fault(kind=kind))
        fresh = civitai.get(DOWNLOAD).headers["Location"]
        assert [civitai.get(fresh).status_code for _ in range(3)] == [200, 403, 403]


def test_names_that_are_hostile(hub: SandboxHub, civitai: httpx2.Client, location: str) -> None:
    """Content-Disposition can be anything, or absent."""
    hostile = "attachment; filename=\"../../.bashrc\"; filename*=UTF-8''..%2F..%2Fevil.sh"
    hub.switch(Fault(kind=FaultKind.DISPOSITION, text=hostile, times=1), Fault(kind=FaultKind.DISPOSITION, skip=1))
    named, nameless = civitai.get(location), civitai.get(location)
    assert named.headers["Content-Disposition"] == hostile
    assert "Content-Disposition" not in nameless.headers


def test_redirects(hub: SandboxHub, civitai: httpx2.Client, content: bytes) -> None:
    """A hop can be protocol-relative, lead to another host name of the site, or lead back to itself for ever."""
    other = hub.civitai_url.replace("127.0.0.1", "localhost")
    hub.switch(
        Fault(kind=FaultKind.REDIRECT, text="//{host}{path}", path=DOWNLOAD, times=1),
        Fault(kind=FaultKind.REDIRECT, text=other + "{path}", path=DOWNLOAD, skip=1, times=1),
    )
    assert civitai.get(DOWNLOAD, follow_redirects=True).content == content
    hub.switch(Fault(kind=FaultKind.REDIRECT, text="{path}", path=DOWNLOAD))
    with pytest.raises(httpx2.TooManyRedirects):
        civitai.get(DOWNLOAD, follow_redirects=True)


@pytest.mark.parametrize("path", [MODELS, HF])
def test_pages_that_are_odd(hub: SandboxHub, civitai: httpx2.Client, path: str) -> None:
    """A page can be empty and still go on, repeat the last row of the page before, or hold a broken row."""
    base = hub.huggingface_url if path == HF else hub.civitai_url
    plain = list(rows(civitai, base + path))
    hub.switch(Fault(kind=FaultKind.EMPTY_PAGE, times=1))
    assert list(rows(civitai, base + path)) == plain
    hub.switch(Fault(kind=FaultKind.DUPLICATE, skip=1, times=1))
    assert list(rows(civitai, base + path)) == [*plain[:3], plain[2], *plain[3:]]
    hub.switch(Fault(kind=FaultKind.MALFORMED, times=1))
    assert list(rows(civitai, base + path)) == [plain[0], None, *plain[1:]]


def rows(client: httpx2.Client, url: str) -> Iterator[int | str | None]:
    """The ids of a list, three rows a page, by following the hub's own links."""
    page = client.get(url, params={"limit": 3})
    while True:
        body = page.json()
        yield from (row.get("id") for row in (body["items"] if isinstance(body, dict) else body))
        link = body["metadata"].get("nextPage") if isinstance(body, dict) else page.links.get("next", {}).get("url")
        if not link:
            return
        page = client.get(link)


def test_json_that_is_compressed(hub: SandboxHub, civitai: httpx2.Client) -> None:
    """A gzip answer comes although the client asked for none."""
    hub.switch(Fault(kind=FaultKind.GZIP))
    answer = civitai.get(f"{MODELS}/1001", headers={"Accept-Encoding": "identity"})
    assert (answer.headers["Content-Encoding"], answer.json()["id"]) == ("gzip", 1001)


@pytest.mark.parametrize(
    ("fault", "status", "kind", "header"),
    [
        (scenarios.CLOUDFLARE, 403, "text/html", ("cf-mitigated", "challenge")),
        (scenarios.AGENT_REFUSED, 403, "text/plain", ("Server", "cloudflare")),
        (scenarios.ORIGIN_DOWN, 520, "text/html", ("Retry-After", None)),
        (scenarios.REGION_BLOCKED, 451, "application/json", ("Retry-After", None)),
        (scenarios.TOO_MANY, 429, "text/plain", ("Retry-After", None)),
        (scenarios.TOO_MANY_WAIT, 429, "application/json", ("Retry-After", "2")),
        (scenarios.OVERLOADED, 503, "application/json", ("Retry-After", "2")),
        (scenarios.LOGIN_PAGE, 200, "text/html", ("Retry-After", None)),
        (scenarios.NO_SUCH_KEY, 404, "application/xml", ("Retry-After", None)),
        (scenarios.ANONYMOUS_NOT_FOUND, 401, "application/json", ("X-Error-Message", scenarios.NOBODY)),
    ],
)
def test_other_answers(
    hub: SandboxHub,
    civitai: httpx2.Client,
    fault: Fault,
    status: int,
    kind: str,
    header: tuple[str, str | None],
) -> None:
    """The answers of edges and overloaded hubs stand in for the real one at the path asked for, as often as asked."""
    hub.switch(replace(fault, path=f"{MODELS}/*", times=1))
    answer = civitai.get(f"{MODELS}/1001")
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (status, kind)
    assert answer.headers.get(header[0]) == header[1]
    assert civitai.get(f"{MODELS}/1001").json()["id"] == 1001


@pytest.mark.parametrize("name", sorted(VICTIMS))
def test_scenarios_spoil_a_trusting_client(hub: SandboxHub, civitai: httpx2.Client, content: bytes, name: str) -> None:
    """Each scenario of the download matrix gives a client that trusts everything something other than the file."""
    hub.switch(*SCENARIOS[name])
    answer = civitai.get(DOWNLOAD)
    got, ended = answer.content, None
    if answer.is_redirect:
        patience = 0.3 if name in {"stall_once", "loris"} else 10
        got, ended = received(civitai, str(answer.url.join(answer.headers["Location"])), patience=patience)
    assert (got == content, ended) == (name == "wrong_cl_long", VICTIMS[name])


def test_scenarios_that_strike_later(hub: SandboxHub, civitai: httpx2.Client) -> None:
    """The API fails twice and then works, an address serves one range, storage refuses HEAD with 403."""
    hub.switch(*SCENARIOS["api_500"])
    assert [civitai.get(f"{MODELS}/1001").status_code for _ in range(3)] == [500, 500, 200]
    hub.switch(*SCENARIOS["expired_range"])
    location = civitai.get(DOWNLOAD).headers["Location"]
    assert [civitai.get(location, headers={"Range": "bytes=0-9"}).status_code for _ in range(2)] == [206, 403]
    hub.switch(*SCENARIOS["head_403"])
    assert civitai.head(civitai.get(DOWNLOAD).headers["Location"]).status_code == 403
