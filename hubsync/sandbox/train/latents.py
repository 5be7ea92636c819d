"""The fixed analytic latent space: what encoder and decoder are taught and the UNet is trained in.

A latent cell is the mean colour of a 4x4 px block and the spread of luminance in it. An autoencoder
trained jointly from nothing does not learn absolute colour in minutes; taught these values it does.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from hubsync.sandbox.train.pictures import CELL

COLOUR_SCALE = 2.2
COLOUR_OFFSET = (0.2, 0.35, 0.25)
SPREAD_SCALE = 12.0
SPREAD_OFFSET = -0.4


def latents_of(pictures: Tensor) -> Tensor:
    """Latents [n, 4, 16, 16] of about unit variance for pictures [n, 3, 64, 64] in 0..1."""
    colour = F.avg_pool2d(pictures * 2 - 1, CELL) * COLOUR_SCALE
    grey = pictures.mean(1, keepdim=True)
    variance = F.avg_pool2d(grey * grey, CELL) - F.avg_pool2d(grey, CELL) ** 2
    spread = variance.clamp(min=0).sqrt() * SPREAD_SCALE + SPREAD_OFFSET
    return torch.cat([colour + torch.tensor(COLOUR_OFFSET)[None, :, None, None], spread], 1)
