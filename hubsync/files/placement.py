"""Names and places: what a LoRA is called on disk, so that every tool and file system can live with it.

Rules of reference: a stem is used inside `<lora:stem:1>`, so `:`, `=`, `>`, `#` and `,` break it; Windows forbids more;
stems are unique case-folded over the whole library, because tools look LoRAs up by stem alone.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Collection, Iterator
from pathlib import Path

from hubsync.domain import FileFormat
from hubsync.errors import UnsafeName

SUFFIX = ".safetensors"
PICKLE_ENDINGS = frozenset({"ckpt", "pt", "pth", "bin", "pkl"})
"""Extensions of what runs code when it is loaded, in lower case and without the dot."""

MODEL_ENDINGS = PICKLE_ENDINGS | {"safetensors", "sft"}
"""Extensions that AUTOMATIC1111 or ComfyUI list as LoRAs."""

_UNSAFE = re.compile(r"[^\w .-]+")  # the widest set every peer's tag pattern reads
_MAX_STEM_BYTES = 120  # leaves room for `.preview.png` in 255 bytes and for Windows' 260-character paths
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_ENDING = re.compile(r"\.(?:safetensors|sft|ckpt|pt|pth|bin|pkl|pickle|zip|rar|7z|tar|gz|tgz|xz|bz2)$", re.IGNORECASE)
_GENERIC = re.compile(
    r"(?:pytorch_)?lora(?:_weights)?|adapter_model|model|diffusion_pytorch_model|weights|output|last", re.IGNORECASE
)


def safe_stem(text: str) -> str:
    """A stem made of `text`: NFC, only letters, digits, `_`, space, `.` and `-`, at most 120 bytes.

    Raises:
        UnsafeName: nothing usable is left.
    """
    stem = _UNSAFE.sub("_", unicodedata.normalize("NFC", text))
    stem = re.sub(r"_{2,}", "_", stem).strip(" ._-")
    while len(stem.encode()) > _MAX_STEM_BYTES:
        stem = stem[:-1].rstrip(" ._-")
    if not stem:
        raise UnsafeName(f"'{text}' leaves no usable file name", hint="choose one with --name")
    return f"{stem}_" if _RESERVED.fullmatch(stem) else stem


def stem_of(file_name: str) -> str:
    """The file name without folder and extension; inner dots stay (8 % of real names have them)."""
    base = re.split(r"[/\\]", file_name)[-1]
    return _ENDING.sub("", base)


def ending_of(file_name: str, format: FileFormat) -> str:  # noqa: A002
    """The extension a file gets here; a hub's word on the format outranks what its name says."""
    found = _ENDING.search(file_name)
    return SUFFIX if format == "safetensors" or found is None else found[0].lower()


def stems_in(folder: Path) -> Iterator[str]:
    """Stems of the model files in a folder."""
    names = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
    return (stem_of(name) for name in names if _ENDING.search(name) and not name.startswith("."))


def is_generic(stem: str) -> bool:
    """Whether a stem says nothing about the LoRA (`pytorch_lora_weights`), so that its title serves better."""
    return _GENERIC.fullmatch(stem) is not None


def unique_stem(stem: str, *, taken: Collection[str], suffixes: Collection[str] = ()) -> str:
    """`stem`, or with the first free of `suffixes` or a number. `taken` holds case-folded stems."""
    numbered = (str(number) for number in range(2, len(taken) + 3))
    candidates = (stem, *(safe_stem(f"{stem}-{suffix}") for suffix in suffixes if suffix))
    free = (name for name in candidates if name.casefold() not in taken)
    return next(free, None) or next(name for number in numbered if (name := f"{stem}-{number}").casefold() not in taken)


def inside(folder: Path, name: str) -> Path:
    """`folder/name`, which must stay inside `folder`.

    Raises:
        UnsafeName: it would not.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()) or path.resolve() == folder.resolve():
        raise UnsafeName(f"'{name}' would leave {folder}", hint="choose a plain name with --name")
    return path


def place(part: Path, target: Path) -> None:
    """Give a finished part file its name, durably. An existing target is replaced whole or not at all."""
    part.replace(target)
    sync_folder(target.parent)


def write_aside(path: Path, content: bytes) -> None:
    """Write a small file so that a reader sees the old or the new one, never half."""
    aside = path.with_name(f"{path.name}.new")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut, where the system lets a folder be synced."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
