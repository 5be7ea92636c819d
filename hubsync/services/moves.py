"""Tells which new files are vanished ones under another name, so that they keep all that is known of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path, PurePath

from hubsync.files.walking import Found
from hubsync.store.scanning import Row


def match(vanished: Iterable[Row], new: Iterable[Found], *, hashed: Callable[[Path], str]) -> dict[str, Found]:
    """The new file each vanished one became, by the vanished one's path.

    First what the file system says: one size and time, and the same inode, the same stem, or no other that could be
    meant. Then, of files of a known size and hash, the bytes: `hashed` gives a file's SHA-256.
    """
    rows, files = list(vanished), list(new)
    found: dict[str, Found] = {}
    for row_key, file_key in _WAYS:
        if rows and files:
            found |= _pairs(rows, files, row_key, file_key)
            arrived = {file.path for file in found.values()}
            rows = [row for row in rows if row.path not in found]
            files = [file for file in files if file.path not in arrived]
    sizes = {row.size for row in rows if row.sha256}
    alike = {file.path: hashed(Path(file.path)) for file in files if file.size in sizes}
    return found | _pairs(rows, files, lambda row: row.sha256, lambda file: alike.get(file.path))


def _pairs(
    rows: Iterable[Row],
    files: Iterable[Found],
    row_key: Callable[[Row], Hashable | None],
    file_key: Callable[[Found], Hashable | None],
) -> dict[str, Found]:
    """Rows and files that alone share a key."""
    by_key: dict[Hashable, tuple[list[Row], list[Found]]] = defaultdict(lambda: ([], []))
    for row in rows:
        by_key[row_key(row)][0].append(row)
    for file in files:
        by_key[file_key(file)][1].append(file)
    return {
        there[0].path: here[0]
        for key, (there, here) in by_key.items()
        if key is not None and len(there) == len(here) == 1
    }


_WAYS: tuple[tuple[Callable[[Row], Hashable], Callable[[Found], Hashable]], ...] = (
    (
        lambda row: (row.size, row.mtime_ns, row.inode),
        lambda file: (file.size, file.mtime_ns, file.inode),
    ),
    (
        lambda row: (row.size, row.mtime_ns, PurePath(row.path).stem),
        lambda file: (file.size, file.mtime_ns, PurePath(file.path).stem),
    ),
    (
        lambda row: (row.size, row.mtime_ns),
        lambda file: (file.size, file.mtime_ns),
    ),
)
