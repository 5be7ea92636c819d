"""The one training loop every stage uses: AdamW, warm-up, a constant stretch, a linear fall, an optional average."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long and how fast to train. Steps are counted, never timed, so that a run can be repeated."""

    steps: int
    rate: float
    warm_up: int = 30
    hold: float = 0.5
    decay: float = 0.0
    average: bool = False

    def rate_at(self, step: int) -> float:
        """The learning rate at `step`, falling from `hold` of the way to 2 % at the end."""
        done = step / self.steps
        fall = 1.0 if done < self.hold else max(0.02, (1 - done) / (1 - self.hold))
        return self.rate * min(1.0, (step + 1) / self.warm_up) * fall


def fit(name: str, parameters: list[nn.Parameter], loss: Callable[[], Tensor], plan: Plan) -> None:
    """Train `parameters` by `plan`, printing progress ten times."""
    optimizer = torch.optim.AdamW(parameters, lr=plan.rate, weight_decay=plan.decay, betas=(0.9, 0.98))
    mean = _Average(parameters) if plan.average else None
    smooth = 0.0
    started = time.process_time()
    for step in range(plan.steps):
        for group in optimizer.param_groups:
            group["lr"] = plan.rate_at(step)
        value = _step(optimizer, parameters, loss)
        smooth += (value - smooth) / min(step + 1, 50)
        if mean:
            mean.add(step)
        if (step + 1) % max(1, plan.steps // 10) == 0:
            spent = time.process_time() - started
            print(f"{name}: step {step + 1}/{plan.steps}, loss {smooth:.4f}, {spent:.0f} CPU s", flush=True)
    if mean:
        mean.put()


def _step(optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter], loss: Callable[[], Tensor]) -> float:
    value = loss()
    optimizer.zero_grad()
    torch.autograd.backward(value)
    nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    return value.item()


class _Average:
    """Exponential moving average of parameters, with a short memory at the start."""

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        self._parameters = parameters
        self._mean = [parameter.detach().clone() for parameter in parameters]

    def add(self, step: int) -> None:
        """Take the parameters after `step` in."""
        share = 1 - min(0.995, (1 + step) / (10 + step))
        for mean, parameter in zip(self._mean, self._parameters, strict=True):
            mean.lerp_(parameter.detach(), share)

    def put(self) -> None:
        """Write the average into the parameters."""
        with torch.no_grad():
            for parameter, mean in zip(self._parameters, self._mean, strict=True):
                parameter.copy_(mean)
