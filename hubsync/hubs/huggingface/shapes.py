"""A repository as the Hugging Face Hub describes it, in a list row or alone; every field optional."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct, field

from hubsync.lenient import count, read, rows
from hubsync.refs import valid_repo

if TYPE_CHECKING:
    from huggingface_hub import ModelInfo


class Account(Struct, kw_only=True):
    """`/api/whoami-v2`."""

    name: str = ""


class Repo(Struct, rename="camel", kw_only=True):
    """One model repository. `gated` is false, `auto` or `manual`; `siblings` are its files."""

    id: str = ""
    author: str = ""
    sha: Annotated[str, Meta(pattern=r"^[0-9a-f]{40}\Z")] = ""
    created_at: str = ""
    last_modified: str = ""
    private: bool = False
    disabled: bool = False
    gated: bool | str = False
    downloads: float | None = None
    likes: float | None = None
    trending_score: float | None = None
    library_name: str = field(default="", name="library_name")
    pipeline_tag: str = field(default="", name="pipeline_tag")
    tags: list[object] = field(default_factory=list)
    card_data: object = None
    siblings: list[object] = field(default_factory=list)

    @property
    def is_named(self) -> bool:
        """Whether the name is one a repository can have."""
        return valid_repo(self.id)

    @property
    def words(self) -> frozenset[str]:
        """The tags, those that are text."""
        return frozenset(tag for tag in self.tags if isinstance(tag, str))

    @property
    def card(self) -> Mapping[str, object]:
        """The card's front matter."""
        return self.card_data if isinstance(self.card_data, dict) else {}

    @property
    def files(self) -> list[Sibling]:
        """The files whose path stays inside the repository."""
        return [file for file in rows(self.siblings, Sibling) if file.is_inside]


class Sibling(Struct, kw_only=True):
    """A file. Sizes and hashes come with `blobs` only; `lfs` is absent for small files."""

    rfilename: str = ""
    size: float | None = None
    lfs: object = None

    @property
    def is_inside(self) -> bool:
        """Whether the path can be one in a repository."""
        parts = self.rfilename.split("/")
        return self.rfilename.isprintable() and "\\" not in self.rfilename and not {"", ".", ".."} & set(parts)

    @property
    def bytes(self) -> int | None:
        """The exact length."""
        return count(self.size)

    @property
    def sha256(self) -> str | None:
        """The content's hash."""
        found = read(self.lfs, Lfs)
        return found.sha256 or None if found else None


class Lfs(Struct, kw_only=True):
    """What large-file storage says of a file."""

    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")] = ""


def from_info(info: ModelInfo) -> Repo:
    """The same from `huggingface_hub`'s object, whose dates are parsed and whose card is an object."""
    siblings = [
        {"rfilename": file.rfilename, "size": file.size, "lfs": {"sha256": file.lfs.sha256} if file.lfs else None}
        for file in info.siblings or ()
    ]
    raw = {
        "id": info.id,
        "author": info.author,
        "sha": info.sha,
        "createdAt": info.created_at.isoformat() if info.created_at else None,
        "lastModified": info.last_modified.isoformat() if info.last_modified else None,
        "private": info.private,
        "disabled": info.disabled,
        "gated": info.gated,
        "downloads": info.downloads,
        "likes": info.likes,
        "library_name": info.library_name,
        "pipeline_tag": info.pipeline_tag,
        "tags": info.tags,
        "cardData": dict(vars(info.card_data)) if info.card_data else None,
        "siblings": siblings,
    }
    return read(raw, Repo) or Repo()
