"""References: every form of the contract, and back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubsync.errors import BadReference
from hubsync.refs import CivitaiRef, HashRef, HuggingFaceRef, Ref, parse_ref

IDS = st.integers(min_value=1, max_value=2**31 - 1)
SHA = "ab" * 32
COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAME = st.from_regex(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,20}[A-Za-z0-9_])?", fullmatch=True).filter(
    lambda name: "--" not in name and ".." not in name and not name.endswith(".git")
)
REPOS = st.tuples(NAME, NAME).map("/".join)
# Anything a file or a revision can be called, save control characters and what leaves the repository.
PARTS = st.text(
    st.characters(blacklist_categories=["Cc", "Cs"], blacklist_characters="/\\"), min_size=1, max_size=20
).filter(lambda part: part not in {".", ".."})
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)


@st.composite
def civitai_refs(draw: st.DrawFn) -> CivitaiRef:
    """A model, a version or both, with or without a file."""
    model, version = draw(st.one_of(st.tuples(IDS, st.none()), st.tuples(st.none(), IDS), st.tuples(IDS, IDS)))
    return CivitaiRef(model=model, version=version, file=draw(st.none() | IDS))


HUGGING_FACE_REFS = st.builds(HuggingFaceRef, repo=REPOS, revision=st.none() | PATHS, path=st.none() | PATHS)
HASH_REFS = st.one_of(
    *(
        st.builds(HashRef, kind=st.just(kind), value=st.text("0123456789abcdef", min_size=size, max_size=size))
        for kind, size in (("sha256", 64), ("autov2", 10), ("autov3", 12), ("autov3", 64))
    )
)


@given(civitai_refs() | HUGGING_FACE_REFS | HASH_REFS)
def test_a_printed_reference_reads_back_as_itself(ref: Ref) -> None:
    """Whatever a reference holds, its canonical text leads to the same reference, and that prints the same text."""
    assert parse_ref(str(ref)) == ref
    assert str(parse_ref(str(ref))) == str(ref)


@given(HUGGING_FACE_REFS)
def test_a_printed_reference_is_one_line_without_blanks_at_its_ends(ref: Ref) -> None:
    """A canonical text survives a file of references, one a line, stripped."""
    text = str(ref)
    assert text == text.strip()
    assert text.splitlines() == [text]


@given(st.text(max_size=60))
def test_any_text_is_a_reference_or_a_bad_reference(text: str) -> None:
    """No text makes the parser fail in another way, and what it takes is canonical from then on."""
    try:
        ref = parse_ref(text)
    except BadReference:
        return
    bare = CivitaiRef(model=ref.model, version=ref.version, file=ref.file) if isinstance(ref, CivitaiRef) else ref
    assert parse_ref(str(ref)) == bare


@given(REPOS)
def test_repository_names_are_those_of_the_official_client(repo: str) -> None:
    """What is taken as a repository here is a repository for `huggingface_hub` too."""
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    validate_repo_id(repo)
    assert parse_ref(repo) == HuggingFaceRef(repo=repo)


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("123", CivitaiRef(model=123, guess=True)),
        ("  123\n", CivitaiRef(model=123, guess=True)),
        ("civitai:123", CivitaiRef(model=123)),
        ("civitai:123@456", CivitaiRef(model=123, version=456)),
        ("CIVITAI:@456", CivitaiRef(version=456)),
        ("civitai:123@456#789", CivitaiRef(model=123, version=456, file=789)),
        ("civitai:123#789", CivitaiRef(model=123, file=789)),
        ("civitai:@456#789", CivitaiRef(version=456, file=789)),
        ("urn:air:sdxl:lora:civitai:328553@368189", CivitaiRef(model=328553, version=368189)),
        ("air:sd1:lycoris:civitai:12@34+56.safetensor", CivitaiRef(model=12, version=34, file=56)),
        ("flux1:lora:civitai:1231067@1387174", CivitaiRef(model=1231067, version=1387174)),
        ("urn:air:sd1:model:civitai:12@34:layer", CivitaiRef(model=12, version=34)),
        ("https://civitai.com/models/123", CivitaiRef(model=123)),
        ("https://civitai.com/models/123/", CivitaiRef(model=123)),
        ("https://www.civitai.com/de/models/123/some-slug", CivitaiRef(model=123)),
        ("https://civitai.red/models/123/x?utm=1&modelVersionId=456#top", CivitaiRef(model=123, version=456)),
        ("https://civitai.green/models/123?modelVersionId=456", CivitaiRef(model=123, version=456)),
        ("civitai.com/models/123?modelVersionId=456", CivitaiRef(model=123, version=456)),
        ("https://civitai.com/model-versions/456", CivitaiRef(version=456)),
        ("https://civitai.com/api/v1/model-versions/456", CivitaiRef(version=456)),
        ("https://civitai.com/api/v1/models/123", CivitaiRef(model=123)),
        ("https://civitai.com/api/download/models/456", CivitaiRef(version=456)),
        ("https://civitai.red/api/download/models/456?type=Model&fileId=789", CivitaiRef(version=456, file=789)),
        ("hf:owner/repo", HuggingFaceRef(repo="owner/repo")),
        ("owner/repo", HuggingFaceRef(repo="owner/repo")),
        ("hf://owner/repo", HuggingFaceRef(repo="owner/repo")),
        ("huggingface:owner/repo", HuggingFaceRef(repo="owner/repo")),
        (
            f"hf:owner/repo@{COMMIT}/a/b.safetensors",
            HuggingFaceRef(repo="owner/repo", revision=COMMIT, path="a/b.safetensors"),
        ),
        ("hf:owner/repo@refs%2Fpr%2F1", HuggingFaceRef(repo="owner/repo", revision="refs/pr/1")),
        ("owner/repo/x.safetensors", HuggingFaceRef(repo="owner/repo", path="x.safetensors")),
        ("https://huggingface.co/owner/repo", HuggingFaceRef(repo="owner/repo")),
        ("https://hf.co/owner/repo/", HuggingFaceRef(repo="owner/repo")),
        ("huggingface.co/owner/repo", HuggingFaceRef(repo="owner/repo")),
        ("https://huggingface.co/owner/repo/tree/main/folder", HuggingFaceRef(repo="owner/repo", revision="main")),
        (
            "https://huggingface.co/owner/repo/blob/main/a%20b.safetensors",
            HuggingFaceRef(repo="owner/repo", revision="main", path="a b.safetensors"),
        ),
        (
            "https://huggingface.co/owner/repo/resolve/refs%2Fpr%2F1/x.safetensors?download=true",
            HuggingFaceRef(repo="owner/repo", revision="refs/pr/1", path="x.safetensors"),
        ),
        ("https://huggingface.co/api/models/owner/repo", HuggingFaceRef(repo="owner/repo")),
        (f"sha256:{SHA.upper()}", HashRef(kind="sha256", value=SHA)),
        ("AutoV2:9753338AB6", HashRef(kind="autov2", value="9753338ab6")),
        ("autov3:34A22376739D", HashRef(kind="autov3", value="34a22376739d")),
    ],
)
def test_every_form_of_the_contract(text: str, ref: Ref) -> None:
    """Each form the command line promises leads to the right thing, on any of the hubs' hosts."""
    assert parse_ref(text) == ref


@pytest.mark.parametrize(
    "text",
    [
        "",
        "civitai:",
        "civitai:#5",
        "0",
        "99999999999999999999",
        "civitai:2147483648",
        "just-a-name",
        "a/b--c",
        "a/b..c",
        "hf:owner",
        "hf:owner/repo/../../etc/passwd",
        "hf:owner/repo/a%2F..%2Fb",
        "hf:owner/repo@main/a%0Ab",
        "hf:owner/repo/a\\b",
        "sha256:abc",
        "autov2:9753338ab6ff",
        "urn:air:sdxl:lora:huggingface:owner/repo",
        "https://huggingface.co/datasets/owner/set",
        "https://huggingface.co/spaces/owner/demo",
        "https://huggingface.co/docs/diffusers",
        "https://example.com/models/123",
        "https://civitai.com.example.com/models/123",
        "https://civitai.com/user/somebody",
        "https://[broken/models/1",
        "ftp:/x",
        "civitai:1\x1b[2J",
        "https://huggingface.co/owner/repo/blob/main%0A/x",
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    """Anything else is a bad reference, with a message that names it."""
    with pytest.raises(BadReference) as caught:
        parse_ref(text)
    assert re.search(r"\S", caught.value.message)
