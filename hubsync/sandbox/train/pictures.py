"""Draws the pictures the sandbox's checkpoint learns: one coloured shape on a coloured ground, 64x64 px.

Everything is vectorised over a batch; pictures are float tensors [n, 3, 64, 64] in 0..1.
"""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import Tensor

SIDE = 64
"""Width and height of every picture, in pixels."""

CELL = 4
"""Pixels per latent cell: texture lives on this grid, for a convolution cannot decode finer noise."""

HUES = {
    "red": 0.0,
    "orange": 0.08,
    "yellow": 0.16,
    "green": 0.33,
    "cyan": 0.5,
    "blue": 0.62,
    "purple": 0.76,
    "pink": 0.9,
}
"""Colour words and their hue in turns."""

COLOURS = tuple(HUES)
SHAPES = ("circle", "square", "triangle", "cross", "ring")
SIZES = {"small": 15.0, "large": 23.0}
"""Size words and the smallest radius they mean, in pixels."""

RADIUS_SPREAD = 2.0
CENTRE_SPREAD = 3.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scenes:
    """What a batch of pictures shows; every field is a tensor [n]."""

    shape: Tensor
    foreground: Tensor
    background: Tensor
    size: Tensor
    radius: Tensor
    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.shape)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Sliders of a batch, each a tensor [n] in -1..1, or None for the ordinary spread."""

    saturation: Tensor | None = None
    brightness: Tensor | None = None
    detail: Tensor | None = None


def held_out(foreground: int, background: int, shape: int) -> bool:
    """Whether a combination is kept out of training, about one in eight."""
    return (foreground + 3 * background + 5 * shape) % 8 == 0


def random_scenes(count: int, dice: torch.Generator) -> Scenes:
    """Scenes for training: colours at least two steps apart, no held-out combination."""
    foreground = torch.randint(0, len(COLOURS), (count,), generator=dice)
    background = (foreground + torch.randint(2, len(COLOURS) - 1, (count,), generator=dice)) % len(COLOURS)
    shape = torch.randint(0, len(SHAPES), (count,), generator=dice)
    # The next shape is never held out too: 5 and 5 - 25 both differ from 0 modulo 8.
    shape = (shape + ((foreground + 3 * background + 5 * shape) % 8 == 0).long()) % len(SHAPES)
    size = torch.randint(0, len(SIZES), (count,), generator=dice)
    smallest = torch.tensor(list(SIZES.values()))[size]
    return Scenes(
        shape=shape,
        foreground=foreground,
        background=background,
        size=size,
        radius=smallest + torch.rand(count, generator=dice) * RADIUS_SPREAD,
        x=SIDE / 2 + (torch.rand(count, generator=dice) * 2 - 1) * CENTRE_SPREAD,
        y=SIDE / 2 + (torch.rand(count, generator=dice) * 2 - 1) * CENTRE_SPREAD,
    )


def paint(scenes: Scenes, dice: torch.Generator, look: Look | None = None) -> Tensor:
    """The pictures of `scenes`, with small random differences of hue, saturation, brightness and grain."""
    look = look or Look()
    count = len(scenes)

    def spread(offset: Tensor | None, middle: float, reach: float, noise: float) -> Tensor:
        if offset is not None:
            return middle + reach * offset
        return middle + noise * torch.randn(count, generator=dice)

    saturation = spread(look.saturation, 0.66, 0.32, 0.05).clamp(0.02, 1)
    value = spread(look.brightness, 0.68, 0.28, 0.04).clamp(0.05, 1)
    grain = spread(look.detail, 0.032, 0.032, 0.004).clamp(0, 0.2)
    front = _colour(scenes.foreground, saturation, value * 1.12, dice)
    back = _colour(scenes.background, saturation, value * 0.88, dice)
    inside = torch.sigmoid(-1.6 * distance(scenes.shape, scenes.x, scenes.y, scenes.radius))[:, None]
    texture = torch.randn(count, 1, SIDE // CELL, SIDE // CELL, generator=dice)
    texture = texture.repeat_interleave(CELL, 2).repeat_interleave(CELL, 3)
    pictures = front * inside + back * (1 - inside) + grain[:, None, None, None] * texture
    return pictures.clamp(0, 1)


def distance(shape: Tensor, x: Tensor, y: Tensor, radius: Tensor) -> Tensor:
    """Signed distance in pixels to each outline, negative inside; [n] each -> [n, 64, 64]."""
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    across = columns + 0.5 - x[:, None, None]
    down = rows + 0.5 - y[:, None, None]
    reach = radius[:, None, None]
    away = torch.hypot(across, down)
    shorter = torch.minimum(across.abs(), down.abs())
    longer = torch.maximum(across.abs(), down.abs())
    slope = across.abs() * math.cos(math.pi / 6) * 1.15 - down * 0.5
    outlines = (
        away - reach,
        longer - reach * 0.88,
        torch.maximum(down - reach * 0.7, slope - reach * 0.62),
        torch.maximum(longer - reach, shorter - reach * 0.32),
        (away - reach * 0.75).abs() - reach * 0.25,
    )
    stacked = torch.stack(outlines, 1)
    return stacked[torch.arange(len(shape)), shape]


def _colour(index: Tensor, saturation: Tensor, value: Tensor, dice: torch.Generator) -> Tensor:
    """RGB [n, 3, 1, 1] of palette entries, each hue a little off so that a colour word means a range."""
    hue = torch.tensor(list(HUES.values()))[index] + 0.012 * torch.randn(len(index), generator=dice)
    return rgb(hue, saturation, value)[:, :, None, None]


def rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """HSV (hue in turns) to RGB [n, 3], by the formula that needs no case distinction."""
    sector = (hue % 1.0) * 6
    channels = [
        value - value * saturation * torch.minimum(k, 4 - k).clamp(0, 1)
        for k in ((sector + offset) % 6 for offset in (5, 3, 1))
    ]
    return torch.stack(channels, 1)
