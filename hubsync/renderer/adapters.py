"""Many LoRAs in one batch: each row's own low-rank products, added to what a module computes for all rows at once.

The base product is shared; a row costs only its rank. Rows of a batch hold different LoRAs at different weights,
ranks are padded with zeros, so a row without a LoRA (or at weight 0) adds exactly zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from hubsync.render.wire import Applied
from hubsync.renderer.names import Target
from hubsync.renderer.networks import Factors, Network

_Share = tuple[Factors, float]


@dataclass(frozen=True, slots=True)
class _Stack:
    """The factors of all rows: `down` (rows, rank, in[, kh, kw]), `up` (rows, out, rank[, 1, 1])."""

    down: Tensor
    up: Tensor

    def times(self, batch: int) -> _Stack:
        """For a batch that holds the rows several times over, as guidance makes it."""
        count = batch // len(self.down)
        return self if count == 1 else _Stack(*(torch.cat([factor] * count) for factor in (self.down, self.up)))


@contextmanager
def applied(networks: Mapping[str, Network], rows: Sequence[Sequence[Applied]]) -> Iterator[None]:
    """Within it, row i of every batch of len(rows), or a multiple of it, runs with the LoRAs of `rows[i]`."""
    handles = [
        target.module.register_forward_hook(_hook(_stack(target.module, shares)))
        for target, shares in _shares(networks, rows).items()
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _shares(networks: Mapping[str, Network], rows: Sequence[Sequence[Applied]]) -> dict[Target, list[list[_Share]]]:
    """Per module, what each row adds to it; only modules some row changes."""
    shares: dict[Target, list[list[_Share]]] = {}
    for index, uses in enumerate(rows):
        for use in uses:
            for target, factors in networks[use.lora].modules.items():
                weight = use.te if target.component.startswith("text_encoder") else use.unet
                if weight:
                    shares.setdefault(target, [[] for _ in rows])[index].append((factors, weight))
    return shares


def _stack(module: nn.Linear | nn.Conv2d, shares: Sequence[Sequence[_Share]]) -> _Stack:
    weight = module.weight
    rank = max(sum(factors.down.shape[0] for factors, _ in row) for row in shares)
    down = torch.zeros(len(shares), rank, *weight.shape[1:])
    up = torch.zeros(len(shares), weight.shape[0], rank, *[1] * (weight.ndim - 2))
    for index, row in enumerate(shares):
        at = 0
        for factors, strength in row:
            end = at + factors.down.shape[0]
            down[index, at:end] = factors.down
            up[index, :, at:end] = factors.up * (factors.scale * strength)
            at = end
    return _Stack(down.to(weight), up.to(weight))


def _hook(stack: _Stack) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor]:
    def add(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        x = inputs[0]
        factors = stack.times(len(x))
        if not isinstance(module, nn.Conv2d):
            return _linear(x, output, factors)
        if (module.kernel_size, module.stride, module.padding) == ((1, 1), (1, 1), (0, 0)):
            return _pointwise(x, output, factors)
        return _convolution(x, output, factors, module)

    return add


def _linear(x: Tensor, output: Tensor, stack: _Stack) -> Tensor:
    rows = len(x)
    reduced = x.reshape(rows, -1, x.shape[-1]) @ stack.down.mT
    return torch.baddbmm(output.reshape(rows, -1, output.shape[-1]), reduced, stack.up.mT).view_as(output)


def _pointwise(x: Tensor, output: Tensor, stack: _Stack) -> Tensor:
    """A 1x1 convolution is a matrix for every pixel."""
    reduced = stack.down.flatten(2) @ x.flatten(2)
    return torch.baddbmm(output.flatten(2), stack.up.flatten(2), reduced).view_as(output)


def _convolution(x: Tensor, output: Tensor, stack: _Stack, module: nn.Conv2d) -> Tensor:
    """One grouped convolution, a group a row."""
    rows = len(x)
    down, up = stack.down.flatten(0, 1), stack.up.flatten(0, 1)
    reduced = functional.conv2d(
        x.reshape(1, -1, *x.shape[2:]), down, None, module.stride, module.padding, module.dilation, rows
    )
    return output + functional.conv2d(reduced, up, groups=rows).view_as(output)
