"""Every refusal the hubs are known to give: its error, its one sentence, its next step."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from hubsync import errors
from hubsync.hubs.failures import failure, raise_for

if TYPE_CHECKING:
    from tests.unit.hubs.conftest import Wire

PAGE = "https://civitai.com/models/1"
LOGIN = {"error": "Unauthorized", "message": "The creator of this asset requires you to be logged in to download it"}
DISABLED = {"error": "Unauthorized", "message": "The creator of this asset has disabled downloads on this file"}
EARLY = {"error": "Early Access", "deadline": "2026-10-11T14:30:00.000Z", "message": "This asset is in Early Access."}
REGION = {"error": "Access is not available in your region due to legal restrictions.", "code": "REGION_BLOCKED"}
QUOTA = {"error": "We've noticed an unusual amount of downloading from your account. Contact support or come back."}
HTML = "<!DOCTYPE html><title>Just a moment...</title>"


def _response(
    status: int,
    body: object = None,
    *,
    headers: Mapping[str, str] | None = None,
    url: str = "https://civitai.com/api/download/models/2",
    key: bool = False,
) -> httpx2.Response:
    sent = {"Authorization": "Bearer key"} if key else {}
    content = body if isinstance(body, str) else "" if body is None else json.dumps(body)
    kind = "text/html; charset=utf-8" if content.startswith("<!") else "application/json"
    return httpx2.Response(
        status,
        text=content,
        headers={"Content-Type": kind, **(headers or {})},
        request=httpx2.Request("GET", url, headers=sent),
    )


@pytest.mark.parametrize(
    ("status", "body", "error", "says", "hint"),
    [
        (451, REGION, errors.RegionBlocked, "in this country", "link or number"),
        (403, {"error": "Forbidden"}, errors.AccessDenied, "refuses this: Forbidden", PAGE),
        (429, QUOTA, errors.RateLimited, "has paused downloads", "hours"),
        (
            429,
            {"error": "You've requested too many pages, please use cursors instead"},
            errors.UsageError,
            "cursor",
            "",
        ),
        (429, None, errors.RateLimited, "fewer requests", "in a minute"),
        (400, {"error": "✖ Invalid input\n  → at id"}, errors.UnexpectedResponse, "Invalid input", PAGE),
        (400, {"error": {"name": "ZodError", "message": "[]"}}, errors.UnexpectedResponse, "ZodError", PAGE),
        (400, {"message": "Invalid cursor: expected 3 value(s)"}, errors.UsageError, "cursor", "without --cursor"),
        (404, {"error": "File not found"}, errors.NotFound, "File not found", "reference"),
        (404, {"error": "No model with id 5"}, errors.NotFound, "No model with id 5", "reference"),
        (410, {"error": "Model archived, not available for download"}, errors.Archived, "archived", PAGE),
        (401, DISABLED, errors.DownloadsDisabled, "no key changes that", PAGE),
        (401, LOGIN, errors.TokenRequired, "to be logged in", "hubsync config set civitai.api_key"),
        (401, {"error": "Unauthorized"}, errors.TokenRequired, "to be logged in", "civitai.com/user/account"),
        (403, EARLY, errors.EarlyAccess, "until 2026-10-11 14:30 UTC", PAGE),
        (403, {"error": "Early Access"}, errors.EarlyAccess, "in early access: only its buyers", PAGE),
        (403, {"error": "You do not have access to download this file"}, errors.AccessDenied, "your account", PAGE),
        (500, {"error": "An unexpected error occurred"}, errors.HubError, "HTTP 500", "later"),
        (503, {"error": "Model search is temporarily overloaded"}, errors.HubError, "HTTP 503", "later"),
        (499, None, errors.HubError, "HTTP 499", "later"),
        (520, HTML, errors.Unreachable, "is down (HTTP 520)", "later"),
        (524, None, errors.Unreachable, "is down (HTTP 524)", "later"),
        (403, HTML, errors.UnexpectedResponse, "web page instead of data", "check for browsers"),
        (403, "error code: 1010", errors.AccessDenied, "error code: 1010", PAGE),
        (200, HTML, errors.UnexpectedResponse, "web page instead of data", PAGE),
        (404, HTML, errors.NotFound, "nothing there", "reference"),
        (502, HTML, errors.HubError, "HTTP 502", "later"),
    ],
)
def test_civitai_refusals(status: int, body: object, error: type[errors.HubsyncError], says: str, hint: str) -> None:
    """Two 401s, two 403s and two 429s are told apart by their text; HTML is never an answer."""
    found = failure(_response(status, body), page=PAGE)
    assert type(found) is error
    assert says in found.message
    assert hint in found.hint
    assert "\n" not in found.message


@pytest.mark.parametrize(
    ("status", "headers", "error", "says", "hint"),
    [
        (401, {"X-Error-Code": "GatedRepo", "X-Error-Message": "restricted"}, errors.Gated, "gated", "hf auth login"),
        (404, {"X-Error-Code": "RepoNotFound"}, errors.NotFound, "no such repository, or it is private", "name"),
        (
            401,
            {"X-Error-Message": "Invalid username or password."},
            errors.NotFound,
            "no such repository, or it is private",
            "hf auth login",
        ),
        (404, {"X-Error-Code": "RevisionNotFound"}, errors.NotFound, "no such revision", PAGE),
        (404, {"X-Error-Code": "EntryNotFound"}, errors.NotFound, "no such file", PAGE),
        (403, {"X-Error-Message": "Access to this resource is disabled."}, errors.Archived, "disabled", PAGE),
        (
            401,
            {"X-Error-Message": "Invalid credentials in Authorization header"},
            errors.TokenInvalid,
            "does not accept",
            "huggingface.token",
        ),
        (429, {"RateLimit": '"api";r=0;t=55'}, errors.RateLimited, "fewer requests", "in 55 seconds"),
        (400, {"X-Error-Message": "Invalid expand"}, errors.UnexpectedResponse, "Invalid expand", PAGE),
    ],
)
def test_hugging_face_refusals(
    status: int, headers: dict[str, str], error: type[errors.HubsyncError], says: str, hint: str
) -> None:
    """Headers tell them apart, over plain http just as over https."""
    for scheme in ("https", "http"):
        answer = _response(status, headers=headers, url=f"{scheme}://huggingface.co/api/models/a/b")
        found = failure(answer, page=PAGE)
        assert type(found) is error
        assert says in found.message
        assert hint in found.hint


def test_a_key_that_was_sent_and_refused_is_invalid() -> None:
    """The same 401 means a missing key or a bad one, by what was sent."""
    assert type(failure(_response(401, {"error": "Unauthorized"}, key=True))) is errors.TokenInvalid
    assert type(failure(_response(401, {"error": "Unauthorized"}))) is errors.TokenRequired


def test_a_gated_repository_asks_a_logged_in_user_for_consent_alone() -> None:
    """Who has sent a token is not told to log in."""
    found = failure(_response(403, headers={"X-Error-Code": "GatedRepo"}, key=True), page=PAGE)
    assert isinstance(found, errors.Gated)
    assert found.hint == f"open {PAGE} and accept its conditions"


@pytest.mark.parametrize(
    ("path", "error"),
    [("/login?returnUrl=/x", errors.TokenRequired), ("/region-blocked", errors.RegionBlocked)],
)
def test_a_page_one_is_sent_to_says_why(path: str, error: type[errors.HubsyncError]) -> None:
    """A redirect to the login page ends in HTML with status 200, which is a refusal and no model."""
    assert type(failure(_response(200, HTML, url=f"https://civitai.com{path}"))) is error


def test_a_good_answer_is_no_failure() -> None:
    """JSON, bytes and partial content pass."""
    raise_for(_response(200, {"error": "only a word in a good answer"}))
    raise_for(httpx2.Response(206, content=b"\0", request=httpx2.Request("GET", PAGE)))


def test_raise_for_raises_what_failure_says() -> None:
    """The raising form is the same judgement."""
    with pytest.raises(errors.Archived, match="archived"):
        raise_for(_response(410, {"error": "Model archived, not available for download"}))


def test_a_streaming_refusal_is_read_no_further_than_needed() -> None:
    """Of an endless page only the beginning is read."""
    sent = 0

    def endless() -> object:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 16_384

    answer = httpx2.Response(403, content=endless(), request=httpx2.Request("GET", PAGE))  # type: ignore[arg-type]
    assert isinstance(failure(answer), errors.AccessDenied)
    assert sent < 10


@pytest.mark.parametrize("status", [100, 300, 304, 307, 399])
def test_what_is_no_answer_is_refused(status: int) -> None:
    """A redirect that leads nowhere, and whatever else is no success, is no data."""
    assert type(failure(_response(status, {"id": 1}))) is errors.UnexpectedResponse


@pytest.mark.parametrize(
    "headers", [{"Content-Type": "x; charset=hex"}, {"Content-Type": "x; charset=zlib"}, {"Content-Encoding": "gzip"}]
)
def test_a_body_nobody_can_read_leaves_the_status(headers: dict[str, str]) -> None:
    """Neither an encoding that Python fails on nor a broken compression hides the refusal."""
    stream, request = httpx2.ByteStream(b"Not found"), httpx2.Request("GET", PAGE)
    answer = httpx2.Response(404, headers=headers, stream=stream, request=request)
    assert type(failure(answer)) is errors.NotFound


def test_what_was_sent_is_not_repeated() -> None:
    """A server that quotes the key, or an address that is signed, is shown without them."""
    said = {"error": "no key key: https://b2.example.org/x?Signature=1 refuses 'Bearer key'", "message": "key"}
    found = failure(_response(403, said, key=True))
    assert found is not None
    assert found.message == "civitai.com refuses this: no … …: https://b2.example.org/x refuses 'Bearer …': …"


@pytest.mark.parametrize(
    "raised",
    [
        httpx2.InvalidURL("Invalid port in https://s.example.org/x?Signature=secret"),
        httpx2.UnsupportedProtocol("no ftp: ftp://x and https://h/?token=secret"),
        httpx2.RemoteProtocolError("Invalid URL in location header: 'https://s.example.org/x?X-Amz-Signature=secret'"),
        httpx2.ConnectError("nobody at https://s.example.org/x?Signature=secret"),
        httpx2.ReadTimeout("https://s.example.org/x?Signature=secret"),
        httpx2.TooManyRedirects("https://s.example.org/x?Signature=secret"),
    ],
)
@pytest.mark.parametrize("url", ["https://civitai.com/api/download/models/1?token=secret"])
def test_no_error_tells_what_signs_an_address(wire: Callable[..., Wire], raised: Exception, url: str) -> None:
    """Neither what is shown of it nor what a log would show; the host is told."""

    def fails(_: httpx2.Request) -> httpx2.Response:
        raise raised

    with pytest.raises(errors.HubError) as caught:
        wire(fails).http(retries=0).request("GET", url)
    error = caught.value
    for text in (error.message, error.hint, str(error), repr(error), repr(error.args)):
        assert "secret" not in text
    assert "civitai.com" in error.message


def test_control_characters_of_a_hub_reach_no_message() -> None:
    """What a hub says is printed without escape sequences, and not at any length."""
    found = failure(_response(404, {"error": "gone \x1b[2J\n" + "x" * 5000}))
    assert found is not None
    assert "\x1b" not in found.message
    assert len(found.message) < 400


def test_recorded_error_bodies(shared_data: Path) -> None:
    """The bodies Civitai really sent mean what they say."""
    folder = shared_data / "civitai" / "errors"
    login = (folder / "download_401_login_required.json").read_text()
    early = (folder / "download_403_early_access_2026-10.json").read_text()
    assert type(failure(_response(401, json.loads(login)))) is errors.TokenRequired
    found = failure(_response(403, json.loads(early)))
    assert type(found) is errors.EarlyAccess
    assert "until 2026-10-11 14:30 UTC" in found.message


def test_recorded_hub_refusals(shared_data: Path) -> None:
    """The answers the live Hub gave in October 2026: a gated repository and a missing one."""
    found = []
    for name in ("hub_2026-10-02_commits-gated.json", "hub_2026-10-02_model-not-found.json"):
        told = json.loads((shared_data / "huggingface" / name).read_text())
        answer = _response(told["status"], told["body"], headers=told["headers"], url="https://huggingface.co/api/x")
        found.append(type(failure(answer)))
    assert found == [errors.Gated, errors.NotFound]
