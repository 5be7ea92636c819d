"""Prompts as the UNet's text conditioning, with AUTOMATIC1111's meaning of weights, chunks and embeddings.

A token's weight multiplies its vector in the encoder's output; then the chunk's mean is brought back to what it was.
Chunks are encoded apart and laid one after the other; a shorter prompt of a pair is filled up with empty chunks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from hubsync.render.wire import Row
from hubsync.renderer.loading import Pipeline
from hubsync.renderer.tokens import Chunk, Tokens


@dataclass(frozen=True, slots=True)
class _Encoder:
    """One text encoder: SD 1 and 2 take its last layer, SDXL the last but one of both."""

    model: Any
    tokens: Tokens
    penultimate: bool

    def encode(self, chunks: Sequence[Chunk]) -> tuple[Tensor, Tensor]:
        """(rows, 77, width) weighted, and the encoder's first output (pooled, where it has a projection)."""
        framed = [self.tokens.framed(chunk) for chunk in chunks]
        ids = torch.tensor([ids for ids, _ in framed], device=self.model.device)
        with _inserted(self.model.get_input_embeddings(), chunks):
            output = self.model(ids, output_hidden_states=self.penultimate)
        states = output.hidden_states[-2] if self.penultimate else output.last_hidden_state
        return _weighted(states, torch.tensor([weights for _, weights in framed], device=ids.device)), output[0]


class PromptEncoder:
    """Encodes rows for a StableDiffusionPipeline or a StableDiffusionXLPipeline."""

    def __init__(self, pipe: Pipeline, embeddings: Mapping[str, Sequence[Tensor]]) -> None:
        names = [name for name in ("text_encoder", "text_encoder_2") if getattr(pipe, name, None) is not None]
        self._pooled = "text_encoder_2" in names
        self._encoders = [
            _Encoder(
                getattr(pipe, name),
                Tokens(
                    getattr(pipe, name.replace("text_encoder", "tokenizer")),
                    {word: vectors[index] for word, vectors in embeddings.items()},
                ),
                penultimate=self._pooled,
            )
            for index, name in enumerate(names)
        ]
        self._zero_empty = bool(pipe.config.get("force_zeros_for_empty_prompt"))

    def length(self, row: Row) -> int:
        """Chunks a row needs; rows of one batch must need the same."""
        texts = (row.prompt, row.negative)
        return max(len(encoder.tokens.chunks(text)) for encoder in self._encoders for text in texts)

    def encode(self, rows: Sequence[Row]) -> dict[str, Tensor]:
        """Arguments of the pipeline for rows of one length."""
        count = self.length(rows[0])
        prompt, pooled = self._encode([row.prompt for row in rows], count)
        negative, negative_pooled = self._encode([row.negative for row in rows], count)
        if self._zero_empty:
            empty = torch.tensor([not row.negative for row in rows], device=negative.device)
            negative = negative.masked_fill(empty[:, None, None], 0)
            negative_pooled = negative_pooled.masked_fill(empty[:, None], 0)
        given = {"prompt_embeds": prompt, "negative_prompt_embeds": negative}
        if self._pooled:
            given |= {"pooled_prompt_embeds": pooled, "negative_pooled_prompt_embeds": negative_pooled}
        return given

    def _encode(self, texts: Sequence[str], count: int) -> tuple[Tensor, Tensor]:
        """(rows, 77 * count, width of all encoders together) and the first chunk's pooled output."""
        parts = []
        pooled = torch.empty(0)
        for encoder in self._encoders:
            cut = [encoder.tokens.chunks(text) for text in texts]
            padded = [[*chunks, *[Chunk()] * (count - len(chunks))] for chunks in cut]
            states, firsts = zip(*(encoder.encode(column) for column in zip(*padded, strict=True)), strict=True)
            parts.append(torch.cat(states, dim=1))
            pooled = firsts[0]
        return torch.cat(parts, dim=-1), pooled


def _weighted(states: Tensor, weights: Tensor) -> Tensor:
    if bool((weights == 1).all()):
        return states
    changed = states * weights[:, :, None].to(states)
    mean = states.float().mean((1, 2), keepdim=True) / changed.float().mean((1, 2), keepdim=True)
    return changed * mean.to(states)


@contextmanager
def _inserted(table: nn.Module, chunks: Sequence[Chunk]) -> Iterator[None]:
    """Within it, the token table answers with the embeddings' vectors where chunks hold them."""

    def replace(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        output = output.clone()
        for row, chunk in enumerate(chunks):
            for at, vectors in chunk.vectors.items():
                # The start token stands before the chunk's own.
                output[row, at + 1 : at + 1 + len(vectors)] = vectors.to(output)
        return output

    handle = table.register_forward_hook(replace)
    try:
        yield
    finally:
        handle.remove()
