"""Which words a LoRA was trained on: how much more it changes the checkpoint's prediction with a word than without.

A trigger word does little to the checkpoint alone and much to the checkpoint with the LoRA. What a word is about is
decided while the picture is still noise, so the first steps of one trajectory are enough; no picture is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from hubsync.render.wire import Applied, Line, Probe, Progress, Request, Row
from hubsync.renderer.drawing import Artist
from hubsync.renderer.memory import Pipeline, native_size

_ASKED = 3
"""Steps taken of the trajectory."""

_LARGE = 512
"""Pixels from which on a checkpoint is asked for pictures of half its sides."""

_MOST = 32
"""Rows at once: 50 words in four passes of the checkpoint alone and four with the LoRA."""


@dataclass(slots=True)
class _Watch:
    """The predictions of the first steps, all rows led along the trajectory of the first run's first row."""

    path: list[Tensor] = field(default_factory=list)
    predictions: list[Tensor] = field(default_factory=list)
    leading: bool = True

    def see(self, _module: object, _inputs: object, output: Any) -> None:  # noqa: ANN401
        """Keep a prediction, (rows, ...) in fp32."""
        self.predictions.append((output[0] if isinstance(output, tuple) else output.sample).float().cpu())

    def lead(self, at: int, state: dict[str, Any]) -> None:
        """Put every row where the leader is."""
        latents = state["latents"]
        if self.leading:
            self.path.append(latents[:1].clone())
        state["latents"] = self.path[at].to(latents).expand_as(latents).clone()


def scores(pipe: Pipeline, artist: Artist, probe: Probe, say: Callable[[Line], object]) -> tuple[float, ...]:
    """For each word how much of the LoRA's change is there for the word alone, 0..1, the mean over the contexts.

    The change beyond that without a word, over itself and what the word changes without the LoRA: a word the
    checkpoint knows well is no trigger.
    """
    contexts = probe.request.rows
    found = []
    for number, context in enumerate(contexts):

        def progress(done: int, number: int = number) -> None:
            say(Progress(pictures=(number * len(probe.words) + done) / len(contexts)))

        found.append(_scores(pipe, artist, probe, context, progress))
    means: list[float] = torch.tensor(found).mean(0).tolist()
    return tuple(means)


def _scores(pipe: Pipeline, artist: Artist, probe: Probe, context: Row, progress: Callable[[int], None]) -> list[float]:
    """The scores in one context: the words before its prompt, with its seed."""
    texts = [context.prompt, *(f"{word}, {context.prompt}".removesuffix(", ") for word in probe.words)]
    path: list[Tensor] = []
    parts: list[Tensor] = []
    for start in range(0, len(texts), _MOST):
        part = texts[start : start + _MOST]
        alone, path = _predicted(pipe, artist, probe.request, [_row(context, text, ()) for text in part], path)
        changed, _ = _predicted(pipe, artist, probe.request, [_row(context, text, (probe.use,)) for text in part], path)
        parts.append(torch.stack([alone, changed]))
        progress(start + len(part) - 1)
    alone, changed = torch.cat(parts, dim=2)
    own = _sizes(alone - alone[:, :1])[1:]
    change = _sizes(changed - alone)
    share: list[float] = ((change[1:] - change[0]) / (change[1:] + own).clamp_min(1e-12)).clamp_min(0).tolist()
    return share


def _sizes(differences: Tensor) -> Tensor:
    """The size of each row of (steps, rows, ...): root mean square, the mean over the steps."""
    return differences.flatten(2).square().mean(2).sqrt().mean(0)


def _row(base: Row, text: str, loras: tuple[Applied, ...]) -> Row:
    return Row(prompt=text, negative=base.negative, seed=base.seed, loras=loras)


def _predicted(
    pipe: Pipeline, artist: Artist, request: Request, rows: Sequence[Row], path: list[Tensor]
) -> tuple[Tensor, list[Tensor]]:
    """Predictions (steps, rows, ...) and the trajectory they were made on; `path` is one laid down before."""
    watch = _Watch(path=path, leading=not path)
    model = getattr(pipe, "unet", None) or pipe.transformer

    def step(at: int, state: dict[str, Any]) -> None:
        watch.lead(at, state)
        # diffusers' own way to end a loop early.
        pipe._interrupt = at + 1 >= _ASKED  # noqa: SLF001

    width, height = native_size(pipe)
    # Half the sides tell as much of a word in a quarter of the time; a small checkpoint knows its own size alone.
    half = 1 if min(width, height) < _LARGE else 2
    size = {"width": width // half, "height": height // half}
    handle = model.register_forward_hook(watch.see)
    try:
        artist.run(rows, request, step, output_type="latent", **size)
    finally:
        handle.remove()
    return torch.stack(watch.predictions), watch.path
