"""Headers that are sound, damaged, hostile, or none at all."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from hubsync.errors import NoPermission, NotFound, NotSafetensors
from hubsync.files.header import MAX_HEADER, Header, header_length, parse_header, partial_header, read_header
from hubsync.files.network import examine
from hubsync.files.tensors import Tensor


def _pack(header: object, data: bytes = b"") -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(raw).to_bytes(8, "little") + raw + data


def _entry(start: int, end: int, *, dtype: str = "U8") -> dict[str, object]:
    return {"dtype": dtype, "shape": [end - start], "data_offsets": [start, end]}


def test_a_file_of_the_safetensors_library_is_read(tmp_path: Path) -> None:
    """Names, shapes, dtypes, places and metadata are those the library wrote."""
    path = tmp_path / "a.safetensors"
    save_file({"x": np.zeros((2, 3), np.float32), "y": np.ones(4, np.float16)}, path, {"format": "np", "q": 'a "b"'})
    header = read_header(path)
    assert dict(header.tensors) == {
        "x": Tensor(dtype="F32", shape=(2, 3), data_offsets=(0, 24)),
        "y": Tensor(dtype="F16", shape=(4,), data_offsets=(24, 32)),
    }
    assert header.metadata == {"format": "np", "q": 'a "b"'}
    assert header.file_size == path.stat().st_size == header.length + 32
    assert (header.tensors["y"].start, header.tensors["y"].end) == (24, 32)


def test_the_first_bytes_of_a_download_are_enough(tmp_path: Path) -> None:
    """The header of a file still arriving is the header of the whole file, and its size is foretold."""
    path = tmp_path / "a.safetensors"
    save_file({"x": np.zeros(1000, np.float32)}, path)
    content = path.read_bytes()
    length = header_length(content[:8])
    assert parse_header(content[:length]) == read_header(path)
    assert parse_header(content[: length + 7], len(content)).file_size == len(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "0 bytes are too short"),
        (b"\x02\0\0", "3 bytes are too short"),
        ((MAX_HEADER + 1).to_bytes(8, "little") + b"{}", "100,000,001 bytes long; at most 100,000,000"),
        (b"PK\x03\x04\x14\0\0\0\x08\x08", "PyTorch pickle"),
        (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9", "Python pickle"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        (b"\n<!DOCTYPE html><html>", "a web page"),
        (b'{"error": "Unauthorized"}', "error message"),
        (_pack(b"[1, 2]"), "not JSON"),
        (_pack(b'{"a": '), "makes no sense"),
        (_pack(b'{"a\xff": {}}'), "not UTF-8"),
        (_pack({"a": 1}), "makes no sense"),
        (_pack({"__metadata__": {"a": 1}}), "makes no sense"),
        (_pack(b'{"a":' * 100_000), "nested too deeply"),
        (_pack(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"b":"\xff"}}', b"x"), "not UTF-8"),
        (_pack(b'{"a":' + b"[]," * 1_000_001), "more than any model needs"),
        (_pack({"a": {"dtype": "U8", "shape": [-1], "data_offsets": [0, 1]}}, b"x"), "makes no sense"),
        (_pack({"a": {"dtype": "U8", "shape": [1] * 65, "data_offsets": [0, 1]}}, b"x"), "makes no sense"),
        (_pack({"a": {"dtype": "U8", "shape": [2]}}, b"xx"), "does not fit|gap"),
        (_pack({"a": {"dtype": "U8", "data_offsets": [0, 1]}}, b"x"), "does not fit"),
        (_pack({"a": {"shape": [1], "data_offsets": [0, 1]}}, b"x"), "does not fit"),
        (_pack({"a": _entry(0, 4, dtype="F32")}, b"xxxx"), "size of tensor 'a' does not fit"),
        (_pack({"a": _entry(0, 4), "b": _entry(2, 6)}, b"x" * 6), "tensor 'b' overlaps another"),
        (_pack({"a": _entry(0, 4), "b": _entry(5, 6)}, b"x" * 6), "tensor 'b' leaves a gap"),
        (_pack({"a": _entry(1, 4)}, b"x" * 4), "tensor 'a' leaves a gap"),
        (_pack({"a": _entry(0, 1000)}, b"x" * 600), r"truncated: 400 of its 1,\d+ bytes are missing"),
        (_pack({"a": _entry(0, 4)}, b"x" * 6), "2 bytes follow its data"),
        (_pack({"a": _entry(0, 4)})[:20], r"truncated inside its header: 48 of its 68 bytes are missing"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: bytes, reason: str) -> None:
    """Each kind of damage has its own words, from a file and from bytes alike."""
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(NotSafetensors, match=reason) as caught:
        read_header(path)
    assert "bad.safetensors" in caught.value.message
    with pytest.raises(NotSafetensors, match=reason):
        parse_header(content, len(content))


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"dtype":"U8"}}',
        b'{"__metadata__":{"k":"1","k":"2"},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        b'{"__metadata__":{},"__metadata__":{"k":"v"},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        # Written as \u0022, quotes inside a text are no quotes in the bytes: they could hide those of a second key.
        b'{"__metadata__":{"k":"\\u0022\\u0022\\u0022\\u0022","k":""},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
    ],
)
def test_a_key_that_stands_twice_is_found(raw: bytes) -> None:
    """Readers differ in which of two equal keys they take, so neither is believed."""
    with pytest.raises(NotSafetensors, match="stands twice"):
        parse_header(_pack(raw, b"x"))


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"__metadata__": {}},
        {"__metadata__": {}, "a": _entry(0, 4)},
        {"__metadata__": {"shape": "x", "dtype": "y"}, "a": _entry(0, 4)},
        {"__metadata__": {"data_offsets": "x"}, "a": _entry(0, 4)},
        {"a": _entry(0, 4), "__metadata__": {"say": '"quoted" \\ "'}},
        {'a "quoted" name': _entry(0, 4)},
        {"b": _entry(2, 4), "a": _entry(0, 2)},
        {"a": {**_entry(0, 4), "new": "field"}},
        {"a": {"dtype": "F7_NEW", "shape": [3], "data_offsets": [0, 4]}},
        {"empty": _entry(0, 0), "a": _entry(0, 4)},
        {"a": {"dtype": "F4", "shape": [8], "data_offsets": [0, 4]}},
    ],
)
def test_unusual_headers_are_sound(header: dict[str, dict[str, object]]) -> None:
    """Order, quotes, padding, empty tensors and things invented later are no damage."""
    raw = json.dumps(header).encode() + b"   "
    size = 4 if len(header) > ("__metadata__" in header) else 0
    parsed = parse_header(_pack(raw), 8 + len(raw) + size)
    assert set(parsed.tensors) == set(header) - {"__metadata__"}
    assert parsed.metadata == header.get("__metadata__", {})


def test_a_damaged_file_still_tells_what_it_can(tmp_path: Path, file_of: Callable[..., bytes]) -> None:
    """A file cut in its data gives its whole header, one cut in its header the entries before the cut."""
    shapes = {f"lora_unet_{n}.{part}.weight": (4, 4) for n in range(20) for part in ("lora_down", "lora_up")}
    content = file_of(shapes, {"ss_output_name": "x"})
    path = tmp_path / "cut.safetensors"
    path.write_bytes(content + b"x" * 100)
    header, problem = partial_header(path)
    assert header is not None
    assert problem.startswith("truncated: 1,180 of its")
    assert len(header.tensors) == 40
    path.write_bytes(content[: len(content) // 2])
    header, problem = partial_header(path)
    assert header is not None
    assert problem.startswith("truncated inside its header")
    assert header.metadata == {"ss_output_name": "x"}
    assert 10 < len(header.tensors) < 30
    path.write_bytes(b"<html>")
    assert partial_header(path) == (None, "6 bytes are too short for a header")


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    """A missing file, a folder and a folder used as one are told apart."""
    with pytest.raises(NotFound, match="no file"):
        read_header(tmp_path / "none.safetensors")
    with pytest.raises(NotSafetensors, match="is a folder"):
        read_header(tmp_path)
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(NoPermission, match="cannot be read"):
        read_header(file / "x.safetensors")


def _parsed(content: bytes) -> Header | None:
    """The header, or None where the bytes are refused; any other exception ends the test."""
    try:
        return parse_header(content, len(content))
    except NotSafetensors:
        return None


@given(st.binary(max_size=300))
def test_random_bytes_never_crash(content: bytes) -> None:
    """Random bytes are never a header with tensors, whatever stands in front of them."""
    for whole in (content, _pack(content), _pack(b"{" + content)):
        header = _parsed(whole)
        assert header is None or not header.tensors


_NAMES = st.text(max_size=12) | st.sampled_from(
    (
        *("a.lora_down.weight", "a.lora_up.weight", "a.alpha", "a.lokr_w1", "a.lokr_w2_b", "a.hada_w1_b"),
        *("a.oft_blocks", "a.on_input", "a.diff", "a.a2.weight", "lora.down.weight", "emb_params", "clip_l"),
        "transformer_blocks.0.attn.to_q.weight",
    )
)
_NUMBERS = st.integers(-1, 9) | st.integers() | st.floats()
_ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "dtype": st.sampled_from(["F16", "F32", "U8", "", "X"]),
        "shape": st.lists(_NUMBERS, max_size=5),
        "data_offsets": st.lists(_NUMBERS, max_size=3),
    },
)


@given(st.dictionaries(_NAMES, _ENTRIES | st.none() | _NAMES, max_size=6), st.dictionaries(_NAMES, _NAMES, max_size=3))
def test_hostile_headers_never_crash(entries: dict[str, object], metadata: dict[str, str]) -> None:
    """A header of odd shapes, offsets and metadata is refused with words, or is what it says."""
    header = _parsed(_pack({"__metadata__": metadata, **entries}))
    assert header is None or (header.metadata == metadata and set(header.tensors) == set(entries))


@given(st.dictionaries(_NAMES, st.lists(st.integers(0, 9), max_size=5), max_size=6))
def test_any_shape_is_classified(shapes: dict[str, list[int]]) -> None:
    """Adapter names with tensors of any shape, missing partners included, never crash the classification."""
    end, entries = 0, {}
    for name, shape in shapes.items():
        start, end = end, end + math.prod(shape)
        entries[name] = {"dtype": "U8", "shape": shape, "data_offsets": [start, end]}
    info = examine(parse_header(_pack(entries)))
    assert info.targets["unet"] + info.targets["text_encoder"] == info.modules
    assert info.full_parameters >= 0
