"""Memory of the device, planned: what a checkpoint needs, where its parts stay, how many rows are drawn at once.

The plans are made of numbers alone; `free_bytes` alone asks a device, `place` alone moves anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import nn

from hubsync.render.checkpoint import read_header

Pipeline: TypeAlias = Any
"""A diffusers pipeline."""

_DRAWING = 2500
"""Bytes of the device that drawing takes for a pixel of a picture, with guidance, in half precision."""

_DECODING = 3600
"""Bytes that decoding takes for a pixel, beside all other parts where these stay: SDXL does it in float32."""

_MODEST = 4 << 18
"""Pixels drawn at once where memory is the whole machine's: four pictures of 512x512."""

_SLOW = 1 << 16
"""Pixels drawn at once on a processor: 16 pictures of 64x64, 4 of 128x128, one of 256x256 and more.

Measured on 2 cores with the small checkpoint, a LoRA in each: more gain nothing. Sixteen of 128x128 in 4 steps take
2.1 s at once and in fours, 2.9 s one by one; eight of 256x256 in 2 steps 4.2 s at once, 4.6 s in fours and 4.0 s one by
one, the first after 0.5 s; four of 512x512 in a step 11.7 s at once and 10.5 s one by one.
"""

_MOST_ROWS = 64
"""Larger batches save nothing and keep the first picture waiting."""

_USUAL = (1024, 1024)
"""Width and height in pixels of the pictures of families whose configuration does not tell."""

_SHARE = 0.6
"""How much of a Mac's memory weights may take: the pictures, the system and everything else live in the rest."""

_OTHERS = (".fp16.", ".non_ema.", ".ema_only.")
"""Marks of files that hold once more what a file without the mark holds."""


class Offload(StrEnum):
    """Where weights wait: all on the device, part by part in the machine's memory, or layer by layer."""

    NONE = "none"
    MODEL = "model"
    SEQUENTIAL = "sequential"


_SAID = {
    Offload.MODEL: "its parts take turns on the device",
    Offload.SEQUENTIAL: "its layers visit the device one by one, which is slow",
}


def stored_weights(checkpoint: Path) -> int:
    """Count of the numbers a single file, or the parts of a diffusers folder, hold; 0 if there is nothing to read."""
    files = [checkpoint] if checkpoint.is_file() else _files_of(checkpoint)
    return sum(math.prod(tensor.shape) for path in files for tensor in read_header(path).values() if tensor.shape)


def is_short(checkpoint: Path, dtype: torch.dtype, memory: int) -> bool:
    """Whether the weights of a checkpoint in `dtype` are too much for `memory`, bytes shared with everything else."""
    return stored_weights(checkpoint) * dtype.itemsize > memory * _SHARE


def weights_of(models: Mapping[str, nn.Module]) -> dict[str, int]:
    """Bytes of each model's parameters and buffers, as they are loaded."""
    return {name: sum(map(_size, (*model.parameters(), *model.buffers()))) for name, model in models.items()}


def choose_offload(parts: Iterable[int], free: int, size: tuple[int, int]) -> Offload:
    """How parts of that many bytes are kept on a device with `free` bytes to draw a picture of `size` (width, height).

    Those that take turns leave the autoencoder alone while it decodes.
    """
    sizes, pixels = list(parts), size[0] * size[1]
    if sum(sizes) + _DECODING * pixels <= free:
        return Offload.NONE
    return Offload.MODEL if max(sizes, default=0) + _DRAWING * pixels <= free else Offload.SEQUENTIAL


def most_rows(size: tuple[int, int], free: int | None, dtype: torch.dtype, *, processor: bool = False) -> int:
    """How many pictures of `size`, (width, height) in pixels, to draw at once, 1 to 64.

    `free` is what `room` tells after loading, in bytes; None for memory that is the whole machine's. A `processor`
    draws no faster for drawing more at once, so it shows the first picture soon.
    """
    whole = _SLOW if processor else _MODEST
    pixels = whole if free is None else free // (_DRAWING * dtype.itemsize // 2)
    return min(_MOST_ROWS, max(1, pixels // (size[0] * size[1])))


def free_bytes(device: torch.device) -> int | None:
    """Bytes this process may still take of a device; None where memory is the whole machine's."""
    if device.type != "cuda":
        return None
    # What torch has cached but does not use is free for it, though not for the driver.
    cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + cached


def room(pipe: Pipeline) -> int | None:
    """Bytes left for drawing where a pipeline computes; None where memory is the whole machine's.

    The largest part that waits for its turn there counts as if it had come.
    """
    free = free_bytes(execution_device(pipe))
    waiting = weights_of({name: part for name, part in _parts(pipe).items() if part.device.type == "cpu"})
    return None if free is None else max(0, free - max(waiting.values(), default=0))


def native_size(pipe: Pipeline) -> tuple[int, int]:
    """Width and height in pixels of the pictures a pipeline was made for."""
    model = getattr(pipe, "unet", None) or pipe.transformer
    sample = getattr(pipe, "default_sample_size", None) or model.config.get("sample_size")
    if sample is None:
        return _USUAL
    height, width = (sample, sample) if isinstance(sample, int) else sample
    return width * pipe.vae_scale_factor, height * pipe.vae_scale_factor


def place(pipe: Pipeline, device: torch.device, size: tuple[int, int]) -> str:
    """Bring a loaded pipeline to its device, or as much of it at a time as leaves room for a picture of `size`.

    Returns what the user should know about that, "" for nothing.
    """
    free = free_bytes(device)
    weights = weights_of(_parts(pipe)).values()
    offload = Offload.NONE if free is None else choose_offload(weights, free, size)
    if offload is Offload.NONE or free is None:
        pipe.to(device)
        return ""
    if offload is Offload.MODEL:
        pipe.enable_model_cpu_offload(device=device)
    else:
        pipe.enable_sequential_cpu_offload(device=device)
    return f"the checkpoint takes {_gb(sum(weights))}, {device} has {_gb(free)} free: {_SAID[offload]}"


def execution_device(pipe: Pipeline) -> torch.device:
    """Where a pipeline computes; under offloading its weights wait elsewhere, or on no device at all."""
    device: torch.device = pipe._execution_device  # noqa: SLF001  the only name diffusers has for it
    return device


def _parts(pipe: Pipeline) -> dict[str, Any]:
    """The models of a pipeline by their names."""
    return {name: part for name, part in pipe.components.items() if isinstance(part, nn.Module)}


def _files_of(folder: Path) -> list[Path]:
    """The weights' files of a diffusers folder, each part's once."""
    files = []
    for part in folder.glob("*/"):
        held = list(part.glob("*.safetensors"))
        files += [path for path in held if not any(mark in path.name for mark in _OTHERS)] or held
    return files


def _size(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
