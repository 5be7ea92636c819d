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

    def linear(self, x: Tensor) -> Tensor:
        """(k * rows, …, in) to (k * rows, tokens, out); guidance makes k = 2 of each row."""
        rows = self.down.shape[0]
        x = x.reshape(x.shape[0] // rows, rows, -1, x.shape[-1])
        return (x @ self.down.mT @ self.up.mT).flatten(0, 1)

    def convolution(self, x: Tensor, module: nn.Conv2d) -> Tensor:
        """One grouped convolution, a group a row."""
        rows = self.down.shape[0]
        x = x.reshape(x.shape[0] // rows, -1, *x.shape[2:])
        down, up = self.down.flatten(0, 1), self.up.flatten(0, 1)
        x = functional.conv2d(x, down, None, module.stride, module.padding, module.dilation, rows)
        return functional.conv2d(x, up, groups=rows)


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
        if isinstance(module, nn.Conv2d):
            return output + stack.convolution(inputs[0], module).view_as(output)
        return output + stack.linear(inputs[0]).view_as(output)

    return add
