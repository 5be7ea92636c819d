"""The repositories as the routes look things up: by name and revision, with every file as a blob and a commit id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from hubsync.sandbox.hub.blobs import Blob
from hubsync.sandbox.hub.huggingface.cards import readme
from hubsync.sandbox.hub.huggingface.catalogue import REPOSITORIES, card, lora
from hubsync.sandbox.hub.huggingface.records import Repository
from hubsync.sandbox.hub.shelf import Shelf

# What the Hub stores outside git, by its default `.gitattributes`.
LARGE = (".safetensors", ".bin", ".pt", ".ckpt")
SOURCES = frozenset(entry.source for record in REPOSITORIES for entry in record.entries)
ATTRIBUTES = "".join(f"*{ending} filter=lfs diff=lfs merge=lfs -text\n" for ending in LARGE)


class Repo:
    """A repository with its files; `main` and the commit are its only revisions."""

    def __init__(self, record: Repository, shelf: Shelf) -> None:
        self.record = record
        self._shelf = shelf

    @cached_property
    def files(self) -> Mapping[str, Blob]:
        """Every file by its path, in order of path."""
        record = self.record
        found = {
            entry.path: self._shelf.blob(entry.source, entry.strength) if entry.source else text(entry.text)
            for entry in record.entries
        }
        found |= {".gitattributes": text(ATTRIBUTES), "README.md": text(readme(record.card, record.body))}
        return dict(sorted(found.items()))

    @cached_property
    def sha(self) -> str:
        """The commit: follows from the names and contents of all files, 40 hex digits."""
        told = "".join(f"{path}\0{blob.sha256}\n" for path, blob in self.files.items())
        return hashlib.sha1(told.encode(), usedforsecurity=False).hexdigest()

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder that holds a file."""
        parts = (path.split("/")[:-1] for path in self.files)
        return frozenset("/".join(part[: depth + 1]) for part in parts for depth in range(len(part)))

    def has_revision(self, revision: str) -> bool:
        """Whether that names a commit here."""
        return revision in {"main", "refs/heads/main", self.sha, self.sha[:7]}


def text(content: str) -> Blob:
    """A text file."""
    return Blob(content.encode)


def is_large(path: str) -> bool:
    """Whether the Hub keeps a file in its large-file storage."""
    return path.endswith(LARGE)


def repositories(shelf: Shelf, others: Iterable[str]) -> dict[str, Repo]:
    """The repositories that have files on the shelf, and a plain one for each of the `others`, files named nowhere."""
    plain = [
        Repository(
            id=f"sandbox/{Path(source).stem}", card=card(), entries=(lora(Path(source).name, Path(source).stem),)
        )
        for source in others
    ]
    found = {}
    for record in [*REPOSITORIES, *plain]:
        entries = tuple(entry for entry in record.entries if not entry.source or shelf.has(entry.source))
        if any(is_large(entry.path) for entry in entries):
            found[record.id] = Repo(replace(record, entries=entries), shelf)
    return found
