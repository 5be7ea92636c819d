"""Other LoRAs out of the trained ones: the same network at another strength, as an older upload would be."""

from __future__ import annotations

import json
import struct

# Python's struct letters for the safetensors types a scalar alpha is stored in.
LETTERS = {"F16": "e", "F32": "f", "F64": "d"}


def scaled(data: bytes, factor: float) -> bytes:
    """A kohya LoRA with every `.alpha` multiplied: its effect at weight 1 is `factor` times the original's.

    All hashes of the result differ from the original's, AutoV3 among them, as those of a new training would.

    Raises:
        ValueError: no alpha is stored, or one of a type that cannot be scaled.
    """
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    alphas = [entry for name, entry in header.items() if name.endswith(".alpha")]
    if not alphas:
        raise ValueError("the file stores no alpha to scale")
    out = bytearray(data)
    for entry in alphas:
        form, offset = "<" + letter(entry["dtype"]), start + entry["data_offsets"][0]
        (alpha,) = struct.unpack_from(form, out, offset)
        struct.pack_into(form, out, offset, alpha * factor)
    return bytes(out)


def letter(dtype: str) -> str:
    """Python's name of a safetensors type.

    Raises:
        ValueError: it is none that an alpha has.
    """
    if dtype not in LETTERS:
        raise ValueError(f"an alpha of type {dtype} cannot be scaled")
    return LETTERS[dtype]
