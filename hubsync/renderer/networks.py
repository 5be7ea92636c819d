"""LoRA files: low-rank factors by module name, bound to the modules of a pipeline; anything else is refused by name.

A library that loads such files "successfully" with no module touched draws the base picture. Here every tensor is
accounted for: applied, reported as left over, or the reason why the file is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from hubsync.errors import HubsyncError, NotFound, NotSafetensors, WrongFamily
from hubsync.renderer.names import Target, flatten

_FACTOR = re.compile(
    r"(?P<module>.+?)[._](?:lora_linear_layer\.|lora\.|lora_)(?P<role>down|up|A|B)(?:\.[^.]+)?\.weight"
)
_REFUSED = {
    "DoRA": re.compile(r"\.(dora_scale|lora_magnitude_vector(\..+)?)$"),
    "LoHa": re.compile(r"\.hada_[wt]\d"),
    "LoKr": re.compile(r"\.lokr_[wt]\d"),
    "LoCon with a Tucker core": re.compile(r"\.lora_mid\.weight$"),
    "OFT": re.compile(r"\.oft_(blocks|diag|R)\b"),
    "GLoRA": re.compile(r"\.[ab][12]\.weight$|\.b[12]$"),
    "(IA)3": re.compile(r"\.on_input$"),
    "full-difference": re.compile(r"\.(diff|diff_b|w_norm|b_norm)$"),
}


@dataclass(frozen=True, slots=True)
class Factors:
    """One module's delta: `scale * up @ down`. `down` is (rank, in[, kh, kw]), `up` (out, rank[, 1, 1]), fp32."""

    down: Tensor
    up: Tensor
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A LoRA bound to a pipeline. `leftover` names what the file holds and the pipeline has no place for."""

    name: str
    modules: Mapping[Target, Factors]
    leftover: tuple[str, ...] = ()


def load_network(name: str, path: Path, table: Mapping[str, Target]) -> Network:
    """Read the file at `path` and bind it to the modules of `table`.

    Raises:
        NotFound, NotSafetensors: no such file; not one of ours.
        WrongFamily: fewer than half of its modules are in the checkpoint, or one has another shape.
        HubsyncError: a network type that cannot be rendered yet, named.
    """
    tensors, metadata = _read(path)
    _refuse_other_types(name, tensors)
    factors, leftover = _pair(tensors, _Alphas(metadata))
    if not factors:
        example = next(iter(tensors), "no tensor at all")
        raise HubsyncError(
            f"'{name}' holds nothing the renderer knows as a LoRA: {len(tensors)} tensors, {example} first"
        )
    bound: dict[Target, Factors] = {}
    for module, pair in factors.items():
        if target := table.get(flatten(module)):
            bound[target] = _fit(name, target, pair)
        else:
            leftover.append(module)
    # A Flux file's CLIP part fits SD 1: with the rest left out the picture would pass for the LoRA's.
    if 2 * len(bound) < len(factors):
        raise WrongFamily(
            f"only {len(bound)} of the {len(factors)} modules of '{name}' exist in this checkpoint, not {leftover[0]}",
            hint="render it with --checkpoint of its own base model",
        )
    return Network(name=name, modules=bound, leftover=tuple(leftover))


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    if not path.is_file():
        raise NotFound(f"{path} is not there", hint="`hubsync scan` brings the library up to date")
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except SafetensorError as error:
        raise NotSafetensors(f"{path.name}: {error}", hint=f"`hubsync verify {path.stem}`") from error


def _refuse_other_types(name: str, tensors: Mapping[str, Tensor]) -> None:
    for kind, suffix in _REFUSED.items():
        found = [key for key in tensors if suffix.search(key)]
        if found:
            raise HubsyncError(
                f"'{name}' is a {kind} network ({found[0]} and {len(found) - 1} more): the renderer cannot apply it",
                hint="plain LoRA and LoCon files can be rendered",
            )


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


def _pair(tensors: Mapping[str, Tensor], alphas: _Alphas) -> tuple[dict[str, Factors], list[str]]:
    """Factors by module name, and the names of tensors that are no part of any."""
    halves: dict[str, dict[str, Tensor]] = {}
    leftover: list[str] = []
    for key, tensor in tensors.items():
        if match := _FACTOR.fullmatch(key):
            role = "down" if match["role"] in {"down", "A"} else "up"
            halves.setdefault(match["module"], {})[role] = tensor.float()
        elif not key.endswith(".alpha"):
            leftover.append(key)
    whole = {module: half for module, half in halves.items() if len(half) == 2}
    leftover += [module for module in halves if module not in whole]
    return {module: _factors(module, half, tensors, alphas) for module, half in whole.items()}, leftover


def _factors(module: str, half: Mapping[str, Tensor], tensors: Mapping[str, Tensor], alphas: _Alphas) -> Factors:
    down, up = half["down"], half["up"]
    alpha = tensors.get(f"{module}.alpha")
    scale = alphas.scale(module, down.shape[0]) if alpha is None else float(alpha.flatten()[0]) / down.shape[0]
    return Factors(down, up, scale)


def _fit(name: str, target: Target, factors: Factors) -> Factors:
    """The factors in the module's own form: SD 1 writes a 1x1 convolution where SD 2 has a linear layer."""
    module = target.module
    down, up = (_reshape(tensor, module) for tensor in (factors.down, factors.up))
    want = module.weight.shape
    kernel = torch.Size([1] * (len(want) - 2))
    if down.shape[1:] != want[1:] or up.shape != (want[0], down.shape[0], *kernel):
        raise WrongFamily(
            f"'{name}' does not fit this checkpoint: {target.path} is {list(want)}, "
            f"the file has {list(up.shape)} times {list(down.shape)}",
            hint="render it with --checkpoint of its own base model",
        )
    return Factors(down, up, factors.scale)


def _reshape(tensor: Tensor, module: nn.Module) -> Tensor:
    if isinstance(module, nn.Linear):
        return tensor.flatten(1) if tensor.ndim == 4 and tensor.shape[2:] == (1, 1) else tensor
    return tensor[:, :, None, None] if tensor.ndim == 2 else tensor
