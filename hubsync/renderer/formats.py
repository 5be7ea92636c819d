"""Tensors of a LoRA file: which module and role a key means, and the delta that the tensors of one module describe."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

import torch
from torch import Tensor

from hubsync.renderer.deltas import (
    Decomposed,
    Delta,
    Full,
    Generalised,
    Hadamard,
    Kronecker,
    LowRank,
    Orthogonal,
    Scaled,
    product,
)

Roles: TypeAlias = dict[str, Tensor]
"""One module's tensors, fp32, by what they are to it: `down`, `alpha`, `hada_w1_a`."""

Scale: TypeAlias = Callable[[int], float]
"""The scale of a module of that rank whose file holds no alpha."""

_HALF = re.compile(
    r"(?P<module>.+?)[._](?:lora_linear_layer\.|lora(?P<branch>[12]?)\.|lora_)(?P<half>down|up|mid|A|B)"
    r"(?:\.(?!weight|bias)[^.]+)?\.(?P<leaf>weight|bias)"
)
_OTHER = re.compile(
    r"(?P<module>.+)\.(?P<role>alpha|dora_scale|lora_magnitude_vector|hada_(?:w[12]_[ab]|t[12])|lokr_(?:w[12](?:_[ab])?|t2)"
    r"|oft_(?:blocks|diag)|rescale|a[12]|b[12m]|on_input|diff(?:_b)?|[wb]_norm)(?:\.[^.]+)?"
)
_PLAIN = re.compile(r"(?P<module>.+)\.weight")
_HALVES = {"A": "down", "B": "up"}


def by_module(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Roles], list[str]]:
    """A file's tensors by module and role, and the keys that are no part of any network type known."""
    modules: dict[str, Roles] = {}
    strangers: list[str] = []
    for key, tensor in tensors.items():
        if place := _place(key):
            modules.setdefault(place[0], {})[place[1]] = tensor.float()
        else:
            strangers.append(key)
    return modules, strangers


def _place(key: str) -> tuple[str, str] | None:
    """The module and role that a key names."""
    if match := _HALF.fullmatch(key):
        half = _HALVES.get(match["half"], match["half"])
        # XLabs numbers the halves of a double block: 1 for the picture's, 2 for the text's.
        return match["module"] + (match["branch"] or ""), half if match["leaf"] == "weight" else f"{half}_bias"
    if match := _OTHER.fullmatch(key):
        return match["module"], match["role"]
    match = _PLAIN.fullmatch(key)
    return (match["module"], "weight") if match else None


def read_bias(roles: Roles, scale: Scale) -> Tensor | None:
    """What a module's tensors add to its bias at weight 1."""
    whole = roles.get("diff_b", roles.get("b_norm"))
    if whole is None and "up_bias" in roles and "down" in roles:
        return roles["up_bias"] * _scale(roles, roles["down"].shape[0], scale)
    return whole


def read_delta(roles: Roles, scale: Scale) -> Delta | None:
    """The delta that one module's tensors describe; None where they are no whole of any known type."""
    found = next((delta for read in _READERS if (delta := read(roles, scale)) is not None), None)
    if found is None:
        return None
    if (magnitude := roles.get("dora_scale")) is not None:
        return Decomposed(found, magnitude)
    if (magnitude := roles.get("lora_magnitude_vector")) is not None:
        # PEFT keeps one number an output, in the shape of the module's output.
        return Decomposed(found, magnitude.reshape(-1, 1))
    return found


def _low_rank(roles: Roles, scale: Scale) -> Delta | None:
    down, mid, up = _some(roles, "down", "mid", "up")
    if down is None or up is None:
        return None
    if mid is not None:
        down = torch.einsum("mn...,nj->mj...", mid, down.flatten(1))
    return LowRank(down, up, _scale(roles, down.shape[0], scale))


def _hadamard(roles: Roles, scale: Scale) -> Delta | None:
    w1_a, w1_b, w2_a, w2_b, t1, t2 = _some(roles, *(f"hada_{x}" for x in ("w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2")))
    if w1_a is None or w1_b is None or w2_a is None or w2_b is None:
        return None
    return Hadamard(w1_a, w1_b, w2_a, w2_b, t1, t2, _scale(roles, w1_b.shape[0], scale))


def _kronecker(roles: Roles, scale: Scale) -> Delta | None:
    w1, w1_a, w1_b = _some(roles, "lokr_w1", "lokr_w1_a", "lokr_w1_b")
    w2, w2_a, w2_b, t2 = _some(roles, "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2")
    first = product(w1_a, w1_b, None) if w1_a is not None and w1_b is not None else w1
    second = product(w2_a, w2_b, t2) if w2_a is not None and w2_b is not None else w2
    if first is None or second is None:
        return None
    # With neither half factored there is no rank, and LyCORIS scales by 1 whatever alpha says.
    rank = next((half.shape[0] for half in (w2_b, w1_b) if half is not None), 0)
    return Kronecker(first, second, _scale(roles, rank, scale) if rank else 1.0)


def _generalised(roles: Roles, scale: Scale) -> Delta | None:
    a1, a2, b1, b2, mid = _some(roles, "a1", "a2", "b1", "b2", "bm")
    if a1 is None or a2 is None or b1 is None or b2 is None:
        return None
    if not a1.shape[1] == a2.shape[0] == b1.shape[1] == b2.shape[0]:
        # LyCORIS before 2.0 called the halves the other way round.
        a1, a2, b1, b2 = a2, a1, b2, b1
    if mid is not None:
        b2 = torch.einsum("mn...,nj->mj...", mid, b2.flatten(1))
    return Generalised(a1.flatten(1), a2.flatten(1), b1.flatten(1) @ b2.flatten(1), _scale(roles, a2.shape[0], scale))


def _scaled(roles: Roles, _scale: Scale) -> Delta | None:
    factor, on_input = _some(roles, "weight", "on_input")
    return None if factor is None or on_input is None else Scaled(factor, bool(on_input.flatten()[0]))


def _full(roles: Roles, _scale: Scale) -> Delta | None:
    difference = roles.get("diff", roles.get("w_norm"))
    return None if difference is None else Full(difference)


def _orthogonal(roles: Roles, _scale: Scale) -> Delta | None:
    skew, turned, rescale, alpha = _some(roles, "oft_blocks", "oft_diag", "rescale", "alpha")
    blocks = turned if skew is None else skew
    if blocks is None or blocks.ndim < 3:
        return None
    # Here alpha is no scale but the constraint, for every output: LyCORIS and kohya alike.
    limit = 0.0 if alpha is None else float(alpha.flatten()[0]) * blocks.shape[-3] * blocks.shape[-1]
    return Orthogonal(blocks, rescale, limit, turned=skew is None)


_READERS = (_low_rank, _hadamard, _kronecker, _generalised, _scaled, _full, _orthogonal)


def _some(roles: Roles, *names: str) -> list[Tensor | None]:
    return [roles.get(name) for name in names]


def _scale(roles: Roles, rank: int, otherwise: Scale) -> float:
    """Alpha over rank. An alpha of 0 stands for the rank, as in kohya's and LyCORIS's own loading."""
    if (alpha := roles.get("alpha")) is None:
        return otherwise(rank)
    return (float(alpha.flatten()[0]) or rank) / rank
