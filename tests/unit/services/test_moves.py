"""Telling moved files from new ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubsync.files.walking import Found
from hubsync.services.moves import match
from hubsync.store.scanning import Row


def _row(path: str, *, size: int = 1, mtime: int = 1, inode: int = 1, sha256: str | None = None) -> Row:
    return Row(path=path, size=size, mtime_ns=mtime, inode=inode, missing=False, sha256=sha256)


def _file(path: str, *, size: int = 1, mtime: int = 1, inode: int = 9) -> Found:
    return Found(path, size, mtime, inode)


def _never(path: Path) -> str:
    pytest.fail(f"{path} was hashed")


def test_one_inode_is_one_file() -> None:
    """A rename keeps the inode, also among files of one size and time."""
    rows = [_row("a", inode=1), _row("b", inode=2)]
    new = _file("/r/x", inode=2)
    assert match(rows, [new, _file("/r/y", inode=7)], hashed=_never) == {"b": new, "a": _file("/r/y", inode=7)}


def test_a_stem_decides_between_files_of_one_size_and_time() -> None:
    """Unpacked archives give many files of one size and second."""
    rows = [_row("old/a.safetensors"), _row("old/b.safetensors")]
    files = [_file("/r/new/b.safetensors"), _file("/r/new/a.safetensors")]
    found = match(rows, files, hashed=_never)
    assert {old: new.path for old, new in found.items()} == {
        "old/a.safetensors": "/r/new/a.safetensors",
        "old/b.safetensors": "/r/new/b.safetensors",
    }


def test_what_could_be_either_is_neither() -> None:
    """Without a name, an inode or a hash two files of one size and time are new files."""
    assert match([_row("a"), _row("b")], [_file("/r/x"), _file("/r/y")], hashed=_never) == {}


def test_bytes_decide_where_time_was_lost() -> None:
    """A copy has another time; its SHA-256 tells, and only files of that size are hashed."""
    rows = [_row("a", size=5, sha256="aa"), _row("b", size=6, sha256="bb")]
    copy, other = _file("/r/x", size=5, mtime=9), _file("/r/y", size=7, mtime=9)
    assert match(rows, [copy, other], hashed={Path("/r/x"): "aa"}.__getitem__) == {"a": copy}
