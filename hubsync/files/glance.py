"""What a library needs to know of each of its files, as fast as it can be told.

Thousands of LoRAs come from the same few trainers and settings, and what a header says of tensors is then the same byte
for byte. So each such section is judged once and known again: 0.07 ms a file instead of 0.8. Only a sound section in a
plain header is; of everything else `header` and `network` judge the whole, so that they never contradict a glance.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import msgspec

from hubsync.errors import NotSafetensors
from hubsync.files.header import Header, partial_header
from hubsync.files.metadata import alias, title, trigger_phrase
from hubsync.files.network import Identity, Likeness, first_number, liken, stated_alpha
from hubsync.files.opening import opened
from hubsync.files.placement import PICKLE_ENDINGS
from hubsync.files.signatures import choose
from hubsync.files.strangers import called
from hubsync.files.tensors import STRINGS, Tensor, check_text, duplicate, misfit, misplaced, wrong_size

# Bytes; most headers end before it. From 128 KiB on each buffer is mapped anew, and a glance takes half as long again.
_FIRST_READ = 100_000
_LONGEST = 4_000_000  # bytes of a header worth remembering; the longest recorded one has 420,000
_FIRST = b'{"__metadata__":'
_COMMA = ord(",")
# Metadata with a key like a tensor's make `header` decode everything another way, by other rules for odd numbers.
_FIELDS = frozenset(Tensor.__struct_fields__)
_MOST_PADDING = 64  # spaces; safetensors itself pads to eight bytes
_TELLING = 96
_MOST_KEPT = 32 << 20  # bytes of sections, some three hundred
_MOST_REMEMBERED = 10_000

_TEXTS = msgspec.json.Decoder(dict[str, str])
_TENSORS = msgspec.json.Decoder(dict[str, Tensor])


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance(Identity):
    """One file. `code` is None for a sound LoRA or embedding, else why it is none, and `problem` says it in words.

    code: `not_safetensors`, damaged or hostile; `unsafe_file`, a pickle; `misfiled`, sound but something else.
    alpha: of one module; a file may have several.
    trigger_words: those its author stated.
    """

    code: str | None = None
    problem: str = ""
    alpha: float | None = None
    alias: str | None = None
    title: str | None = None
    trigger_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Section:
    """What follows from a header's sound tensors: verdict, bytes of data, and where one alpha lies in them.

    `raw` is the section itself, None where too many were kept already: those are known again by their hash.
    `what` names a file that is no LoRA and no embedding.
    """

    raw: bytes | None
    likeness: Likeness
    what: str
    end: int
    alpha: tuple[int, str] | None


class Glancer:
    """Looks at files one after the other and remembers the kinds it has seen."""

    def __init__(self) -> None:
        from blake3 import blake3

        self._hash = blake3
        self._seen: dict[bytes, _Section] = {}
        self._kept = 0

    def glance(self, path: Path | str, size: int) -> Glance:
        """What a file of `size` bytes is. The verdict on its header is that of `header` and `network`.

        Raises:
            NotFound, NoPermission: it cannot be opened.
        """
        path = os.fspath(path)
        if path[path.rfind(".") + 1 :].lower() in PICKLE_ENDINGS:
            return Glance(kind="other", code="unsafe_file", problem="a pickle, which can run code when it is loaded")
        try:
            return self._look(path, size) or _thorough(path)
        except NotSafetensors as error:  # a folder
            return Glance(kind="other", code=error.code, problem=error.message)

    def _look(self, path: str, size: int) -> Glance | None:
        """A plain header's file at a glance; None where anything is out of the ordinary."""
        with opened(path) as file:
            raw = os.read(file, _FIRST_READ)
            length = 8 + int.from_bytes(raw[:8], "little")
            if length > _LONGEST:
                return None
            while len(raw) < length and (more := os.read(file, length - len(raw))):
                raw += more
            found = self._fast(raw, length) if len(raw) >= length else None
            if found is None:
                return None
            section, metadata = found
            alpha = None
            if section.alpha:
                start, dtype = section.alpha
                here = raw[length + start : length + start + 8]
                if len(here) < 8:  # mostly the first read reaches that far into the data
                    os.lseek(file, length + start, os.SEEK_SET)
                    here = os.read(file, 8)
                alpha = first_number(dtype, here) or None
        return _glance(section.likeness, wrong_size(length + section.end, size), section.what, metadata, alpha)

    def _fast(self, raw: bytes, length: int) -> tuple[_Section, Mapping[str, str]] | None:
        """The two halves of a header that ends at `length`, the second judged once; None where it is not plain."""
        # Every slice copies 80 KB, so places are counted instead.
        begin = raw.rfind(b"}", 8, raw.find(b'"data_offsets"', 8, length)) + 1
        tail = raw[max(8, length - _MOST_PADDING) : length]
        end = length - len(tail) + len(tail.rstrip(b" "))
        if raw[8 : 8 + len(_FIRST)] != _FIRST or not begin < end or raw[begin] != _COMMA:
            return None
        texts = raw[8 + len(_FIRST) : begin]
        try:
            metadata = _TEXTS.decode(texts)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        written = [*metadata, *metadata.values()]
        if duplicate(texts, strings=len(written), texts=written) or not _FIELDS.isdisjoint(metadata):
            return None
        section = self._section(raw, begin, end)
        return None if section is None else (section, metadata)

    def _section(self, raw: bytes, begin: int, end: int) -> _Section | None:
        """The verdict on `raw[begin:end]`. Comparing 90 KB takes 5 µs, hashing them 20."""
        last = raw[end - _TELLING : end]  # it holds where the data end, which hardly two kinds share
        section = self._seen.get(last)
        if section and section.raw and len(section.raw) == end - begin and raw.startswith(section.raw, begin):
            return section
        digest = self._hash(memoryview(raw)[begin:end]).digest()
        if digest in self._seen:
            return self._seen[digest]
        keep = self._kept + end - begin <= _MOST_KEPT
        found = _judged(b"{" + raw[begin + 1 : end], raw[begin:end] if keep else None)
        if found is not None and len(self._seen) < _MOST_REMEMBERED:
            self._kept += end - begin if keep else 0
            self._seen |= {digest: found, last: found} if keep else {digest: found}
        return found


def _judged(raw: bytes, kept: bytes | None) -> _Section | None:
    """A header without its metadata; None where anything is wrong with it."""
    try:
        check_text(raw)
        tensors = _TENSORS.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if "__metadata__" in tensors:
        return None
    places = list(chain.from_iterable([tensor.data_offsets for tensor in tensors.values()]))
    if duplicate(raw, strings=STRINGS * len(tensors)) or misplaced(tensors, places) or misfit(tensors):
        return None
    alpha = next(((tensor.start, tensor.dtype) for name, tensor in tensors.items() if name.endswith(".alpha")), None)
    likeness = liken(tensors)
    return _Section(kept, likeness, called(likeness.kind, tensors), max(places, default=0), alpha)


def _thorough(path: str) -> Glance:
    """The same by reading the whole header, whatever state it is in."""
    found, problem = partial_header(Path(path))
    header = found or Header(tensors={}, metadata={}, length=0, file_size=0)
    likeness = liken(header.tensors)
    return _glance(likeness, problem, called(likeness.kind, header.tensors), header.metadata, None)


def _glance(likeness: Likeness, problem: str, what: str, metadata: Mapping[str, str], alpha: float | None) -> Glance:
    code = "not_safetensors" if problem else "misfiled" if what else None
    return Glance(
        kind=likeness.kind,
        network=likeness.network_with(metadata),
        layout=likeness.layout,
        family=choose(likeness.families, metadata),
        rank=likeness.rank,
        rank_max=likeness.rank_max,
        code=code,
        problem=problem or (f"{what}, no LoRA: tools look for those in another folder" if what else ""),
        alpha=alpha or stated_alpha(metadata),
        alias=alias(metadata),
        title=title(metadata),
        trigger_words=trigger_phrase(metadata),
    )
