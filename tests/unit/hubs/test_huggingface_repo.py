"""One Hugging Face repository, asked for through the official client over written and recorded answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from hubsync import errors
from hubsync.domain import Availability, LoraType
from hubsync.refs import CivitaiRef, HuggingFaceRef, parse_ref
from tests.unit.hubs.one_repository import DIGEST, SHA, Session, lfs, repository, shown, site

if TYPE_CHECKING:
    from tests.unit.hubs.conftest import Wire


def test_a_repository_is_read_at_its_commit(wire: Callable[..., Wire], session: Session) -> None:
    """Sizes and hashes are exact, references pinned, the card read whole."""
    card = "---\nbase_model: a/b\n---\n## Trigger words\nYou should use `rbt` to trigger.\nThe scale is `0.8`.\n"
    repo = repository("README.md", "rbt.safetensors", lastModified="2026-09-25T00:00:00.000Z", likes=3, gated=False)
    lora = shown(wire, session, site(repo, card))
    version = lora.versions[0]
    assert str(lora.ref) == f"hf:o/r@{SHA}"
    assert (lora.name, lora.creator, lora.type, lora.likes) == ("r", "o", LoraType.LORA, 3)
    assert (version.name, version.base_model, version.family) == (SHA[:7], "a/b", "other")
    assert (version.trigger_words, version.suggested_weight) == ((("rbt",),), 0.8)
    assert (version.requires_token, version.availability, version.downloadable) == (False, Availability.PUBLIC, True)
    (file,) = version.files
    assert (str(file.ref), file.size, file.exact_size, file.sha256, file.primary) == (
        f"hf:o/r@{SHA}/rbt.safetensors",
        1000,
        True,
        DIGEST,
        True,
    )


def test_what_is_asked_and_how(wire: Callable[..., Wire], session: Session) -> None:
    """Sizes and hashes with a timeout, at the revision named, under the program's own name, to one host only."""
    answers = site(repository("README.md", "a.safetensors"))
    asked = session(answers)
    wired = wire(answers)
    wired.hugging_face().lora(HuggingFaceRef(repo="o/r", revision="refs/pr/1"))
    (info,) = asked
    assert info.url.raw_path.decode() == "/api/models/o/r/revision/refs%2Fpr%2F1?blobs=true"
    assert info.extensions["timeout"]["read"] == 20.0
    assert info.headers["Authorization"] == "Bearer hf_token"
    assert info.headers["User-Agent"].startswith("hubsync")
    assert [str(request.url) for request in wired.requests] == [f"https://huggingface.co/o/r/resolve/{SHA}/README.md"]


def test_the_old_name_of_a_repository_leads_to_the_new_one(wire: Callable[..., Wire], session: Session) -> None:
    """References name what the Hub calls it now."""
    repo = repository("a.safetensors")

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/api/models/old/name":
            return httpx2.Response(307, headers={"Location": "/api/models/o/r?blobs=true"})
        return httpx2.Response(200, json=repo)

    assert str(shown(wire, session, answer, "hf:old/name").ref) == f"hf:o/r@{SHA}"


def test_the_file_a_reference_names_comes_first(wire: Callable[..., Wire], session: Session) -> None:
    """With its own base model where the repository has files for several."""
    bases = ["stable-diffusion-v1-5/stable-diffusion-v1-5", "stabilityai/stable-diffusion-xl-base-1.0"]
    repo = repository("sd15/a.safetensors", "sdxl/a b.safetensors", cardData={"base_model": bases})
    open_choice = shown(wire, session, site(repo)).versions[0]
    named = shown(wire, session, site(repo), "hf:o/r/sdxl/a%20b.safetensors").versions[0]
    assert ([file.primary for file in open_choice.files], open_choice.family) == ([False, False], None)
    assert (named.files[0].name, named.base_model, named.family) == ("sdxl/a b.safetensors", bases[1], "sdxl")
    with pytest.raises(errors.NotFound, match=r"nope\.safetensors"):
        shown(wire, session, site(repo), "hf:o/r/nope.safetensors")


def test_companions_are_listed_beside_the_lora(wire: Callable[..., Wire], session: Session) -> None:
    """The web UI's file is the LoRA, its embedding a companion, the diffusers twin a further LoRA."""
    card = (
        "on the web UI use `<lora:name:1>`\n`load_lora_weights('o/r', weight_name='pytorch_lora_weights.safetensors')`"
    )
    repo = repository(
        "README.md", "pytorch_lora_weights.safetensors", "name_emb.safetensors", "name.safetensors", "x.png"
    )
    files = shown(wire, session, site(repo, card)).versions[0].files
    assert [(file.name, file.kind, file.primary) for file in files] == [
        ("name.safetensors", "model", True),
        ("pytorch_lora_weights.safetensors", "model", False),
        ("name_emb.safetensors", "embedding", False),
    ]


def test_pictures_of_the_repository_are_the_last_resort(wire: Callable[..., Wire], session: Session) -> None:
    """Without a widget and without pictures in the text, those lying there; paths out of the repository are none."""
    repo = repository("a.safetensors", "b.webp", "c.mp4")
    lying = shown(wire, session, site(repo)).versions[0].previews
    assert [(shot.url.rpartition("/")[2], shot.kind) for shot in lying] == [("b.webp", "image"), ("c.mp4", "video")]
    card = "![a](../../etc/x.png) ![b](data:image.png) ![c](file:///x.png) ![d](images/s%20(1).png)"
    told = shown(wire, session, site(repository("README.md", "a.safetensors"), card)).versions[0].previews
    assert [shot.url for shot in told] == [f"https://huggingface.co/o/r/resolve/{SHA}/images/s%20%281%29.png"]


@pytest.mark.parametrize(
    ("state", "availability", "needs", "can"),
    [
        ({"gated": "auto"}, Availability.PUBLIC, True, True),
        ({"gated": "manual"}, Availability.PUBLIC, True, True),
        ({"private": True}, Availability.PRIVATE, True, True),
        ({"disabled": True}, Availability.TAKEN_DOWN, False, False),
    ],
)
def test_closed_repositories_say_so(
    wire: Callable[..., Wire],
    session: Session,
    state: dict[str, Any],
    availability: Availability,
    needs: bool,  # noqa: FBT001
    can: bool,  # noqa: FBT001
) -> None:
    """Their information is open while their card may not be: its front matter is still used."""
    repo = repository("README.md", "a.safetensors", cardData={"instance_prompt": "rbt"}, **state)
    version = shown(wire, session, site(repo, "no", status=403)).versions[0]
    assert (version.availability, version.requires_token, version.downloadable) == (availability, needs, can)
    assert version.trigger_words == (("rbt",),)


@pytest.mark.parametrize(
    ("base", "tags", "family"),
    [
        ("black-forest-labs/FLUX.1-dev", [], "flux1"),
        ("somebody/own-xl-checkpoint", ["stable-diffusion-xl"], "sdxl"),
        ("somebody/own-checkpoint", ["stable-diffusion"], "other"),
        (None, ["flux"], "flux1"),
        (None, [], None),
    ],
)
def test_families(
    wire: Callable[..., Wire], session: Session, base: str | None, tags: list[str], family: str | None
) -> None:
    """By the base model; of somebody's own checkpoint by the tags."""
    repo = repository("a.safetensors", cardData={"base_model": base} if base else {})
    repo["tags"] += tags
    assert shown(wire, session, site(repo)).versions[0].family == family


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (401, {"X-Error-Message": "Invalid username or password."}, errors.NotFound),
        (404, {"X-Error-Code": "RepoNotFound"}, errors.NotFound),
        (404, {"X-Error-Code": "RevisionNotFound"}, errors.NotFound),
        (401, {"X-Error-Code": "GatedRepo"}, errors.Gated),
        (403, {"X-Error-Message": "Access to this resource is disabled."}, errors.Archived),
        (401, {"X-Error-Message": "Invalid credentials in Authorization header"}, errors.TokenInvalid),
        (429, {"RateLimit": '"api";r=0;t=100'}, errors.RateLimited),
        (503, {}, errors.HubError),
        (200, {"Content-Type": "text/html"}, errors.UnexpectedResponse),
    ],
)
def test_refusals_of_the_official_client_keep_their_meaning(
    wire: Callable[..., Wire], session: Session, status: int, headers: dict[str, str], error: type[errors.HubsyncError]
) -> None:
    """Each of its exceptions becomes the error the same answer is anywhere."""
    with pytest.raises(errors.HubsyncError) as caught:
        shown(wire, session, lambda _: httpx2.Response(status, headers=headers, text="<html>"))
    assert type(caught.value) is error


def test_what_passes_is_asked_again(wire: Callable[..., Wire], session: Session) -> None:
    """The official client asks once; the settings' retries apply around it."""
    left = [httpx2.Response(503), httpx2.Response(500)]

    def answer(_: httpx2.Request) -> httpx2.Response:
        return left.pop(0) if left else httpx2.Response(200, json=repository("a.safetensors"))

    asked = session(answer)
    wired = wire(answer)
    assert wired.hugging_face().lora(parse_ref("hf:o/r")).name == "r"
    assert (len(asked), len(wired.waits)) == (3, 2)


@pytest.mark.parametrize("trouble", [httpx2.ConnectError("refused"), httpx2.ReadTimeout("silence")])
def test_no_connection_is_unreachable(wire: Callable[..., Wire], session: Session, trouble: Exception) -> None:
    """A dead or silent Hub is told apart from a refusing one, and named."""

    def answer(_: httpx2.Request) -> httpx2.Response:
        raise trouble

    with pytest.raises(errors.Unreachable, match=r"huggingface\.co"):
        shown(wire, session, answer)


def test_offline_mode_is_respected(
    wire: Callable[..., Wire], session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who switched the Hub off is told so, and nothing is sent."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(errors.Unreachable, match="HF_HUB_OFFLINE"):
        shown(wire, session, site(repository("a.safetensors")))


@pytest.mark.parametrize(
    "more",
    [
        {"cardData": {"self": 1, "ignore_metadata_errors": True, "instance_prompt": "rbt"}},
        {"lastModified": "yesterday", "cardData": {"instance_prompt": "rbt"}},
        {"siblings": [{"size": 5}, lfs("a.safetensors")], "cardData": {"instance_prompt": "rbt"}},
        {"siblings": [{"rfilename": "a.safetensors", "lfs": {}}], "cardData": {"instance_prompt": "rbt"}},
    ],
)
def test_answers_the_official_client_fails_on_are_read(
    wire: Callable[..., Wire], session: Session, more: dict[str, Any]
) -> None:
    """Its types are stricter than real answers; such a repository is still shown."""
    lora = shown(wire, session, site({**repository("a.safetensors"), **more}))
    assert (str(lora.ref), lora.trigger_words) == (f"hf:o/r@{SHA}", (("rbt",),))
    assert [file.name for file in lora.versions[0].files] == ["a.safetensors"]


@pytest.mark.parametrize("charset", ["hex", "zlib", "utf-16", "no-such"])
def test_a_card_is_utf_8_whatever_its_header_says(wire: Callable[..., Wire], session: Session, charset: str) -> None:
    """Python knows encodings that fail on text, or are none."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        found = site(repository("README.md", "a.safetensors"), "Trigger word: `rbt é`")(request)
        found.headers["Content-Type"] = f"text/plain; charset={charset}"
        return found

    assert shown(wire, session, answer).trigger_words == (("rbt é",),)


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"id": "o/r"', b"", b"\xff\xfe", b'{"sha": "' + b"f" * 40 + b'\\n"}']
)
def test_what_nobody_can_read_is_unexpected(wire: Callable[..., Wire], session: Session, body: bytes) -> None:
    """Broken JSON, also such that no parser gets to its end, is an error of the Hub."""
    session(lambda _: httpx2.Response(200, content=body))
    with pytest.raises(errors.UnexpectedResponse):
        wire(lambda _: httpx2.Response(200, content=body)).hugging_face().lora(parse_ref("hf:o/r"))


def test_a_hash_is_hex_or_none(wire: Callable[..., Wire], session: Session) -> None:
    """Sixty-four other characters are no hash, nor is a commit with a line end one."""
    files = [{**lfs("a.safetensors"), "lfs": {"sha256": "\x1b" * 64}}]
    lora = shown(wire, session, site({**repository(), "sha": f"{SHA}\n", "siblings": files}))
    assert (str(lora.ref), lora.versions[0].files[0].sha256) == ("hf:o/r", None)


def test_a_download_is_pinned_to_its_commit(wire: Callable[..., Wire], session: Session) -> None:
    """The address holds the commit and a quoted path; length and hash are exact."""
    hub = wire(site(repository("sub dir/a#1.safetensors"))).hugging_face()
    session(site(repository("sub dir/a#1.safetensors")))
    wanted = hub.download(hub.lora(parse_ref("hf:o/r")).versions[0].files[0])
    assert wanted.url == f"https://huggingface.co/o/r/resolve/{SHA}/sub%20dir/a%231.safetensors"
    assert (wanted.sha256, wanted.size) == (DIGEST, 1000)


@pytest.mark.parametrize("ref", [CivitaiRef(model=1), HuggingFaceRef(repo="o/r")])
def test_what_is_no_file_has_no_download(wire: Callable[..., Wire], session: Session, ref: Any) -> None:
    """A reference without a path, or of the other hub, leads nowhere."""
    from dataclasses import replace

    hub = wire(site(repository("a.safetensors"))).hugging_face()
    session(site(repository("a.safetensors")))
    file = hub.lora(parse_ref("hf:o/r")).versions[0].files[0]
    with pytest.raises(errors.NotFound):
        hub.download(replace(file, ref=ref))
