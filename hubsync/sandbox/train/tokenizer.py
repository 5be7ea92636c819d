"""A byte-level BPE tokenizer of CLIP's kind with one token for every known word.

The 49,408 tokens of CLIP would need a table larger than the whole checkpoint. Here are the 256 bytes, each also
as a word's end, and just the merges that make each known word one token; all else falls back to bytes.
"""

from __future__ import annotations

import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

from transformers import CLIPTokenizer

from hubsync.sandbox.train.captions import known_words

START = "<|startoftext|>"
END = "<|endoftext|>"
MOST_TOKENS = 77


def build_tokenizer() -> Any:  # noqa: ANN401
    """The tokenizer, as an unmodified CLIPTokenizer."""
    with tempfile.TemporaryDirectory() as folder:
        _write_table(Path(folder))
        return CLIPTokenizer.from_pretrained(
            folder, model_max_length=MOST_TOKENS, pad_token=END, bos_token=START, eos_token=END, unk_token=END
        )


def save_tokenizer(folder: Path) -> None:
    """Write the tokenizer for transformers, and the two plain files that every other CLIP tool reads."""
    # A tokenizer that was used keeps its last padding in the file; a new one has none.
    build_tokenizer().save_pretrained(folder)
    _write_table(folder)


def _write_table(folder: Path) -> None:
    vocabulary, merges = byte_pairs(known_words())
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def byte_pairs(words: list[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Vocabulary and merges under which each of `words` is one token."""
    letters = list(_printable_bytes().values())
    tokens = dict.fromkeys([*letters, *(letter + "</w>" for letter in letters)])
    merges: dict[tuple[str, str], int] = {}
    for word in words:
        symbols = [*word[:-1], word[-1] + "</w>"]
        while len(symbols) > 1:
            pairs = list(itertools.pairwise(symbols))
            best = min(pairs, key=lambda pair: merges.get(pair, len(merges)))
            # No known merge fits: the leftmost pair becomes a new one.
            merges.setdefault(best, len(merges))
            tokens.setdefault("".join(best))
            at = pairs.index(best)
            symbols[at : at + 2] = ["".join(best)]
    return {token: index for index, token in enumerate([*tokens, START, END])}, list(merges)


def _printable_bytes() -> dict[int, str]:
    """GPT-2's table: each byte as one printable character, so that merges are plain text."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + index) for index, byte in enumerate(others)}
