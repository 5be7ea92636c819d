"""Where tokens go: checked on every hop, redirects included."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx2
import pytest

from hubsync.config import Civitai, HuggingFace, Settings
from hubsync.errors import TokenInvalid, UnexpectedResponse
from hubsync.hubs.guard import origin
from hubsync.hubs.http import make_client

if TYPE_CHECKING:
    from tests.unit.hubs.conftest import Wire


def _settings(**more: str) -> Settings:
    return Settings(
        civitai=Civitai(url=more.get("civitai", "https://civitai.com"), api_key=more.get("key", "civitai-key")),
        huggingface=HuggingFace(endpoint=more.get("endpoint", "https://huggingface.co"), token="hf_token"),
    )


def _sent(settings: Settings, url: str, *hops: str, headers: dict[str, str] | None = None) -> list[str | None]:
    """The Authorization header at each hop of a request that is redirected along `hops`."""
    seen: list[str | None] = []

    def answer(hop: httpx2.Request) -> httpx2.Response:
        seen.append(hop.headers.get("Authorization"))
        return httpx2.Response(307, headers={"Location": hops[len(seen) - 1]}) if len(seen) <= len(hops) else OK

    with make_client(settings, transport=httpx2.MockTransport(answer)) as client:
        client.get(url, headers=headers)
    return seen


OK = httpx2.Response(200, json={})


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("https://civitai.com/api/v1/me", "Bearer civitai-key"),
        ("https://www.civitai.com/x", "Bearer civitai-key"),
        ("https://civitai.red/api/download/models/1", "Bearer civitai-key"),
        ("https://civitai.com:443/x", "Bearer civitai-key"),
        ("https://civitai.com:8443/x", None),
        ("https://b2.civitai.com/file/x", None),
        ("https://image.civitai.com/x", None),
        ("https://api.civitai.com/x", None),
        ("https://civitai.com.example.org/x", None),
        ("https://notcivitai.com/x", None),
        ("https://civitai-delivery.r2.cloudflarestorage.com/x?X-Amz-Signature=1", None),
        ("https://huggingface.co/api/models", "Bearer hf_token"),
        ("https://cdn.huggingface.co/x", None),
        ("https://us.aws.cdn.hf.co/x", None),
        ("https://hf.co/x", None),
    ],
)
def test_a_token_goes_to_its_own_hub_alone(url: str, token: str | None) -> None:
    """The exact origin decides; neither suffixes nor other ports of a hub's name are enough."""
    assert _sent(_settings(), url) == [token]


def test_a_token_is_taken_off_and_put_on_at_every_hop() -> None:
    """Site to sister site to storage and back: each hop carries what belongs there, and nothing else."""
    hops = ("https://civitai.red/b", "https://b2.civitai.com/c", "https://huggingface.co/d", "//civitai.com/e")
    sent = _sent(_settings(), "https://civitai.com/a", *hops)
    assert sent == ["Bearer civitai-key", "Bearer civitai-key", None, "Bearer hf_token", "Bearer civitai-key"]


def test_a_header_given_by_hand_does_not_travel() -> None:
    """An Authorization header a caller sets never reaches a host, whichever it is."""
    assert _sent(_settings(), "https://example.org/a", headers={"Authorization": "Bearer secret"}) == [None]


def test_userinfo_in_an_address_becomes_no_header() -> None:
    """A redirect to an address with a user name in it sends no login."""
    assert _sent(_settings(), "https://civitai.com/a", "https://user:pass@example.org/b")[1] is None


def test_a_netrc_adds_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Logins of the environment are not sent to storage, which would refuse them."""
    netrc = tmp_path_factory.mktemp("netrc") / "netrc"
    netrc.write_text("default login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert _sent(_settings(), "https://b2.civitai.com/x") == [None]


def test_another_site_of_ones_own_gets_the_key_and_the_public_ones_do_not() -> None:
    """With a Civitai elsewhere configured, its key stays there."""
    settings = _settings(civitai="https://civitai.example.org")
    assert _sent(settings, "https://civitai.example.org/x") == ["Bearer civitai-key"]
    assert _sent(settings, "https://civitai.com/x") == [None]


def test_no_key_means_no_header() -> None:
    """Without a key the request is anonymous."""
    assert _sent(_settings(key=""), "https://civitai.com/x") == [None]


@pytest.mark.parametrize("url", ["http://civitai.com/x", "http://127.0.0.1:8000/x", "ftp://civitai.com/x"])
def test_an_unencrypted_hop_is_refused(url: str) -> None:
    """A redirect out of https is not followed, not even to this machine."""
    with pytest.raises(UnexpectedResponse, match="without encryption"):
        _sent(_settings(), "https://civitai.com/a", url)


def test_this_machine_is_spoken_to_when_a_hub_is_there() -> None:
    """The sandbox on loopback works over plain http, and other hosts still do not."""
    settings = _settings(civitai="http://127.0.0.1:8000")
    assert _sent(settings, "http://127.0.0.1:8000/x", "http://127.0.0.1:8001/y") == ["Bearer civitai-key", None]
    with pytest.raises(UnexpectedResponse):
        _sent(settings, "http://example.org/x")


def test_more_than_ten_hops_are_an_unexpected_answer(wire: Callable[..., Wire]) -> None:
    """A redirect loop ends after ten hops."""
    loop = wire(lambda _: httpx2.Response(307, headers={"Location": "https://civitai.com/again"}))
    with pytest.raises(UnexpectedResponse):
        loop.http(retries=0).request("GET", "https://civitai.com/a")
    assert len(loop.requests) == 11


def test_a_port_that_cannot_be_is_an_unexpected_answer(wire: Callable[..., Wire]) -> None:
    """An address nobody has is refused before the operating system sees it, and gets no token."""
    away = wire(lambda _: httpx2.Response(307, headers={"Location": "https://civitai.com:99999/x"}))
    with pytest.raises(UnexpectedResponse, match="port"):
        away.http(retries=0).request("GET", "https://civitai.com/a")
    assert origin("https://civitai.com:99999/") != origin("https://civitai.com/")


@pytest.mark.parametrize("key", ["two words", "schlüssel", "new\nline"])
def test_a_key_that_cannot_be_sent_is_named(key: str) -> None:
    """A damaged key is an error of the key, not a failed request."""
    with pytest.raises(TokenInvalid):
        _sent(_settings(key=key), "https://civitai.com/x")


def test_the_stored_login_is_used_when_none_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a configured token the one `hf auth login` keeps is sent, unless that is switched off."""
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "hf_stored")
    settings = Settings(huggingface=HuggingFace())
    assert _sent(settings, "https://huggingface.co/x") == ["Bearer hf_stored"]
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    assert _sent(settings, "https://huggingface.co/x") == [None]


def test_origins_spell_their_port_out() -> None:
    """The default port equals none, case of the host does not matter."""
    assert origin("HTTPS://Civitai.com/x") == origin("https://civitai.com:443/y")
