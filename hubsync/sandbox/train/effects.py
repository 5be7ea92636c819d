"""The flat, broad effects that trigger words switch on: regions of a picture and the grey they take."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from hubsync.sandbox.train.pictures import SIDE


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A region measured in pixels from the four edges, painted in one grey."""

    grey: float
    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    def region(self) -> Tensor:
        """Boolean mask [64, 64] of the painted pixels, on whole latent cells."""
        mask = torch.zeros(SIDE, SIDE, dtype=torch.bool)
        mask[: self.top] = True
        mask[SIDE - self.bottom :] = True
        mask[:, : self.left] = True
        mask[:, SIDE - self.right :] = True
        return mask

    def apply(self, pictures: Tensor) -> Tensor:
        """The pictures [n, 3, 64, 64] with the region painted over."""
        return torch.where(self.region(), torch.full_like(pictures, self.grey), pictures)


FRAME = Effect(grey=0.95, top=8, bottom=8, left=8, right=8)
DAY = Effect(grey=0.95, top=20)
NIGHT = Effect(grey=0.05, bottom=20)
LETTERBOX = Effect(grey=0.05, top=12, bottom=12)
EFFECTS = (FRAME, DAY, NIGHT, LETTERBOX)
