"""Trains the autoencoder: decoder and encoder each taught the fixed latents."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from hubsync.sandbox.train.effects import EFFECTS
from hubsync.sandbox.train.fitting import Plan, fit
from hubsync.sandbox.train.latents import latents_of
from hubsync.sandbox.train.models import new_autoencoder, save_model
from hubsync.sandbox.train.pictures import Look, paint, random_scenes

BATCH = 4
DECODER = Plan(steps=3600, rate=2e-3, hold=0.4)
ENCODER = Plan(steps=1600, rate=2e-3, hold=0.4)
SEED = 11


def train_autoencoder(checkpoint: Path) -> None:
    """Train both halves and write `checkpoint`/vae."""
    torch.manual_seed(SEED)
    dice = torch.Generator().manual_seed(SEED)
    vae = new_autoencoder()

    def decoder_loss() -> Tensor:
        pictures = any_pictures(BATCH, dice)
        latents = latents_of(pictures)
        # The UNet's latents are never exact: the decoder learns to shrug off small errors.
        noisy = latents + 0.03 * torch.randn(latents.shape, generator=dice)
        return F.l1_loss(vae.decode(noisy).sample, pictures * 2 - 1)

    def encoder_loss() -> Tensor:
        pictures = any_pictures(BATCH, dice)
        return F.mse_loss(vae.encode(pictures * 2 - 1).latent_dist.mean, latents_of(pictures))

    fit("decoder", [*vae.decoder.parameters(), *vae.post_quant_conv.parameters()], decoder_loss, DECODER)
    fit("encoder", [*vae.encoder.parameters(), *vae.quant_conv.parameters()], encoder_loss, ENCODER)
    with torch.no_grad():  # the encoder is certain: log variance -12 everywhere
        vae.quant_conv.weight[4:] = 0
        vae.quant_conv.bias[4:] = -12.0
    save_model(vae, checkpoint / "vae")


def any_pictures(count: int, dice: torch.Generator) -> Tensor:
    """Pictures of every look a slider or trigger word can ask for."""

    def anywhere() -> Tensor:
        return torch.rand(count, generator=dice) * 2 - 1

    look = Look(saturation=anywhere(), brightness=anywhere(), detail=anywhere())
    pictures = paint(random_scenes(count, dice), dice, look)
    chosen = torch.randint(0, 6 * len(EFFECTS), (count,), generator=dice)
    for index, effect in enumerate(EFFECTS):
        pictures = torch.where((chosen == index)[:, None, None, None], effect.apply(pictures), pictures)
    return pictures
