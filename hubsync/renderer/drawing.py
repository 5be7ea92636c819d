"""Draws the rows of a request in batches: rows of one prompt length together, smaller when memory runs out."""

from __future__ import annotations

import gc
import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from hubsync.errors import HubsyncError, OutOfMemory
from hubsync.prompts.syntax import BREAK_MARK, attention
from hubsync.render.wire import Line, Note, Progress, Request, Row
from hubsync.renderer.adapters import applied
from hubsync.renderer.encoding import PromptEncoder
from hubsync.renderer.loading import Pipeline
from hubsync.renderer.networks import Network

Indexed: TypeAlias = tuple[int, Row]

_PIXELS = {"cuda": 16 << 18, "mps": 4 << 18, "cpu": 4 << 18}
"""Pixels drawn at once: 16 or 4 pictures of 512x512. A processor's memory is the whole machine's: be modest there."""


class Artist:
    """Draws rows with one pipeline, the request's LoRAs and embeddings; `say` receives progress and notes."""

    def __init__(
        self,
        pipe: Pipeline,
        networks: Mapping[str, Network],
        embeddings: Mapping[str, Sequence[Tensor]],
        say: Callable[[Line], object],
    ) -> None:
        self._pipe = pipe
        self._networks = networks
        self._say = say
        weighted = getattr(pipe, "unet", None) is not None
        self._encoder = PromptEncoder(pipe, embeddings) if weighted else None

    def draw(self, request: Request) -> Iterator[tuple[int, Tensor]]:
        """Index and picture, (3, height, width) fp32 0..1, of every row; not in their order.

        Raises:
            OutOfMemory: not even one row fits.
            HubsyncError: the checkpoint gives no finite numbers.
        """
        if self._encoder is None and any(_is_weighted(row.prompt) for row in request.rows):
            self._say(Note(message="this checkpoint's text encoders know no weights: (word:1.2) is drawn as word"))
        most = request.batch or self._fitting(request)
        done = 0
        for group in self._alike(request.rows):
            waiting = group
            while waiting:
                batch = waiting[:most]
                pictures = self._fits(batch, request, done)
                if pictures is None:
                    most = self._halved(len(batch))
                    continue
                done += len(batch)
                waiting = waiting[most:]
                yield from zip((index for index, _ in batch), pictures, strict=True)

    def _fitting(self, request: Request) -> int:
        width, height = request.size or native_size(self._pipe)
        return max(1, _PIXELS.get(self._pipe.device.type, 0) // (width * height))

    def _alike(self, rows: Sequence[Row]) -> list[list[Indexed]]:
        """Rows in groups that need equally many chunks of tokens, so that no picture depends on its neighbours."""
        encoder = self._encoder
        if encoder is None:
            return [list(enumerate(rows))]
        numbered = sorted(enumerate(rows), key=lambda pair: encoder.length(pair[1]))
        return [list(group) for _, group in itertools.groupby(numbered, key=lambda pair: encoder.length(pair[1]))]

    def _batch(self, batch: Sequence[Indexed], request: Request, done: int) -> Tensor:
        rows = [row for _, row in batch]

        def step(pipe: Pipeline, at: int, _time: object, state: dict[str, Any]) -> dict[str, Any]:
            self._say(Progress(pictures=done + len(rows) * (at + 1) / pipe.num_timesteps))
            return state

        width, height = request.size or (None, None)
        with torch.no_grad(), applied(self._networks, [row.loras for row in rows]):
            pictures: Tensor = self._pipe(
                **self._prompts(rows),
                generator=[torch.Generator().manual_seed(row.seed) for row in rows],
                num_inference_steps=request.steps,
                guidance_scale=request.cfg,
                width=width,
                height=height,
                output_type="pt",
                callback_on_step_end=step,
            ).images.float()
        if not bool(torch.isfinite(pictures).all()):
            raise HubsyncError(
                f"the checkpoint gives no finite picture in {self._pipe.dtype}", hint="--device cpu draws in float32"
            )
        return pictures.cpu()

    def _prompts(self, rows: Sequence[Row]) -> Mapping[str, Any]:
        if self._encoder is not None:
            return self._encoder.encode(rows)
        given = {
            "prompt": [_plain(row.prompt) for row in rows],
            "negative_prompt": [_plain(row.negative) for row in rows],
        }
        return {name: text for name, text in given.items() if name in inspect.signature(self._pipe.__call__).parameters}

    def _fits(self, batch: Sequence[Indexed], request: Request, done: int) -> Tensor | None:
        """The pictures of a batch; None if memory ran out and fewer at once may do."""
        try:
            return self._batch(batch, request, done)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if len(batch) > 1:
                return None
            hint = "use a smaller --size, or --device cpu"
            raise OutOfMemory("there is too little memory for even one picture", hint=hint) from error

    def _halved(self, size: int) -> int:
        """Half a batch, with the memory of the failed one given back: the error that held it is gone by now."""
        gc.collect()
        if self._pipe.device.type == "cuda":
            torch.cuda.empty_cache()
        self._say(Note(message=f"out of memory with {size} pictures at once; going on with {size // 2}"))
        return size // 2


def native_size(pipe: Pipeline) -> tuple[int, int]:
    """Width and height in pixels of the pictures a pipeline was made for."""
    model = getattr(pipe, "unet", None) or pipe.transformer
    sample = getattr(pipe, "default_sample_size", None) or model.config.sample_size
    height, width = (sample, sample) if isinstance(sample, int) else sample
    return width * pipe.vae_scale_factor, height * pipe.vae_scale_factor


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device or the machine ran out of memory; MPS and the CPU allocator say it in the text alone."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and ("out of memory" in str(error) or "can't allocate memory" in str(error))


def _is_weighted(text: str) -> bool:
    return any(weight != 1 for _, weight in attention(text))


def _plain(text: str) -> str:
    """The prompt without weights: the text encoders of newer families know none."""
    return "".join(part for part, weight in attention(text) if (part, weight) != BREAK_MARK)
