"""What the disk refuses, in words a user understands."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hubsync.errors import NoPermission, NoSpace, NotFound, NotSafetensors


@contextmanager
def opened(path: str | Path) -> Iterator[int]:
    """A file descriptor to read a model file with; what goes wrong meanwhile becomes an error of ours.

    Raises:
        NotFound, NoPermission: it is not there, or cannot be read.
        NotSafetensors: it is a folder.
    """
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            yield file
        finally:
            os.close(file)
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {path}") from error
    except IsADirectoryError as error:
        raise NotSafetensors(f"{path} is a folder") from error
    except OSError as error:
        raise NoPermission(f"{path} cannot be read: {error.strerror}", hint="check its permissions") from error


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Whatever fails while something is written into `folder`.

    Raises:
        NoSpace: the disk is full, or the quota used up.
        NoPermission: the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoSpace(f"no space left for {folder}", hint="free some space and run it again: it goes on") from error
        if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            raise NoPermission(f"{folder} cannot be written", hint=f"check the permissions of {folder}") from error
        raise
