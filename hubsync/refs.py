"""REF: how a user names a thing on a hub, in every form the hubs' own pages and tools use.

Parsing a canonical text (`str(ref)`) gives the same reference back. Nothing here asks a hub.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias
from urllib.parse import parse_qs, quote, unquote, urlsplit

from hubsync.errors import BadReference


class Source(StrEnum):
    """The hubs."""

    CIVITAI = "civitai"
    HUGGINGFACE = "huggingface"


@dataclass(frozen=True, slots=True, kw_only=True)
class CivitaiRef:
    """A Civitai model, version or file. `guess` marks a bare number: a model, else a version of that number."""

    model: int | None = None
    version: int | None = None
    file: int | None = None
    guess: bool = False

    source = Source.CIVITAI

    def __str__(self) -> str:
        """`civitai:123@456#789`, each part where known."""
        model = "" if self.model is None else str(self.model)
        version = "" if self.version is None else f"@{self.version}"
        file = "" if self.file is None else f"#{self.file}"
        return f"civitai:{model}{version}{file}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HuggingFaceRef:
    """A Hugging Face model repository, optionally at a revision, optionally one file of it."""

    repo: str
    revision: str | None = None
    path: str | None = None

    source = Source.HUGGINGFACE

    def __str__(self) -> str:
        """`hf:owner/repo@revision/path`; a `/` inside the revision is written `%2F`."""
        revision = "" if self.revision is None else f"@{quote(self.revision, safe='')}"
        path = "" if self.path is None else f"/{quote(self.path, safe='/ ()[],!+=&~@')}"
        blanks = len(path) - len(path.rstrip(" "))
        return f"hf:{self.repo}{revision}{path.rstrip(' ')}{'%20' * blanks}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HashRef:
    """The Civitai version that holds a file with this hash; `value` in lower-case hex."""

    kind: str
    value: str

    source = Source.CIVITAI

    def __str__(self) -> str:
        """`sha256:…`, `autov2:…` or `autov3:…`."""
        return f"{self.kind}:{self.value}"


Ref: TypeAlias = CivitaiRef | HuggingFaceRef | HashRef

_MAX_ID = 2**31 - 1  # Civitai's ids are int4
# Of terminals (C0, C1), half surrogates, and what turns the direction of text: a name is what it looks like.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_HASH_LENGTHS = {"sha256": (64,), "autov2": (10,), "autov3": (12, 64)}
_HASH = re.compile(r"(sha256|autov2|autov3):([0-9a-f]+)", re.IGNORECASE)
_CIVITAI = re.compile(r"civitai:(\d+)?(?:@(\d+))?(?:#(\d+))?", re.IGNORECASE)
_AIR = re.compile(
    r"(?:urn:)?(?:air:)?[\w.-]+:[\w.-]+:civitai:(\d+)(?:@(\d+))?(?:\+(\d+))?(?::[\w.-]+)?(?:\.\w+)?",
    re.IGNORECASE,
)
_CIVITAI_HOST = re.compile(r"(?:[\w-]+\.)*civitai\.(?:com|red|green)", re.IGNORECASE)
_HF_HOST = re.compile(r"(?:www\.)?(?:huggingface\.co|hf\.co)", re.IGNORECASE)
_REPO_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_-])?"
_REPO = re.compile(rf"{_REPO_PART}/{_REPO_PART}")
_HF_PREFIX = re.compile(r"(?:hf://|hf:|huggingface:)(.*)", re.IGNORECASE | re.DOTALL)
_HF_PAGE_PARTS = ("blob", "resolve", "raw", "tree")
_HF_NOT_MODELS = frozenset({"datasets", "spaces", "docs", "papers", "collections", "blog", "learn", "settings", "api"})
_BARE_ADDRESS = re.compile(r"(?:www\.)?(?:civitai\.(?:com|red|green)|huggingface\.co|hf\.co)/", re.IGNORECASE)


def parse_ref(text: str) -> Ref:
    """Read any REF form of the command-line contract.

    Raises:
        BadReference: the text is none of them.
    """
    text = text.strip()
    _refuse_controls(text)
    if _BARE_ADDRESS.match(text):
        text = f"https://{text}"
    ref = _from_number(text) or _from_hash(text) or _from_url(text) or _from_civitai(text) or _from_hugging_face(text)
    if ref is None:
        raise BadReference(
            f"'{text}' is not a reference to a LoRA",
            hint="use civitai:123, civitai:123@456, hf:owner/repo, or paste a page's address",
        )
    return ref


def _refuse_controls(text: str) -> None:
    if _CONTROLS.search(text):
        raise BadReference("a reference cannot hold control characters")


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    number = int(text) if len(text) <= 10 else _MAX_ID + 1
    if not 0 < number <= _MAX_ID:
        raise BadReference(f"{text} is not a Civitai id (1 to {_MAX_ID})")
    return number


def _from_number(text: str) -> Ref | None:
    return CivitaiRef(model=_number(text), guess=True) if re.fullmatch(r"[0-9]+", text) else None


def _from_hash(text: str) -> Ref | None:
    match = _HASH.fullmatch(text)
    if match is None:
        return None
    kind, value = match[1].lower(), match[2].lower()
    if len(value) not in _HASH_LENGTHS[kind]:
        raise BadReference(f"{kind} has {_HASH_LENGTHS[kind][0]} hex digits, not {len(value)}")
    return HashRef(kind=kind, value=value)


def _from_civitai(text: str) -> Ref | None:
    match = _CIVITAI.fullmatch(text) or _AIR.fullmatch(text)
    if match is None or not (match[1] or match[2]):
        return None
    return CivitaiRef(model=_number(match[1]), version=_number(match[2]), file=_number(match[3]))


def _from_hugging_face(text: str) -> Ref | None:
    match = _HF_PREFIX.fullmatch(text)
    return _repository(match[1] if match else text)


def _repository(text: str) -> HuggingFaceRef | None:
    """`owner/repo[@revision][/path]`; also a site path with `/blob/REV/…`, `/resolve/REV/…`, `/tree/REV/…`."""
    match = re.match(rf"({_REPO_PART}/{_REPO_PART})(?:@([^/]+))?(?:/(.*))?$", text, re.DOTALL)
    if match is None or not valid_repo(match[1]):
        return None
    revision = unquote(match[2]) if match[2] else None
    path = unquote(match[3].strip("/")) if match[3] else None
    _refuse_controls(f"{revision}{path}")
    return HuggingFaceRef(repo=match[1], revision=revision or None, path=_safe_path(path))


def valid_repo(repo: str) -> bool:
    """Whether Hugging Face accepts this as `owner/name` (no `--`, `..`, `.git`; 96 characters a part)."""
    return bool(_REPO.fullmatch(repo)) and "--" not in repo and ".." not in repo and not repo.endswith(".git")


def _safe_path(path: str | None) -> str | None:
    if not path:
        return None
    if any(part in {"", ".", ".."} for part in path.split("/")) or "\\" in path:
        raise BadReference(f"'{path}' is not a path inside a repository")
    return path


def _from_url(text: str) -> Ref | None:
    if "://" not in text or text.lower().startswith("hf://"):
        return None
    try:
        url = urlsplit(text)
        host = url.hostname or ""
    except ValueError as error:
        raise BadReference(f"'{text}' is not an address") from error
    if _CIVITAI_HOST.fullmatch(host) or "/api/download/models/" in url.path:
        return _from_civitai_url(url.path, parse_qs(url.query))
    if _HF_HOST.fullmatch(host):
        return _from_hugging_face_url(url.path)
    raise BadReference(f"{host or text} is neither Civitai nor Hugging Face")


def _from_civitai_url(path: str, query: dict[str, list[str]]) -> Ref | None:
    """Page, version, API and download addresses; the number in a download address is a version."""
    file = next((_number(value) for value in query.get("fileId", []) if value.isdecimal()), None)
    version = next((_number(value) for value in query.get("modelVersionId", []) if value.isdecimal()), None)
    if match := re.search(r"/(?:api/download/models|model-versions)/([0-9]+)", path):
        return CivitaiRef(version=_number(match[1]), file=file)
    if match := re.search(r"/models/([0-9]+)", path):
        return CivitaiRef(model=_number(match[1]), version=version, file=file)
    return None


def _from_hugging_face_url(path: str) -> Ref | None:
    _refuse_controls(unquote(path))
    parts = path.strip("/").removeprefix("api/models/").split("/")
    ref = None if parts[0] in _HF_NOT_MODELS else _repository("/".join(parts[:2]))
    if ref is None or len(parts) < 4 or parts[2] not in _HF_PAGE_PARTS:
        return ref
    file = unquote("/".join(parts[4:])) if parts[2] != "tree" else ""
    return replace(ref, revision=unquote(parts[3]), path=_safe_path(file))
