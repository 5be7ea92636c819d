"""What format a file is in, told from its name."""

from __future__ import annotations

from pathlib import PurePosixPath

from hubsync.domain import FileFormat

_FORMATS: dict[str, FileFormat] = {
    ".safetensors": "safetensors",
    **dict.fromkeys((".ckpt", ".pt", ".pth", ".bin", ".pkl", ".pickle"), "pickle"),
    **dict.fromkeys((".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".xz", ".bz2"), "archive"),
}


def format_of(name: str) -> FileFormat:
    """The format an extension stands for."""
    return _FORMATS.get(PurePosixPath(name).suffix.lower(), "other")
