"""The adapter algorithms: which tensor marks an adapted module, its rank, and the matrix it stands for.

Names and shapes are those kohya-ss/sd-scripts, LyCORIS, peft and diffusers write.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from hubsync.files.tensors import Tensor

Shape: TypeAlias = tuple[int, ...]
Part: TypeAlias = Callable[[str], Shape]
_ABSENT: Shape = (0, 0)


class Sides(NamedTuple):
    """The module's own matrix; `kernel` is the size of a convolution's window. 0: the header does not tell."""

    outputs: int
    inputs: int
    kernel: int = 1

    @property
    def full(self) -> int:
        """Numbers the matrix holds unfactored; a side not told is taken to be as long as the other."""
        return (self.outputs or self.inputs) * (self.inputs or self.outputs) * self.kernel


@dataclass(frozen=True, slots=True)
class Algorithm:
    """`lead` ends the name of one tensor of every module; its shape has the rank at `axis` (None: no rank).

    packed: the lead holds only what lies above the diagonals of its blocks, one block a row.
    """

    network: str
    lead: str
    axis: int | None
    sides: Callable[[Shape, Part], Sides]
    packed: bool = False

    def unpacked(self, shape: Shape) -> Shape:
        """The lead's shape with its blocks as squares: [rows, size * (size - 1) / 2] is [rows, size, size]."""
        if not self.packed or len(shape) < 2:
            return shape
        size = (1 + math.isqrt(1 + 8 * shape[1])) // 2
        return (shape[0], size, size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The modules of a file that follow one algorithm: their names, and the name of each one's lead tensor."""

    algorithm: Algorithm
    names: tuple[str, ...]
    leads: tuple[str, ...]

    def shapes(self, tensors: Mapping[str, Tensor]) -> list[Shape]:
        """The shape of each lead tensor, its blocks as squares."""
        shapes = [tensors[lead].shape for lead in self.leads]
        return [self.algorithm.unpacked(shape) for shape in shapes] if self.algorithm.packed else shapes

    def ranks(self, tensors: Mapping[str, Tensor]) -> list[int]:
        """Each module's rank; empty where the algorithm has none."""
        axis = self.algorithm.axis
        return [] if axis is None else [shape[axis] for shape in self.shapes(tensors) if shape]

    def sides(self, name: str, tensors: Mapping[str, Tensor]) -> Sides:
        """The matrix of one module."""
        lead = self.algorithm.unpacked(tensors[name + self.algorithm.lead].shape)
        return self.algorithm.sides(lead, _parts(tensors, name))


def find_groups(names: Sequence[str]) -> tuple[Group, ...]:
    """Every adapted module, once, from the names of all tensors."""
    groups: list[Group] = []
    taken: set[str] = set()
    for algorithm in _present({name[-_LONGEST:] for name in names}):
        lead, cut = algorithm.lead, -len(algorithm.lead)
        leads = [name for name in names if name.endswith(lead) and name[:cut] not in taken]
        if lead == _BARE_DOWN:
            leads = [name for name in leads if "lora" in name]
        if leads:
            modules = tuple(name[:cut] for name in leads)
            groups.append(Group(algorithm=algorithm, names=modules, leads=tuple(leads)))
            taken.update(modules)
    return tuple(groups)


def _present(endings: set[str]) -> list[Algorithm]:
    text = "\n".join(endings) + "\n"
    found = [algorithm for algorithm in ALGORITHMS if f"{algorithm.lead}\n" in text]
    if named := _NAMED.search(text):
        # peft saved with the adapter's own name inside, mostly "default".
        adapter = named[1]
        found.append(Algorithm("lora", f".lora_A.{adapter}.weight", 0, _low_rank(f".lora_B.{adapter}.weight")))
    return found


def _parts(tensors: Mapping[str, Tensor], name: str) -> Part:
    def part(suffix: str) -> Shape:
        tensor = tensors.get(name + suffix)
        return tensor.shape if tensor and len(tensor.shape) > 1 else _ABSENT

    return part


def _low_rank(up: str, mid: str = "") -> Callable[[Shape, Part], Sides]:
    """LoRA: down [rank, inputs, *window], up [outputs, rank], and the Tucker core mid [rank, rank, *window]."""

    def sides(down: Shape, part: Part) -> Sides:
        core = part(mid)[2:] if mid else ()
        return Sides(part(up)[0], math.prod(down[1:2]), math.prod(core or down[2:]))

    return sides


def _loha(w1_b: Shape, part: Part) -> Sides:
    """LoHa: w1_a [outputs, rank], w1_b [rank, inputs * window]; beside the core t1, w1_a lies the other way."""
    core, w1_a = part(".hada_t1"), part(".hada_w1_a")
    return Sides(w1_a[0 if core is _ABSENT else 1], math.prod(w1_b[1:2]), math.prod(core[2:]))


def _lokr(_lead: Shape, part: Part) -> Sides:
    """LoKr: the Kronecker product of w1 and w2, each whole or as a product a b."""
    left, right, core = part(".lokr_w1"), part(".lokr_w2"), part(".lokr_t2")
    if left is _ABSENT:
        left = (part(".lokr_w1_a")[0], part(".lokr_w1_b")[1])
    if right is _ABSENT:
        right = (part(".lokr_w2_a")[0 if core is _ABSENT else 1], part(".lokr_w2_b")[1], *core[2:])
    return Sides(left[0] * right[0], left[1] * right[1], math.prod(right[2:]))


def _oft(blocks: Shape, _part: Part) -> Sides:
    """OFT: rotations [blocks, size, size] of the outputs; BOFT has several rounds of them in front."""
    return Sides(math.prod(blocks[-3:-1]), 0)


def _oft_inputs(blocks: Shape, _part: Part) -> Sides:
    """OFT as peft has it: rotations [blocks, size, size] of the inputs."""
    return Sides(0, math.prod(blocks[:2]))


def _glora(_lead: Shape, part: Part) -> Sides:
    """GLoRA: b1 [outputs, rank] b2 [rank, inputs] is added; a1 a2 turns the inputs."""
    return Sides(part(".b1.weight")[0], part(".b2.weight")[1])


def _ia3(lead: Shape, part: Part) -> Sides:
    """(IA)3: one factor for each output, or for each input; peft's lead is these factors."""
    return Sides(max(*lead, *part(".weight")), 0)


def _whole(diff: Shape, _part: Part) -> Sides:
    """The difference itself; a vector (bias, norm) is a matrix of one column."""
    return Sides(math.prod(diff[:1]), math.prod(diff[1:2]), math.prod(diff[2:]))


_BARE_DOWN = ".down.weight"
_NAMED = re.compile(r"\.lora_A\.([^.\n]+)\.weight\n")
_LONGEST = 48  # room for an adapter's name

ALGORITHMS = (
    Algorithm("lora", ".lora_down.weight", 0, _low_rank(".lora_up.weight", ".lora_mid.weight")),
    Algorithm("lora", ".lora_A.weight", 0, _low_rank(".lora_B.weight")),
    # Old diffusers ("to_q.lora.down", "to_q_lora.down", "lora_linear_layer.down") and XLabs ("qkv_lora1.down").
    Algorithm("lora", _BARE_DOWN, 0, _low_rank(".up.weight")),
    Algorithm("lora", ".lora_A", 0, _low_rank(".lora_B")),
    Algorithm("loha", ".hada_w1_b", 0, _loha),
    Algorithm("lokr", ".lokr_w2_b", 0, _lokr),
    Algorithm("lokr", ".lokr_w1_b", 0, _lokr),
    Algorithm("lokr", ".lokr_w1", None, _lokr),
    Algorithm("oft", ".oft_blocks", -1, _oft),
    Algorithm("oft", ".oft_R.weight", -1, _oft_inputs, packed=True),
    Algorithm("oft", ".boft_R", -1, _oft),
    Algorithm("glora", ".a2.weight", 0, _glora),
    Algorithm("ia3", ".on_input", None, _ia3),
    Algorithm("ia3", ".ia3_l", None, _ia3),
    Algorithm("full", ".diff", None, _whole),
    Algorithm("full", ".diff_b", None, _whole),
    Algorithm("full", ".w_norm", None, _whole),
    Algorithm("full", ".b_norm", None, _whole),
)
"""In the order a module that fits several is given to; the whole differences last, for they come beside others."""
