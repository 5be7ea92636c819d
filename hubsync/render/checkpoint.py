"""Which checkpoint a render runs on, and which family it is of, as far as that can be told without loading it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from hubsync.config import Settings, shipped
from hubsync.errors import HubsyncError
from hubsync.families import Families

_MOST_HEADER = 100 << 20
"""Bytes of a safetensors header: the format's own limit."""

_SIGNS: tuple[tuple[re.Pattern[str], Mapping[int, str], str | None], ...] = (
    (re.compile(r".*double_blocks\.0\.img_attn\.qkv\.weight"), {}, "flux1"),
    (re.compile(r".*joint_blocks\.0\.x_block\.attn\.qkv\.weight"), {}, "sd3"),
    (re.compile(r".*transformer_blocks\.0\.attn2\.to_k\.weight"), {768: "sd1", 1024: "sd2", 2048: "sdxl"}, None),
)
"""Keys that tell a single file's family: by being there, or by the width of the text it attends to."""

_INDEX = "model_index.json"

_T = TypeVar("_T")


class _Tensor(msgspec.Struct):
    shape: list[int] = []


class _Index(msgspec.Struct):
    class_name: str = msgspec.field(name="_class_name", default="")


class _Unet(msgspec.Struct):
    cross_attention_dim: int | list[int] | None = None


def choose_checkpoint(family: str | None, settings: Settings) -> str:
    """The configured checkpoint for a family; for an unknown family the first one configured.

    Raises:
        HubsyncError: none is configured.
    """
    configured = {name: value for name, value in settings.checkpoint.items() if value}
    found = configured.get(family or "other")
    if not found and family is None:
        found = next(iter(configured.values()), None)
    if not found:
        kind = f"{family} " if family else ""
        hint = f"hubsync config set checkpoint.{family or 'sd1'} PATH, or use --checkpoint"
        raise HubsyncError(f"no {kind}checkpoint is set to render with", hint=hint)
    return found


def locate(checkpoint: str) -> str:
    """A checkpoint's absolute path if it is on this disk, else the text itself: a Hugging Face repository."""
    path = Path(checkpoint).expanduser()
    return str(path.absolute()) if path.exists() or path.is_absolute() else checkpoint


def family_of(checkpoint: str, settings: Settings, families: Families) -> str | None:
    """The family the user, the hubs' names or the files themselves say; None when nothing does."""
    for name, value in settings.checkpoint.items():
        if value and locate(value) == checkpoint:
            return name
    path = Path(checkpoint)
    if path.is_dir():
        return _folder_family(path, families)
    if path.is_file():
        return _file_family(path)
    named = families.of(checkpoint)
    return None if named == "other" else named


def config_folder(checkpoint: str, family: str | None) -> str:
    """The diffusers folder describing a single-file checkpoint, so that it loads offline; "" if there is none.

    It is a folder beside the file, called as the file's stem or `checkpoint`, or one shipped for the family.
    """
    path = Path(checkpoint)
    if not path.is_file():
        return ""
    beside = [path.parent / path.stem, path.parent / "checkpoint"]
    known = [shipped(f"pipelines/{family}")] if family else []
    return next((str(folder) for folder in (*beside, *known) if (folder / _INDEX).is_file()), "")


def _folder_family(folder: Path, families: Families) -> str | None:
    made_by = _read(folder / _INDEX, _Index).class_name
    fitting = [name for name, family in families.table.items() if family.pipeline == made_by]
    if len(fitting) <= 1:
        return next(iter(fitting), None)
    width = _read(folder / "unet" / "config.json", _Unet).cross_attention_dim
    return {768: "sd1", 1024: "sd2"}.get(width) if isinstance(width, int) else None


def _file_family(path: Path) -> str | None:
    for key, tensor in _header(path).items():
        for sign, widths, family in _SIGNS:
            if sign.fullmatch(key):
                return family or widths.get(tensor.shape[-1] if tensor.shape else 0)
    return None


def _header(path: Path) -> Mapping[str, _Tensor]:
    """The tensors of a safetensors file; nothing of a file that is not one."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            return msgspec.json.decode(file.read(length), type=dict[str, _Tensor]) if length <= _MOST_HEADER else {}
    except (OSError, msgspec.DecodeError):
        return {}


def _read(path: Path, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError):
        return kind()
