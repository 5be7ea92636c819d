"""Hashes against their definitions."""

from __future__ import annotations

import hashlib
import json
import threading
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubsync.errors import Cancelled
from hubsync.files.hashes import Hasher, hash_file

MIB = 1 << 20


def _hex(content: bytes, digits: int) -> str:
    return hashlib.sha256(content).hexdigest()[:digits]


@pytest.mark.parametrize("size", [9, 100, MIB, MIB + 3, 2 * MIB - 1, 2 * MIB, 3 * MIB + 17])
@pytest.mark.parametrize("header", [8, 40, MIB - 1, MIB + 5])
def test_hashes_follow_their_definitions(tmp_path: Path, size: int, header: int) -> None:
    """AutoV1 is of 64 KiB at 1 MiB, from 2 MiB up; AutoV2 of all; AutoV3 of what follows the header."""
    content = (header - 8).to_bytes(8, "little") + hashlib.sha512(str(size).encode()).digest() * (size // 64 + 1)
    content = content[:size]
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    hashes = hash_file(path)
    assert hashes.sha256 == _hex(content, 64)
    assert hashes.autov1 == (_hex(content[MIB : MIB + (1 << 16)], 8) if size >= 2 * MIB else None)
    assert hashes.autov2 == _hex(content, 10)
    assert hashes.autov3 == (_hex(content[header:], 12) if size > header else None)


@given(st.integers(0, 20 * MIB), st.binary(max_size=64))
def test_without_a_header_the_first_bytes_say_where_data_begins(
    tmp_path_factory: pytest.TempPathFactory, length: int, body: bytes
) -> None:
    """Any file's first eight bytes are read as a header length; one of 16 MiB or more counts as none."""
    path = tmp_path_factory.mktemp("hash") / "a.ckpt"
    content = length.to_bytes(8, "little") + body
    path.write_bytes(content)
    data = body[length:] if length < 16 * MIB else body
    assert hash_file(path).autov3 == (_hex(data, 12) if data else None)


def test_an_empty_file_has_no_data_hash(tmp_path: Path) -> None:
    """The hash of nothing matches unrelated files, so there is none."""
    path = tmp_path / "empty"
    path.write_bytes(b"")
    hashes = hash_file(path)
    assert hashes.sha256 == _hex(b"", 64)
    assert (hashes.autov1, hashes.autov3) == (None, None)


def test_progress_ends_at_the_size_and_cancel_stops(tmp_path: Path) -> None:
    """Progress tells the bytes done so far; a set event ends the work between two blocks."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * (9 * MIB + 5))
    seen: list[int] = []
    hash_file(path, progress=seen.append)
    assert seen == [4 * MIB, 8 * MIB, 9 * MIB + 5]
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        hash_file(path, progress=lambda _: cancel.set(), cancel=cancel)


def test_the_data_hash_is_the_one_other_tools_keep(tmp_path: Path, shared_data: Path) -> None:
    """AUTOMATIC1111's `addnet_hash_safetensors`, run on a file of its own, gives AutoV3 in full."""
    cases = json.loads((shared_data / "a1111" / "cases.json").read_text("utf-8"))["cases"]
    case = next(case for case in cases if case["function"] == "addnet_hash_safetensors")
    path = tmp_path / "a.safetensors"
    path.write_bytes(bytes.fromhex(case["input"]["safetensors_hex"]))
    hashes, expected = hash_file(path), case["expected"]
    assert (hashes.autov3, hashes.sha256) == (expected["addnet_hash"][:12], expected["full_sha256"])
    assert hashes.autov2 == expected["full_sha256"][:10]


def test_hashes_of_the_real_lora(shared_data: Path) -> None:
    """The real SD 2.1 LoRA has the hashes the system's own tools give."""
    path = shared_data / "real_lora_sd21.safetensors"
    content = path.read_bytes()
    data = content[8 + int.from_bytes(content[:8], "little") :]
    assert hash_file(path).autov3 == _hex(data, 12)
    assert hash_file(path).sha256 == _hex(content, 64)


def test_the_other_hashes_are_those_of_their_tools(tmp_path: Path) -> None:
    """As `b3sum` and zlib give them; a download leaves them for later."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"hello world")
    hashes = hash_file(path)
    assert hashes.blake3 == "d74981efa70a0c880b8d8c1985d075dbcbf679b99a5f9914e5aaf96b831a9e24"
    assert hashes.crc32 == "0d4a1185"
    content = hashlib.sha512(b"x").digest() * MIB
    path.write_bytes(content)
    assert hash_file(path).crc32 == f"{zlib.crc32(content):08x}"
    with Hasher() as hasher:
        hasher.update(memoryview(content))
        assert (hasher.result().blake3, hasher.result().crc32) == (None, None)
