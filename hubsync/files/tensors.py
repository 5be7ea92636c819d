"""The entries of a safetensors header: what each says of its tensor, and whether they can all be true."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from hubsync.errors import NotSafetensors

# fmt: off
_WIDTHS = {
    "F4": 0.5, "F6_E2M3": 0.75, "F6_E3M2": 0.75, "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "F8_E8M0": 1,
    "U16": 2, "I16": 2, "F16": 2, "BF16": 2, "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8, "C64": 8,
    "": -1,  # a tensor without a dtype fits no size
}
# fmt: on

STRINGS = 5
"""JSON strings of a tensor's entry: its name, three keys, and its dtype."""

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**48)]


class Tensor(msgspec.Struct, frozen=True, gc=False):
    """One tensor: `dtype` as safetensors writes it, `shape`, and where its bytes lie in the data."""

    # A field left out of a file keeps a default that `misfit` does not let pass.
    dtype: str = ""
    # Rank 64 is numpy's limit; it keeps the product of a hostile shape small.
    shape: Annotated[tuple[_Count, ...], msgspec.Meta(max_length=64)] = (-1,)
    data_offsets: tuple[_Count, _Count] = (2**49, 0)

    @property
    def start(self) -> int:
        """First byte, counted from the end of the header."""
        return self.data_offsets[0]

    @property
    def end(self) -> int:
        """One past the last byte, counted from the end of the header."""
        return self.data_offsets[1]


def check_text(raw: bytes) -> None:
    """Look at every byte: what a decoder skips, it does not check.

    Raises:
        UnicodeDecodeError: it is not UTF-8.
    """
    if not raw.isascii():
        raw.decode()


def duplicate(raw: bytes, *, strings: int, texts: Sequence[str] = ()) -> str:
    """Say so if a key stands twice in a piece of JSON: readers differ in which of the two they take.

    Counting quotes is fast and exact: a key that was dropped leaves its quotes behind.

    Args:
        raw: the JSON of a header, or of a part of it.
        strings: how many strings were read of it; a tensor has `STRINGS`.
        texts: those of them that may hold quotes themselves.
    """
    inner = "".join(texts).count('"')
    escapes = raw[: raw.rfind(b"\\") + 6]
    if raw.count(b'"') == 2 * strings + inner and b"\\u0022" not in escapes:
        return ""
    try:
        json.loads(raw, object_pairs_hook=_without_duplicates)
    except NotSafetensors as error:
        return error.message
    except (RecursionError, ValueError) as error:
        return f"its header makes no sense: {error}"
    return ""


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        [(name, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise NotSafetensors(f"{_quoted(name)} stands twice in its header")
    return found


def misplaced(tensors: Mapping[str, Tensor], places: list[int]) -> str:
    """Say which tensor does not follow the one before it."""
    # Writers list tensors in the order of their data: only a strange file needs sorting.
    if places[2::2] == places[1:-1:2] and not any(places[:1]):
        return ""
    end = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: item[1].data_offsets):
        if tensor.start != end:
            return f"tensor {_quoted(name)} {'overlaps another' if tensor.start < end else 'leaves a gap before it'}"
        end = tensor.end
    return ""


def misfit(tensors: Mapping[str, Tensor]) -> str:
    """Say which tensor's place is not as large as its shape."""
    for name, tensor in tensors.items():
        start, end = tensor.data_offsets
        # A dtype invented after this was written is no damage: its size is not judged.
        if math.prod(tensor.shape) * _WIDTHS.get(tensor.dtype, 0) != end - start and tensor.dtype in _WIDTHS:
            return f"the size of tensor {_quoted(name)} does not fit its shape"
    return ""


def wrong_size(expected: int, size: int) -> str:
    """Say so if a file does not end where its data does; both in bytes."""
    if expected > size:
        return f"truncated: {expected - size:,} of its {expected:,} bytes are missing"
    return f"{size - expected:,} bytes follow its data" if size > expected else ""


def _quoted(name: str) -> str:
    """A name fit for a message: short, its control characters spelled out."""
    return repr(name[:80])
