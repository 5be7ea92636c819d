"""Textual-inversion embeddings: vectors a prompt calls by their file's stem, in every common layout."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from hubsync.errors import NotFound, NotSafetensors, WrongFamily
from hubsync.prompts.tokens import CHUNK

_ENCODER_KEYS = ("clip_l", "clip_g")


def load_embedding(name: str, path: Path, widths: tuple[int, ...]) -> tuple[Tensor, ...]:
    """Vectors (n, width) for each text encoder of a checkpoint, whose embedding widths are `widths`.

    Raises:
        NotFound, NotSafetensors: no such file; not one of ours.
        WrongFamily: made for text encoders of another width, or for another number of them.
    """
    if not path.is_file():
        raise NotFound(f"{path} is not there", hint="`hubsync scan` brings the library up to date")
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise NotSafetensors(f"{path.name}: {error}", hint=f"`hubsync verify {path.stem}`") from error
    # Files for two encoders name them; a file for one holds a single tensor under any name.
    keys = _ENCODER_KEYS[: len(widths)] if len(widths) > 1 else tuple(tensors)[:1]
    vectors = tuple(tensors[key].reshape(-1, tensors[key].shape[-1]) for key in keys if key in tensors)
    found = tuple(vector.shape[-1] for vector in vectors)
    if found != widths or any(len(vector) > CHUNK for vector in vectors):
        raise WrongFamily(
            f"embedding '{name}' holds {_widths(tensors)} numbers a token, this checkpoint takes {_list(widths)}",
            hint="render it with --checkpoint of its own base model",
        )
    return vectors


def _widths(tensors: dict[str, Tensor]) -> str:
    return _list(tuple(tensor.shape[-1] for tensor in tensors.values() if tensor.ndim))


def _list(widths: tuple[int, ...]) -> str:
    return " and ".join(map(str, widths)) or "no"
