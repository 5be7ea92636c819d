"""Prompts as the UNet's text conditioning, with AUTOMATIC1111's meaning of weights, chunks, schedules and embeddings.

A token's weight multiplies its vector in the encoder's output; then the chunk's mean is brought back to what it was.
Chunks are encoded apart and laid one after the other; a shorter prompt of a pair is filled up with empty chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from hubsync.prompts.schedules import schedules
from hubsync.render.wire import Applied, Row
from hubsync.renderer.adapters import applied
from hubsync.renderer.memory import Pipeline
from hubsync.renderer.networks import Network
from hubsync.renderer.tokens import Chunk, Tokens

_AT_ONCE = 64
"""Chunks encoded in one pass."""

_Key: TypeAlias = tuple[str, tuple[Applied, ...]]
"""A text and the LoRAs that change how it is encoded."""


@dataclass(frozen=True, slots=True)
class _Encoder:
    """One text encoder: SD 1 and 2 take its last layer, SDXL the last but one of both."""

    name: str
    model: Any
    tokens: Tokens
    penultimate: bool
    device: torch.device

    def encode(self, chunks: Sequence[Chunk]) -> tuple[Tensor, Tensor]:
        """(chunks, 77, width) weighted, and the encoder's first output (pooled, where it has a projection)."""
        framed = [self.tokens.framed(chunk) for chunk in chunks]
        ids = torch.tensor([ids for ids, _ in framed], device=self.device)
        with _inserted(self.model.get_input_embeddings(), chunks):
            output = self.model(ids, output_hidden_states=self.penultimate)
        states = output.hidden_states[-2] if self.penultimate else output.last_hidden_state
        return _weighted(states, torch.tensor([weights for _, weights in framed], device=ids.device)), output[0]


@dataclass(frozen=True, slots=True)
class _Encoded:
    """A text by one encoder: (chunks, 77, width), and the first chunk's pooled output."""

    states: Tensor
    pooled: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditioning:
    """Rows' prompts through the steps of a picture: `given` makes the pipeline's arguments for the stage ending there.

    Tensors are (rows, tokens, width), pooled ones (rows, width).
    """

    ends: Sequence[int]
    given: Callable[[int], Mapping[str, Tensor]]

    def stage(self, step: int) -> int:
        """The stage that a step, counted from 0, lies in, by its end.

        AUTOMATIC1111 compares that count with ends that count from 1, so its first stage lasts one step longer than the
        number in the prompt says (`reconstruct_cond_batch` in prompt_parser.py).
        """
        return next((end for end in self.ends if step <= end), self.ends[-1])


class PromptEncoder:
    """Encodes rows for a StableDiffusionPipeline or a StableDiffusionXLPipeline; each text and LoRA set once."""

    def __init__(self, pipe: Pipeline, embeddings: Mapping[str, Sequence[Tensor]], device: torch.device) -> None:
        names = [name for name in ("text_encoder", "text_encoder_2") if getattr(pipe, name, None) is not None]
        self._pooled = "text_encoder_2" in names
        self._encoders = [
            _Encoder(
                name,
                getattr(pipe, name),
                Tokens(
                    getattr(pipe, name.replace("text_encoder", "tokenizer")),
                    {word: vectors[index] for word, vectors in embeddings.items()},
                ),
                penultimate=self._pooled,
                device=device,
            )
            for index, name in enumerate(names)
        ]
        self._zero_empty = bool(pipe.config.get("force_zeros_for_empty_prompt"))
        self._cache: dict[tuple[str, _Key], _Encoded] = {}

    def length(self, row: Row, steps: int) -> int:
        """Chunks a row needs; rows of one batch must need the same."""
        texts = {text for prompt in (row.prompt, row.negative) for _, text in schedules(prompt, steps)}
        return max(len(encoder.tokens.chunks(text)) for encoder in self._encoders for text in texts)

    def encode(self, rows: Sequence[Row], networks: Mapping[str, Network], steps: int) -> Conditioning:
        """The conditioning of rows of one length; their LoRAs are in `networks`."""
        uses = [_textual(row, networks) for row in rows]
        sides = [[schedules(text, steps) for text in (row.prompt, row.negative)] for row in rows]
        ends = sorted({end for pair in sides for stretches in pair for end, _ in stretches})
        keys = {(text, use) for pair, use in zip(sides, uses, strict=True) for side in pair for _, text in side}
        self._encode_all([*keys, *(("", use) for use in {*uses})], networks)
        count = max(self.length(row, steps) for row in rows)

        def given(end: int) -> dict[str, Tensor]:
            texts = [[(_text_at(side, end), use) for side in pair] for pair, use in zip(sides, uses, strict=True)]
            prompt, negative = zip(*texts, strict=True)
            return self._arguments(prompt, negative, count)

        return Conditioning(ends=ends, given=given)

    def _arguments(self, prompt: Sequence[_Key], negative: Sequence[_Key], count: int) -> dict[str, Tensor]:
        """Arguments of the pipeline for one stage."""
        positive_states, pooled = self._joined(prompt, count)
        negative_states, negative_pooled = self._joined(negative, count)
        if self._zero_empty:
            empty = torch.tensor([not text for text, _ in negative], device=negative_states.device)
            negative_states = negative_states.masked_fill(empty[:, None, None], 0)
            negative_pooled = negative_pooled.masked_fill(empty[:, None], 0)
        given = {"prompt_embeds": positive_states, "negative_prompt_embeds": negative_states}
        if self._pooled:
            given |= {"pooled_prompt_embeds": pooled, "negative_pooled_prompt_embeds": negative_pooled}
        return given

    def _joined(self, keys: Sequence[_Key], count: int) -> tuple[Tensor, Tensor]:
        """(rows, 77 * count, width of all encoders together) and the last encoder's pooled output."""
        parts = []
        for encoder in self._encoders:
            rows = [self._padded(encoder.name, key, count).flatten(0, 1) for key in keys]
            parts.append(torch.stack(rows))
        last = self._encoders[-1].name
        return torch.cat(parts, dim=-1), torch.stack([self._cache[last, key].pooled for key in keys])

    def _padded(self, encoder: str, key: _Key, count: int) -> Tensor:
        states = self._cache[encoder, key].states
        empty = self._cache[encoder, ("", key[1])].states
        return torch.cat([states, *[empty] * (count - len(states))])

    def _encode_all(self, keys: Iterable[_Key], networks: Mapping[str, Network]) -> None:
        """Encode the texts that are not known yet, together."""
        for encoder in self._encoders:
            new = [key for key in dict.fromkeys(keys) if (encoder.name, key) not in self._cache]
            cut = {key: encoder.tokens.chunks(key[0]) for key in new}
            flat = [(key, chunk) for key, chunks in cut.items() for chunk in chunks]
            done: dict[_Key, list[tuple[Tensor, Tensor]]] = {key: [] for key in new}
            for start in range(0, len(flat), _AT_ONCE):
                part = flat[start : start + _AT_ONCE]
                with applied(networks, [key[1] for key, _ in part], frozenset({encoder.name})):
                    states, pooled = encoder.encode([chunk for _, chunk in part])
                for (key, _), state, first in zip(part, states, pooled, strict=True):
                    done[key].append((state, first))
            for key, encoded in done.items():
                states = torch.stack([state for state, _ in encoded])
                self._cache[encoder.name, key] = _Encoded(states, encoded[0][1])


def _textual(row: Row, networks: Mapping[str, Network]) -> tuple[Applied, ...]:
    """The uses that change how the row's texts are encoded, the UNet's weight aside: sliders share one encoding."""
    return tuple(
        Applied(lora=use.lora, te=use.te, unet=0.0)
        for use in row.loras
        if use.te and any(part.startswith("text_encoder") for part in networks[use.lora].components)
    )


def _text_at(stretches: Sequence[tuple[int, str]], end: int) -> str:
    """The text of the stretch that step `end` lies in."""
    return next((text for last, text in stretches if end <= last), stretches[-1][1])


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
