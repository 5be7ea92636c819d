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
from hubsync.render.wire import Drawing, Line, Note, Progress, Request, Row
from hubsync.renderer.adapters import RowsLost, applied
from hubsync.renderer.encoding import Conditioning, PromptEncoder
from hubsync.renderer.memory import Pipeline, execution_device, most_rows, native_size, room
from hubsync.renderer.networks import Network
from hubsync.renderer.wardrobe import Wardrobe

Indexed: TypeAlias = tuple[int, Row]

_WINDOW = 64
"""Rows looked at together to find those that can be drawn at once: no LoRA far down the list holds up the first."""


class Artist:
    """Draws rows with one pipeline, the request's LoRAs and embeddings; `say` receives progress and notes."""

    def __init__(
        self,
        pipe: Pipeline,
        wardrobe: Wardrobe,
        embeddings: Mapping[str, Sequence[Tensor]],
        say: Callable[[Line], object],
    ) -> None:
        self._pipe = pipe
        self._wardrobe = wardrobe
        self._say = say
        self._said: list[Note] = []
        self._takes = frozenset(inspect.signature(pipe.__call__).parameters)
        # Kolors has a UNet too, but a text encoder that knows no chunks.
        clip = getattr(pipe, "unet", None) is not None and "CLIP" in type(pipe.text_encoder).__name__
        self._encoder = PromptEncoder(pipe, embeddings, execution_device(pipe)) if clip else None

    def draw(self, request: Request) -> Iterator[tuple[int, Tensor]]:
        """Index and picture, (3, height, width) fp32 0..1, of every row whose LoRAs can be applied; not in their order.

        Raises:
            OutOfMemory: not even one row fits.
            HubsyncError: the checkpoint gives no finite numbers.
        """
        if self._encoder is None and any(_is_weighted(row.prompt) for row in request.rows):
            self._say(Note(message="this checkpoint's text encoders know no weights: (word:1.2) is drawn as word"))
        size = request.size or native_size(self._pipe)
        processor = execution_device(self._pipe).type == "cpu"
        most = request.batch or most_rows(size, room(self._pipe), self._pipe.dtype, processor=processor)
        done = 0
        for group in self._alike(request):
            at = 0
            while at < len(group):
                batch = group[at : at + most]
                self._say(Drawing(rows=tuple(index for index, _ in batch)))
                pictures = self._fits(batch, request, done)
                if isinstance(pictures, int):
                    most = pictures
                    continue
                done, at = done + len(batch), at + len(batch)
                yield from zip((index for index, _ in batch), pictures, strict=True)

    def _alike(self, request: Request) -> Iterator[list[Indexed]]:
        """Rows in groups that can share a batch: with the same merged LoRAs, and equally many chunks of tokens, so that
        no picture depends on its neighbours.
        """

        def likeness(pair: Indexed) -> tuple[list[tuple[str, float, float]], int]:
            row = pair[1]
            merged = [(use.lora, use.te, use.unet) for use in row.loras if self._wardrobe.merges(use.lora)]
            return merged, self._encoder.length(row, self._evaluations(request)) if self._encoder else 0

        numbered = list(enumerate(request.rows))
        for start in range(0, len(numbered), _WINDOW):
            window = [
                pair for pair in numbered[start : start + _WINDOW] if all(self.has(use.lora) for use in pair[1].loras)
            ]
            for _, group in itertools.groupby(sorted(window, key=likeness), key=likeness):
                yield list(group)

    def has(self, lora: str) -> bool:
        """Whether a LoRA of the request can be applied; if not, why has been said."""
        return self._wardrobe.get(lora) is not None

    def _evaluations(self, request: Request) -> int:
        """How often the model is asked: samplers of second order ask twice a step, and schedules count that."""
        return request.steps * int(getattr(self._pipe.scheduler, "order", 1))

    def _fits(self, batch: Sequence[Indexed], request: Request, done: int) -> Tensor | int:
        """The pictures of a batch; where they cannot be drawn together, how many to try at once instead."""
        try:
            return self._batch([row for _, row in batch], request, done)
        except RowsLost:
            # Some pipelines of newer families take a batch apart inside.
            return 1
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if len(batch) == 1:
                hint = "use a smaller --size, or --device cpu"
                raise OutOfMemory("there is too little memory for even one picture", hint=hint) from error
        # Here the error is gone, and with it what it held.
        return self._halved(len(batch))

    def _batch(self, rows: Sequence[Row], request: Request, done: int) -> Tensor:
        def progress(at: int, _state: dict[str, Any]) -> None:
            self._say(Progress(pictures=done + len(rows) * (at + 1) / self._pipe.num_timesteps))

        pictures: Tensor = self.run(rows, request, progress).float()
        if not bool(torch.isfinite(pictures).all()):
            raise HubsyncError(
                f"the checkpoint gives no finite picture in {self._pipe.dtype}", hint="--device cpu draws in float32"
            )
        return pictures.cpu()

    def run(
        self,
        rows: Sequence[Row],
        request: Request,
        after_step: Callable[[int, dict[str, Any]], None],
        **options: object,
    ) -> Any:  # noqa: ANN401
        """What the pipeline makes of rows that can share a batch, with their LoRAs and the request's numbers.

        `after_step` is told each step's number from 0 and may change the state, `latents` among it; `options` replace
        arguments of the pipeline.
        """
        uses = [row.loras for row in rows]
        networks = {
            name: net for row in uses for name in (use.lora for use in row) if (net := self._wardrobe.get(name))
        }
        with torch.no_grad():
            given, conditioning = self._prompts(rows, networks, request)
            given |= self._options(request) | options
            given["callback_on_step_end"] = _after_step(after_step, conditioning)
            dice = [torch.Generator().manual_seed(row.seed) for row in rows]
            with applied(networks, uses, None if self._encoder is None else frozenset({"unet"})) as stacks:
                known = {name: value for name, value in given.items() if name in self._takes}
                images = self._pipe(**known, generator=dice).images
        idle = sum(not stack.used for stack in stacks)
        if idle:
            self._say_idle(idle, len(stacks))
        return images

    def _say_idle(self, idle: int, modules: int) -> None:
        """Modules that a pipeline has but never runs: with all of them idle the picture is the base picture."""
        if idle == modules:
            raise HubsyncError(f"{type(self._pipe).__name__} runs none of the {modules} modules that its LoRAs change")
        note = Note(message=f"{idle} of the {modules} modules that the LoRAs change are never run by this checkpoint")
        if note not in self._said:
            self._said.append(note)
            self._say(note)

    def _options(self, request: Request) -> dict[str, Any]:
        """What every picture of a request is drawn with, by every name pipelines have for it."""
        size = dict(zip(("width", "height"), request.size, strict=True)) if request.size else {}
        # Qwen-Image guides by `true_cfg_scale`; in Flux it would ask for a second, negative pass.
        guidance = "guidance_scale" if "Flux" in type(self._pipe).__name__ else "true_cfg_scale"
        return {
            "num_inference_steps": request.steps,
            "guidance_scale": request.cfg,
            guidance: request.cfg,
            # Sana and PixArt would draw another size and scale the picture.
            "use_resolution_binning": False,
            "output_type": "pt",
            **size,
        }

    def _prompts(
        self, rows: Sequence[Row], networks: Mapping[str, Network], request: Request
    ) -> tuple[dict[str, Any], Conditioning | None]:
        """The pipeline's arguments to begin with, and what they become."""
        if self._encoder is not None:
            conditioning = self._encoder.encode(rows, networks, self._evaluations(request))
            return {**conditioning.given(conditioning.stage(0))}, conditioning
        texts = {
            "prompt": [_plain(row.prompt) for row in rows],
            "negative_prompt": [_plain(row.negative) for row in rows],
        }
        return texts, None

    def _halved(self, size: int) -> int:
        """Half a batch, with the memory of the failed one given back."""
        gc.collect()
        if execution_device(self._pipe).type == "cuda":
            torch.cuda.empty_cache()
        self._say(Note(message=f"out of memory with {size} pictures at once; going on with {size // 2}"))
        return size // 2


def _after_step(
    tell: Callable[[int, dict[str, Any]], None], conditioning: Conditioning | None
) -> Callable[[Pipeline, int, object, dict[str, Any]], dict[str, Any]]:
    """The pipeline's callback: tells, and changes prompts that change."""

    def step(pipe: Pipeline, at: int, _time: object, state: dict[str, Any]) -> dict[str, Any]:
        tell(at, state)
        if conditioning is None or conditioning.stage(at + 1) == conditioning.stage(at):
            return state
        return {**state, **_replaced(pipe, conditioning.given(conditioning.stage(at + 1)))}

    return step


def _replaced(pipe: Pipeline, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Prompts for the steps to come, as a running pipeline holds them: with guidance, the negative ones first."""

    def held(prefix: str) -> Tensor:
        positive = given[f"{prefix}prompt_embeds"]
        return (
            torch.cat([given[f"negative_{prefix}prompt_embeds"], positive])
            if pipe.do_classifier_free_guidance
            else positive
        )

    pooled = {"add_text_embeds": held("pooled_")} if "pooled_prompt_embeds" in given else {}
    return {"prompt_embeds": held(""), **pooled}


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
