"""Trains the textual inversion: new token vectors, everything else frozen."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hubsync.sandbox.train.base import denoising_loss, encode
from hubsync.sandbox.train.captions import distracted
from hubsync.sandbox.train.fitting import fit
from hubsync.sandbox.train.models import WIDTH, load_words
from hubsync.sandbox.train.pictures import COLOURS, SHAPES, SIZES, Scenes, paint, random_scenes
from hubsync.sandbox.train.recipes import EmbeddingRecipe

BATCH = 16
START_LENGTH = 0.5
"""Length of a vector before training, that of the base's trained words."""


def train_embedding(checkpoint: Path, recipe: EmbeddingRecipe) -> Tensor:
    """The vectors [n, 64] under which the recipe's word draws its picture."""
    torch.manual_seed(recipe.seed)
    dice, words = torch.Generator().manual_seed(recipe.seed), random.Random(recipe.seed)
    tokenizer, text_encoder, unet = load_words(checkpoint)
    for part in (text_encoder, unet):
        part.requires_grad_(requires_grad=False)
    names = [f"<{recipe.word}_{index}>" for index in range(recipe.vectors)]
    first = len(tokenizer)
    tokenizer.add_tokens(names)
    text_encoder.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    table: Any = text_encoder.get_input_embeddings().weight
    with torch.no_grad():
        table[first:] = START_LENGTH * torch.nn.functional.normalize(torch.randn(recipe.vectors, WIDTH), dim=1)
    table.requires_grad_(requires_grad=True)
    table.register_hook(lambda gradient: torch.cat([torch.zeros_like(gradient[:first]), gradient[first:]]))

    def loss() -> Tensor:
        scenes = _scenes(recipe, dice)
        texts = [_caption(" ".join(names), scenes, index, words) for index in range(BATCH)]
        embeddings = encode(tokenizer, text_encoder, texts)
        return denoising_loss(unet, embeddings, paint(scenes, dice), dice, starts=0.3)

    fit(recipe.word, [table], loss, recipe.plan)
    vectors: Tensor = table[first:].detach().clone()
    return vectors


def _scenes(recipe: EmbeddingRecipe, dice: torch.Generator) -> Scenes:
    """Large shapes of the recipe's kind on any ground that base training allows for its colour."""
    scenes = random_scenes(BATCH, dice)
    front = torch.full((BATCH,), COLOURS.index(recipe.colour))
    shift = (scenes.background - scenes.foreground) % len(COLOURS)
    return dataclasses.replace(
        scenes,
        shape=torch.full((BATCH,), SHAPES.index(recipe.shape)),
        foreground=front,
        background=(front + shift) % len(COLOURS),
        size=torch.ones(BATCH, dtype=torch.long),
        radius=list(SIZES.values())[1] + scenes.radius % 1,
    )


def _caption(name: str, scenes: Scenes, index: int, words: random.Random) -> str:
    """The new word alone or on its ground, with or without junk."""
    ground = COLOURS[int(scenes.background[index])]
    plain = words.choice([f"a {name}", name, f"a {name} on a {ground} background"])
    return distracted(plain.replace("a orange", "an orange"), words) or name
