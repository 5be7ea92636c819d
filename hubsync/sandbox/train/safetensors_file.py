"""Writes safetensors files whose bytes depend on their content alone.

The safetensors library keeps metadata in a hash map, so two saves of the same file differ.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from torch import Tensor

DTYPES = {torch.float16: "F16", torch.float32: "F32", torch.int64: "I64"}
HEADER_ALIGNMENT = 8


def data_of(tensors: dict[str, Tensor]) -> bytes:
    """The data part: the tensors in the order of their names."""
    return b"".join(tensors[name].contiguous().numpy().tobytes() for name in sorted(tensors))


def hash_of(tensors: dict[str, Tensor]) -> str:
    """SHA-256 of the data part: kohya's `sshs_model_hash`, Civitai's AutoV3 in full."""
    return hashlib.sha256(data_of(tensors)).hexdigest()


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write `tensors` and `metadata` to `path`."""
    header: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))}
    end = 0
    for name in sorted(tensors):
        tensor = tensors[name]
        start, end = end, end + tensor.numel() * tensor.element_size()
        header[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % HEADER_ALIGNMENT)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data_of(tensors))
