"""LoRA files bound to the modules of a pipeline; every tensor is accounted for.

A library that loads such files "successfully" with no module touched draws the base picture. Here a tensor is applied,
reported as left over, or the reason why the file is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from hubsync.errors import HubsyncError, NotFound, NotSafetensors, WrongFamily
from hubsync.renderer.deltas import Delta, LowRank, Part
from hubsync.renderer.formats import Roles, by_module, read_bias, read_delta
from hubsync.renderer.names import Share, Table, Target, flatten

_UNDRAWN = {
    ".oft_R": "OFT as PEFT writes it",
    ".ia3_l": "(IA)3 as PEFT writes it",
    "vera_lambda": "VeRA",
}
"""Network types that some tools write and the renderer does not draw, by a part of their keys."""

Convert: TypeAlias = Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]
"""Another spelling of a file's tensors; nothing where it knows none."""

_OWN = "render it with --checkpoint of its own base model"


@dataclass(frozen=True, kw_only=True)
class Network:
    """A LoRA bound to a pipeline: what it changes of weights and biases at weight 1.

    `leftover` names what the file holds and the pipeline has no place for.
    """

    name: str
    modules: Mapping[Target, Delta]
    biases: Mapping[Target, Tensor] = field(default_factory=dict)
    leftover: tuple[str, ...] = ()

    @cached_property
    def merges(self) -> bool:
        """Whether something of it can only be merged into the weights, so that rows with it need a batch apart."""
        return bool(self.biases) or not all(isinstance(delta, LowRank) for delta in self.modules.values())

    @cached_property
    def components(self) -> frozenset[str]:
        """The parts of the pipeline that it changes."""
        return frozenset(target.component for target in (*self.modules, *self.biases))

    @cached_property
    def size(self) -> int:
        """Bytes of its tensors."""
        return sum(delta.size for delta in self.modules.values())

    def to(self, device: torch.device) -> Network:
        """The same with its tensors on a device."""
        return replace(
            self,
            modules={target: delta.to(device) for target, delta in self.modules.items()},
            biases={target: bias.to(device) for target, bias in self.biases.items()},
        )


def load_network(name: str, path: Path, table: Table, convert: Convert | None = None) -> Network:
    """Read the file at `path` and bind it to the modules of `table`.

    A file whose names are not in it is given to `convert`, which may know its family's other spellings.

    Raises:
        NotFound, NotSafetensors: no such file; not one of ours.
        WrongFamily: fewer than half of its modules are in the checkpoint, or one has another shape.
        HubsyncError: nothing in it is of a network type that the renderer knows.
    """
    tensors, metadata = _read(path)
    binder = _bound(name, tensors, table, metadata)
    if convert is not None and binder.misses and (converted := convert(tensors)):
        other = _bound(name, converted, table, metadata)
        if not other.misses:
            binder = other
            if _numbers(converted) < _numbers(tensors):
                binder.leftover.append("tensors that diffusers drops")
    return binder.network(first=next(iter(tensors), "no tensor at all"), tensors=len(tensors))


def _bound(name: str, tensors: Mapping[str, Tensor], table: Table, metadata: Mapping[str, str]) -> _Binder:
    modules, strangers = by_module(tensors)
    binder = _Binder(name, table, _Alphas(metadata), leftover=strangers)
    for module, roles in modules.items():
        binder.bind(module, roles)
    return binder


def _numbers(tensors: Mapping[str, Tensor]) -> int:
    """How many numbers a file's matrices hold; cutting a fused one makes more of them, never fewer."""
    return sum(tensor.numel() for tensor in tensors.values() if tensor.ndim > 1)


@dataclass(slots=True)
class _Binder:
    """Collects a file's deltas by the module each belongs to."""

    name: str
    table: Table
    alphas: _Alphas
    leftover: list[str]
    unplaced: list[str] = field(default_factory=list)
    deltas: dict[Target, Delta] = field(default_factory=dict)
    biases: dict[Target, Tensor] = field(default_factory=dict)
    known: int = 0
    found: int = 0

    @property
    def misses(self) -> bool:
        """Whether the file would be refused: less than half of it has a place."""
        return 2 * self.found < self.known

    def bind(self, module: str, roles: Roles) -> None:
        """Take one module of the file; what it is no part of is left over."""

        def scale(rank: int) -> float:
            return self.alphas.scale(module, rank)

        delta, bias = read_delta(roles, scale), read_bias(roles, scale)
        if delta is None and bias is None:
            self.leftover.append(module)
            return
        self.known += 1
        shares = self.table.get(flatten(module), ())
        if bias is not None and any(getattr(share.target.module, "bias", None) is None for share in shares):
            shares = ()
        if not shares:
            self.unplaced.append(module)
            return
        self.found += 1
        for share in shares:
            if delta is not None:
                self.deltas[share.target] = _fit(self.name, share, delta)
            if bias is not None:
                self.biases[share.target] = bias if share.rows is None else bias[share.rows]

    def network(self, *, first: str, tensors: int) -> Network:
        """The bound network, if the file is one and fits."""
        if not self.known:
            kind = next((kind for part, kind in _UNDRAWN.items() if part in first), "")
            what = f"is {kind}, which is not drawn" if kind else "holds nothing the renderer knows as a LoRA"
            raise HubsyncError(f"'{self.name}' {what}: {tensors} tensors, {first} first")
        # A Flux file's CLIP part fits SD 1: with the rest left out the picture would pass for the LoRA's.
        if self.misses:
            raise WrongFamily(
                f"only {self.found} of the {self.known} modules of '{self.name}' exist in this checkpoint, "
                f"not {self.unplaced[0]}",
                hint=_OWN,
            )
        leftover = (*self.leftover, *self.unplaced)
        return Network(name=self.name, modules=self.deltas, biases=self.biases, leftover=leftover)


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    if not path.is_file():
        raise NotFound(f"{path} is not there", hint="`hubsync scan` brings the library up to date")
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except SafetensorError as error:
        raise NotSafetensors(f"{path.name}: {error}", hint=f"`hubsync verify {path.stem}`") from error


class _Alphas:
    """Scales from PEFT's own settings, where a file carries them in its metadata."""

    def __init__(self, metadata: Mapping[str, str]) -> None:
        try:
            settings = json.loads(metadata.get("lora_adapter_metadata", "{}"))
        except json.JSONDecodeError:
            settings = {}
        self._settings: dict[str, Any] = settings if isinstance(settings, dict) else {}

    def scale(self, module: str, rank: int) -> float:
        """Alpha over rank for a module without an alpha tensor; 1 when nothing is said."""
        component, _, path = module.partition(".")
        found = {key.removeprefix(f"{component}."): value for key, value in self._settings.items() if "." in key}
        alpha = found.get("lora_alpha", rank)
        for ending, special in (found.get("alpha_pattern") or {}).items():
            if f".{path}".endswith(f".{ending}"):
                alpha = special
        return float(alpha) / (rank**0.5 if found.get("use_rslora") else rank)


def _fit(name: str, share: Share, delta: Delta) -> Delta:
    """The delta in the module's own form, cut to its share of a fused module."""
    if isinstance(delta, LowRank):
        return _fit_pair(name, share, delta)
    if share.rows is not None:
        if not delta.rowwise:
            raise HubsyncError(
                f"'{name}' turns the rows of a fused module ({delta.kind}) that this checkpoint keeps apart"
            )
        delta = Part(delta, share.rows, share.total)
    module = share.target.module
    try:
        # On the meta device nothing is computed but the shape.
        shape = delta.to("meta").of(torch.empty(module.weight.shape, device="meta")).shape
    except (RuntimeError, IndexError) as error:
        raise _unfit(name, share, f"the file's {delta.kind} tensors give another shape ({error})") from error
    if shape != module.weight.shape:
        raise _unfit(name, share, f"the file's {delta.kind} tensors give {list(shape)}")
    return delta


def _fit_pair(name: str, share: Share, pair: LowRank) -> LowRank:
    """SD 1 writes a 1x1 convolution where SD 2 has a linear layer; a fused module is cut by its outputs."""
    module = share.target.module
    down, up = (_reshape(tensor, module) for tensor in (pair.down, pair.up))
    want = torch.Size((share.total or module.weight.shape[0], *module.weight.shape[1:]))
    kernel = torch.Size([1] * (len(want) - 2))
    if len(want) < 2 or down.shape[1:] != want[1:] or up.shape != (want[0], down.shape[0], *kernel):
        raise _unfit(name, share, f"the file has {list(up.shape)} times {list(down.shape)}")
    return LowRank(down, up if share.rows is None else up[share.rows], pair.scale)


def _unfit(name: str, share: Share, why: str) -> WrongFamily:
    shape = list(share.target.module.weight.shape)
    return WrongFamily(f"'{name}' does not fit this checkpoint: {share.target.path} is {shape}, {why}", hint=_OWN)


def _reshape(tensor: Tensor, module: nn.Module) -> Tensor:
    if isinstance(module, nn.Linear):
        return tensor.flatten(1) if tensor.ndim == 4 and tensor.shape[2:] == (1, 1) else tensor
    return tensor[:, :, None, None] if tensor.ndim == 2 else tensor
