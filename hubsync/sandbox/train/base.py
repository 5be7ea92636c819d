"""Trains the base: UNet and text encoder together, on captioned latents."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from hubsync.sandbox.train.captions import TRIGGER_WORDS, captions, distracted
from hubsync.sandbox.train.fitting import Plan, fit
from hubsync.sandbox.train.latents import latents_of
from hubsync.sandbox.train.models import new_scheduler, new_text_encoder, new_unet, save_model, save_text_encoder
from hubsync.sandbox.train.pictures import paint, random_scenes
from hubsync.sandbox.train.tokenizer import build_tokenizer, save_tokenizer

BATCH = 16
PLAN = Plan(steps=4800, rate=1.5e-3, warm_up=100, hold=0.6, decay=1e-3, average=True)
SEED = 1

STARTS = 0.1
START_STEPS = (750, 1000)
"""First timesteps of samplers of four and more steps."""

TRIGGER_NORM = 0.75
"""Length of a trigger word's embedding: an untrained one of 0.15 drowns in the position embedding of 0.37."""


def train_base(checkpoint: Path) -> None:
    """Train and write `checkpoint`/unet, text_encoder, tokenizer and scheduler."""
    torch.manual_seed(SEED)
    pictures, words = torch.Generator().manual_seed(SEED), random.Random(SEED)
    tokenizer = build_tokenizer()
    text_encoder, unet = new_text_encoder(tokenizer), new_unet()
    plant_trigger_words(tokenizer, text_encoder)

    def loss() -> Tensor:
        scenes = random_scenes(BATCH, pictures)
        texts = [distracted(caption, words) for caption in captions(scenes, words)]
        return denoising_loss(unet, encode(tokenizer, text_encoder, texts), paint(scenes, pictures), pictures)

    fit("base", [*unet.parameters(), *text_encoder.parameters()], loss, PLAN)
    save_model(unet, checkpoint / "unet")
    save_text_encoder(text_encoder, checkpoint / "text_encoder")
    save_tokenizer(checkpoint / "tokenizer")
    new_scheduler().save_pretrained(checkpoint / "scheduler")


def plant_trigger_words(tokenizer: Any, text_encoder: Any) -> None:  # noqa: ANN401
    """Give each trigger word a random embedding that later LoRAs can hear."""
    table = text_encoder.get_input_embeddings().weight
    ids = tokenizer.convert_tokens_to_ids([word + "</w>" for word in TRIGGER_WORDS])
    with torch.no_grad():
        table[ids] = TRIGGER_NORM * F.normalize(torch.randn(len(ids), table.shape[1]), dim=1)


def encode(tokenizer: Any, text_encoder: Any, texts: list[str]) -> Tensor:  # noqa: ANN401
    """Text embeddings [n, 77, 64], with gradients."""
    tokens = tokenizer(
        texts, padding="max_length", max_length=tokenizer.model_max_length, truncation=True, return_tensors="pt"
    )
    embeddings: Tensor = text_encoder(tokens.input_ids)[0]
    return embeddings


def denoising_loss(
    unet: Any,  # noqa: ANN401
    embeddings: Tensor,
    pictures: Tensor,
    dice: torch.Generator,
    *,
    starts: float = STARTS,
) -> Tensor:
    """Mean squared error of the predicted velocity at random timesteps of 0 to 999.

    A share `starts` of the batch stands for a sampler's first step: pure noise at a high timestep. There only the
    caption says what to draw; Stable Diffusion's schedule never shows it, for at its last timestep a broad region
    of the picture still stands out of the noise by several deviations.
    """
    clean = latents_of(pictures)
    count = len(clean)
    noise = torch.randn(clean.shape, generator=dice)
    # Evenly spread over the schedule: the loss of a batch jumps less than with independent draws.
    steps = ((torch.rand(1, generator=dice) + torch.arange(count) / count) % 1 * 1000).long()
    start = torch.rand(count, generator=dice) < starts
    steps = torch.where(start, torch.randint(*START_STEPS, (count,), generator=dice), steps)
    kept = new_scheduler().alphas_cumprod[steps][:, None, None, None]
    signal, spread = kept.sqrt(), (1 - kept).sqrt()
    noisy = torch.where(start[:, None, None, None], noise, signal * clean + spread * noise)
    # The velocity for which the sampler's estimate, signal * noisy - spread * velocity, is the clean picture.
    velocity = (signal * noisy - clean) / spread
    return F.mse_loss(unet(noisy, steps, embeddings).sample, velocity)
