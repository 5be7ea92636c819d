"""The files that are downloaded: valid safetensors of an exact size, random or sparse."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

BLOCK = 1 << 20
HEADER = 1016
SUFFIX = ".safetensors"


@dataclass(frozen=True, slots=True)
class Lora:
    """A file to offer."""

    path: Path
    size: int
    sha256: str

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return self.path.stem


def make(path: Path, size: int, *, sparse: bool = False) -> Lora:
    """Write a file of `size` bytes: a kohya LoRA's alpha and one matrix of random bytes, or of a hole in the file."""
    body = size - 8 - HEADER
    entries = {
        "__metadata__": {"ss_output_name": path.stem},
        "lora_unet_mid.alpha": {"dtype": "F16", "shape": [], "data_offsets": [0, 2]},
        "lora_unet_mid.lora_down.weight": {"dtype": "U8", "shape": [body - 2], "data_offsets": [2, body]},
    }
    with path.open("xb") as file:
        file.write(HEADER.to_bytes(8, "little") + json.dumps(entries).encode().ljust(HEADER))
        if sparse:
            file.truncate(size)
        for start in range(0, 0 if sparse else body, BLOCK):
            file.write(os.urandom(min(BLOCK, body - start)))
    return Lora(path, size, sha256_of(path))


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
