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
PLAN = Plan(steps=3600, rate=1.5e-3, warm_up=100, hold=0.6, decay=1e-3, average=True)
SEED = 1

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
    save_tokenizer(tokenizer, checkpoint / "tokenizer")
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
    high_noise: float = 0.0,
) -> Tensor:
    """Mean squared error of the predicted velocity at random timesteps.

    `high_noise` is the share of steps drawn from the upper 40 % of the schedule, where a caption matters most.
    """
    latents = latents_of(pictures)
    count = len(latents)
    noise = torch.randn(latents.shape, generator=dice)
    steps = torch.randint(0, 1000, (count,), generator=dice)
    high = torch.randint(600, 1000, (count,), generator=dice)
    steps = torch.where(torch.rand(count, generator=dice) < high_noise, high, steps)
    scheduler = new_scheduler()
    predicted = unet(scheduler.add_noise(latents, noise, steps), steps, embeddings).sample
    return F.mse_loss(predicted, scheduler.get_velocity(latents, noise, steps))
