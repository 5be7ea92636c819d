"""What each network type adds to a module's weight, from the tensors of its file.

Every type is a delta that a LoRA's weight multiplies, as AUTOMATIC1111 and ComfyUI do: `W + weight * delta(W)`. The
formulas are those of the trainers (LyCORIS, PEFT, kohya); plain low-rank pairs alone need no merging into W.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import ClassVar, Self

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Delta(ABC):
    """A change of one module's weight at weight 1, in fp32."""

    kind: ClassVar[str]
    """The network type's name."""

    @abstractmethod
    def of(self, weight: Tensor) -> Tensor:
        """What is added to `weight`, the module's own, in fp32; raises RuntimeError where the shapes do not fit."""

    @property
    def rowwise(self) -> bool:
        """Whether each output row depends on that row of the module alone, so that a fused module can be cut."""
        return True

    @property
    def size(self) -> int:
        """Bytes of its tensors."""
        return sum(own.size if isinstance(own, Delta) else own.nbytes for own in self._parts().values())

    def to(self, device: torch.device | str) -> Self:
        """The same with its tensors on a device."""
        return replace(self, **{name: own.to(device) for name, own in self._parts().items()})

    def _parts(self) -> dict[str, Tensor | Delta]:
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in own.items() if isinstance(value, (Tensor, Delta))}


@dataclass(frozen=True, slots=True)
class LowRank(Delta):
    """LoRA and LoCon: `scale * up @ down`. `down` is (rank, in[, kh, kw]), `up` (out, rank[, 1, 1])."""

    kind: ClassVar[str] = "LoRA"
    down: Tensor
    up: Tensor
    scale: float

    def of(self, weight: Tensor) -> Tensor:
        """The product of the pair."""
        return (self.up.flatten(1) @ self.down.flatten(1)).reshape(weight.shape) * self.scale


@dataclass(frozen=True, slots=True)
class Hadamard(Delta):
    """LoHa: two low-rank products, multiplied number by number; each with a Tucker core for convolutions."""

    kind: ClassVar[str] = "LoHa"
    w1_a: Tensor
    w1_b: Tensor
    w2_a: Tensor
    w2_b: Tensor
    t1: Tensor | None
    t2: Tensor | None
    scale: float

    def of(self, weight: Tensor) -> Tensor:
        """The product of the products."""
        first, second = product(self.w1_a, self.w1_b, self.t1), product(self.w2_a, self.w2_b, self.t2)
        return (first * second).reshape(weight.shape) * self.scale


@dataclass(frozen=True, slots=True)
class Kronecker(Delta):
    """LoKr: `scale * kron(w1, w2)`, `w1` (a, c) and `w2` (b, d[, kh, kw]) for a weight (a*b, c*d[, kh, kw])."""

    kind: ClassVar[str] = "LoKr"
    w1: Tensor
    w2: Tensor
    scale: float

    def of(self, weight: Tensor) -> Tensor:
        """The Kronecker product."""
        w1 = self.w1.reshape(*self.w1.shape, *[1] * (self.w2.ndim - 2))
        return torch.kron(w1, self.w2.contiguous()).reshape(weight.shape) * self.scale


@dataclass(frozen=True, slots=True)
class Generalised(Delta):
    """GLoRA: `scale * (W @ a + b)`, both low-rank: `a` (in, in), `b` (out, in[, kh, kw])."""

    kind: ClassVar[str] = "GLoRA"
    a1: Tensor
    a2: Tensor
    b: Tensor
    scale: float

    def of(self, weight: Tensor) -> Tensor:
        """What the weight is multiplied by along its inputs, and what is added."""
        turned = torch.einsum("oi...,ir,rj->oj...", weight, self.a1, self.a2)
        return (turned + self.b.reshape(weight.shape)) * self.scale


@dataclass(frozen=True, slots=True)
class Scaled(Delta):
    """(IA)3: every input or output of the module grows by a factor of its own; `factor` holds what exceeds 1."""

    kind: ClassVar[str] = "(IA)3"
    factor: Tensor
    on_input: bool

    def of(self, weight: Tensor) -> Tensor:
        """The weight times the factors."""
        shape = [1] * weight.ndim
        shape[int(self.on_input)] = -1
        return weight * self.factor.reshape(shape)


@dataclass(frozen=True, slots=True)
class Full(Delta):
    """A whole difference, as LyCORIS trains it for small modules and norms."""

    kind: ClassVar[str] = "full difference"
    difference: Tensor

    def of(self, weight: Tensor) -> Tensor:
        """The difference itself."""
        return self.difference.reshape(weight.shape)


@dataclass(frozen=True, slots=True)
class Orthogonal(Delta):
    """OFT and BOFT: blocks of output rows are rotated; in BOFT by the stages of a butterfly.

    `blocks` are (blocks, n, n), with stages before them in BOFT: halves of skew-symmetric matrices for the Cayley
    transform, or rotations already (`turned`). `limit` bounds the norm of all together, 0 not at all.
    """

    kind: ClassVar[str] = "OFT"
    blocks: Tensor
    rescale: Tensor | None
    limit: float
    turned: bool

    @property
    def rowwise(self) -> bool:
        """A rotation mixes rows."""
        return False

    def of(self, weight: Tensor) -> Tensor:
        """The rotated weight less the weight."""
        turns = self._rotations()
        if turns.ndim == 3:
            result = _rotate(weight, turns.mT)
        else:
            result = weight
            for stage, turn in enumerate(turns):
                result = _butterfly(result, turn, stage)
        if self.rescale is not None:
            result = result * self.rescale.reshape(-1, *[1] * (weight.ndim - 1))
        return result - weight

    def _rotations(self) -> Tensor:
        if self.turned:
            return self.blocks
        one = torch.eye(self.blocks.shape[-1], device=self.blocks.device)
        skew = self.blocks - self.blocks.mT
        if self.limit > 0:
            skew = skew * (self.limit / (skew.norm() + 1e-8)).clamp(max=1)
        turns: Tensor = (one + skew) @ torch.linalg.inv(one - skew)
        return turns


@dataclass(frozen=True, slots=True)
class Decomposed(Delta):
    """DoRA: the weight with another delta, every row (or every input) brought to a length of its own.

    `magnitude` has the weight's dimensions, 1 along those the length is taken over.
    """

    kind: ClassVar[str] = "DoRA"
    inner: Delta
    magnitude: Tensor

    @property
    def rowwise(self) -> bool:
        """The length of a row is its own, that of an input every row's."""
        return self.inner.rowwise and self.magnitude.shape[0] > 1

    def of(self, weight: Tensor) -> Tensor:
        """The lengthened weight less the weight."""
        moved = weight + self.inner.of(weight)
        magnitude = self.magnitude.reshape((*self.magnitude.shape, 1, 1)[: weight.ndim])
        over = [dim for dim, size in enumerate(magnitude.shape) if size == 1]
        length: Tensor = torch.linalg.vector_norm(moved, dim=over, keepdim=True)
        # Rows of zeros have no direction to lengthen.
        return moved * (magnitude / length.clamp_min(torch.finfo(torch.float32).tiny)) - weight


@dataclass(frozen=True, slots=True)
class Part(Delta):
    """Some output rows of a delta for a fused module, of which the checkpoint's module is one part of `total` rows."""

    kind: ClassVar[str] = "fused"
    whole: Delta
    rows: Tensor
    total: int

    def of(self, weight: Tensor) -> Tensor:
        """Those rows."""
        fused = weight.new_zeros(self.total, *weight.shape[1:])
        fused[self.rows] = weight
        return self.whole.of(fused)[self.rows]


def product(a: Tensor, b: Tensor, core: Tensor | None) -> Tensor:
    """A low-rank product (out, in); with a Tucker core (r, r, kh, kw) of `a` (r, out) and `b` (r, in)."""
    return a @ b.flatten(1) if core is None else torch.einsum("ij...,ip,jr->pr...", core, a, b)


def _rotate(weight: Tensor, turn: Tensor) -> Tensor:
    """Blocks of output rows times `turn`, (blocks, n, n)."""
    blocks = weight.reshape(*turn.shape[:2], *weight.shape[1:])
    return torch.einsum("bij,bj...->bi...", turn, blocks).flatten(0, 1)


def _butterfly(weight: Tensor, turn: Tensor, stage: int) -> Tensor:
    """One stage of BOFT: rows 2^stage half-blocks apart meet in a block, are rotated and go back."""
    apart, rest = 2**stage * (turn.shape[-1] // 2), weight.shape[1:]
    met = weight.reshape(-1, 2, apart, *rest).transpose(1, 2).flatten(0, 2)
    return _rotate(met, turn).reshape(-1, apart, 2, *rest).transpose(1, 2).flatten(0, 2)
