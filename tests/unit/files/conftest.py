"""Headers built from shapes, for the tests of what a header tells."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec
import pytest

from hubsync.files.header import Header, parse_header

Shapes: TypeAlias = Mapping[str, tuple[int, ...]]


def _file_of(shapes: Shapes, metadata: Mapping[str, str] | None = None) -> bytes:
    tensors: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + 2 * math.prod(shape)
        tensors[name] = {"dtype": "F16", "shape": shape, "data_offsets": (start, end)}
    raw = msgspec.json.encode(tensors)
    return len(raw).to_bytes(8, "little") + raw


def _header_of(shapes: Shapes, metadata: Mapping[str, str] | None = None) -> Header:
    return parse_header(_file_of(shapes, metadata))


@pytest.fixture
def file_of() -> Callable[..., bytes]:
    """Make the first bytes of a safetensors file of fp16 tensors: everything but its data."""
    return _file_of


@pytest.fixture
def header_of() -> Callable[..., Header]:
    """Make the header of a safetensors file of fp16 tensors."""
    return _header_of
