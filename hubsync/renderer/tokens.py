"""From prompt text to chunks of 75 weighted CLIP tokens, as AUTOMATIC1111 cuts them.

Brackets set weights, `BREAK` starts a chunk, embeddings are found by their name among the tokens, and a chunk that
overflows within 20 tokens of a comma is cut at that comma (`comma_padding_backtrack`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from torch import Tensor

from hubsync.prompts.syntax import BREAK_MARK, attention
from hubsync.prompts.tokens import CHUNK

_COMMA_REACH = 20

Tokenizer: TypeAlias = Any
"""A transformers CLIPTokenizer."""


@dataclass(slots=True)
class Chunk:
    """Up to 75 tokens, a weight for each; `vectors` are embeddings by the position of their first token."""

    ids: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    vectors: dict[int, Tensor] = field(default_factory=dict)
    comma: int = -1

    def add(self, ids: Sequence[int], weight: float) -> None:
        """Put tokens of one weight at the end."""
        self.ids += ids
        self.weights += [weight] * len(ids)

    def cut_at_comma(self) -> Chunk:
        """Take what follows the last comma off the end, if that comma is near, as the next chunk's beginning."""
        at = self.comma + 1 if len(self.ids) - self.comma <= _COMMA_REACH and self.comma >= 0 else len(self.ids)
        rest = Chunk(self.ids[at:], self.weights[at:], {i - at: v for i, v in self.vectors.items() if i >= at})
        del self.ids[at:], self.weights[at:]
        self.vectors = {i: v for i, v in self.vectors.items() if i < at}
        return rest


class Tokens:
    """Cuts prompts for one tokenizer; `embeddings` are vectors (n, width) by name."""

    def __init__(self, tokenizer: Tokenizer, embeddings: Mapping[str, Tensor]) -> None:
        self._tokenizer = tokenizer
        self._comma = self._ids(",")
        named = [(self._ids(name), vectors) for name, vectors in embeddings.items()]
        # The longest name wins where one begins with another.
        self._embeddings = sorted(named, key=lambda pair: len(pair[0]), reverse=True)

    def chunks(self, prompt: str) -> list[Chunk]:
        """The prompt in chunks, at least one."""
        chunks = [Chunk()]
        for text, weight in attention(prompt):
            if (text, weight) == BREAK_MARK:
                chunks.append(Chunk())
                continue
            self._add(chunks, self._ids(text), weight)
        # A chunk left empty in the middle stays, as it does there; at the end it is nothing.
        return chunks if chunks[-1].ids or len(chunks) == 1 else chunks[:-1]

    def framed(self, chunk: Chunk) -> tuple[list[int], list[float]]:
        """Ids and weights with start and end tokens, padded to the text encoder's 77."""
        start, end, pad = (getattr(self._tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad"))
        space = CHUNK - len(chunk.ids)
        return [start, *chunk.ids, end, *[pad] * space], [1.0, *chunk.weights, *[1.0] * (space + 1)]

    def _ids(self, text: str) -> list[int]:
        # Where "!" pads, as in SDXL's second encoder, the "!" of a prompt is a token all the same.
        plain = {"add_special_tokens": False, "split_special_tokens": True, "truncation": False, "verbose": False}
        return list(self._tokenizer(text, **plain).input_ids)

    def _add(self, chunks: list[Chunk], ids: list[int], weight: float) -> None:
        at = 0
        while at < len(ids):
            name, vectors = self._embedding_at(ids, at)
            room = 1 if vectors is None else len(vectors)
            comma = [ids[at]] == self._comma
            if len(chunks[-1].ids) == CHUNK:
                chunks.append(Chunk() if comma else chunks[-1].cut_at_comma())
            if len(chunks[-1].ids) + room > CHUNK:
                chunks.append(Chunk())
            chunk = chunks[-1]
            if comma:
                chunk.comma = len(chunk.ids)
            if vectors is not None:
                chunk.vectors[len(chunk.ids)] = vectors
            # Any ordinary token keeps an embedding's place: its own vector is replaced before the encoder sees it.
            chunk.add([ids[at]] if vectors is None else [0] * room, weight)
            at += len(name)

    def _embedding_at(self, ids: list[int], at: int) -> tuple[list[int], Tensor | None]:
        """The embedding whose name stands at `at`, else the single token there."""
        for name, vectors in self._embeddings:
            if ids[at : at + len(name)] == name:
                return name, vectors
        return ids[at : at + 1], None
