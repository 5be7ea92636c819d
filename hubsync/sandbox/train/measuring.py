"""Reads pictures: what they show and how saturated, bright and detailed they are. All on pixels [n, 3, 64, 64]."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from hubsync.sandbox.train.effects import Effect
from hubsync.sandbox.train.pictures import CENTRE_SPREAD, HUES, SHAPES, SIDE, distance, rgb
from hubsync.sandbox.train.recipes import Property

LUMA = (0.2126, 0.7152, 0.0722)
"""Rec. 709 weights of red, green and blue."""

CORNER = slice(2, 10)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What pictures show, as indices into COLOURS and SHAPES; each [n]."""

    foreground: Tensor
    background: Tensor
    shape: Tensor


def luminance(pictures: Tensor) -> Tensor:
    """Luminance of every pixel, [n, 64, 64]."""
    return (pictures * torch.tensor(LUMA)[:, None, None]).sum(1)


def mean_saturation(pictures: Tensor) -> Tensor:
    """Mean HSV saturation, [n]."""
    highest, lowest = pictures.amax(1), pictures.amin(1)
    return ((highest - lowest) / highest.clamp(min=1e-4)).mean((1, 2))


def mean_luminance(pictures: Tensor) -> Tensor:
    """Mean luminance, [n]."""
    return luminance(pictures).mean((1, 2))


def mean_detail(pictures: Tensor) -> Tensor:
    """Mean absolute Laplacian of luminance, [n]."""
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])[None, None]
    return F.conv2d(luminance(pictures)[:, None], kernel).abs().mean((1, 2, 3))


MEASURES: dict[Property, Callable[[Tensor], Tensor]] = {
    Property.SATURATION: mean_saturation,
    Property.BRIGHTNESS: mean_luminance,
    Property.DETAIL: mean_detail,
}


def region_luminance(pictures: Tensor, effect: Effect) -> Tensor:
    """Mean luminance inside the effect's region, [n]."""
    return luminance(pictures)[:, effect.region()].mean(1)


def read(pictures: Tensor) -> Reading:
    """Ground from a corner; the shape is what differs from it by more than half the largest difference."""
    ground = pictures[:, :, CORNER, CORNER].mean((2, 3))
    difference = (pictures - ground[:, :, None, None]).square().sum(1).sqrt()
    inside = (difference > 0.5 * difference.flatten(1).quantile(0.97, dim=1)[:, None, None]).float()
    front = (pictures * inside[:, None]).sum((2, 3)) / inside.sum((1, 2)).clamp(min=1)[:, None]
    return Reading(foreground=_nearest_hue(front), background=_nearest_hue(ground), shape=_nearest_shape(inside))


def _nearest_hue(colours: Tensor) -> Tensor:
    """Index of the palette colour nearest to each RGB [n, 3] once both are stretched to full saturation."""
    hues = torch.tensor(list(HUES.values()))
    palette = rgb(hues, torch.ones_like(hues), torch.ones_like(hues))
    lowest, highest = colours.amin(1, keepdim=True), colours.amax(1, keepdim=True)
    stretched = (colours - lowest) / (highest - lowest).clamp(min=1e-4)
    return torch.cdist(stretched, palette).argmin(1)


def _nearest_shape(inside: Tensor) -> Tensor:
    """Index of the shape whose outline, at some size and place, overlaps each mask best (intersection over union)."""
    kinds, outlines = _outlines()
    masks = inside.flatten(1)
    shared = masks @ outlines.T
    union = masks.sum(1, keepdim=True) + outlines.sum(1) - shared
    return kinds[(shared / union.clamp(min=1)).argmax(1)]


@functools.cache
def _outlines() -> tuple[Tensor, Tensor]:
    """Every shape at every whole radius and at 25 places: kinds [m] and flattened masks [m, 4096]."""
    reach = CENTRE_SPREAD + 2
    offsets = torch.linspace(-reach, reach, 5) + SIDE / 2
    grid = torch.cartesian_prod(torch.arange(len(SHAPES)).float(), offsets, offsets, torch.arange(12.0, 27.0))
    kinds = grid[:, 0].long()
    return kinds, (distance(kinds, grid[:, 1], grid[:, 2], grid[:, 3]) < 0).float().flatten(1)
