"""Trains the LoRAs: sliders on a moved property, trigger-word LoRAs on an effect behind a word."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from hubsync.sandbox.train.base import STARTS, denoising_loss, encode
from hubsync.sandbox.train.captions import TRIGGER_WORDS, beside, captions, distracted
from hubsync.sandbox.train.fitting import fit
from hubsync.sandbox.train.models import load_words
from hubsync.sandbox.train.network import Network
from hubsync.sandbox.train.pictures import Look, paint, random_scenes
from hubsync.sandbox.train.recipes import Property, Recipe

BATCH = 16
TRIGGER_STARTS = 0.5
"""Share of first steps in training trigger words: only there the word decides, later the effect is seen."""

TagCounts = dict[str, Counter[str]]
"""How often each tag (a comma-separated part of a caption) was seen, by dataset folder."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A trained LoRA: peft-named tensors and the captions it was trained on."""

    recipe: Recipe
    tensors: dict[str, Tensor]
    tags: TagCounts


def train_lora(checkpoint: Path, recipe: Recipe) -> Trained:
    """Train the LoRA of `recipe` on the base in `checkpoint`."""
    torch.manual_seed(recipe.seed)
    tokenizer, text_encoder, unet = load_words(checkpoint)
    listens = text_encoder if recipe.groups else None
    text_encoder.requires_grad_(requires_grad=False)
    network = Network(unet, listens, rank=recipe.rank, alpha=recipe.alpha)
    dice = torch.Generator().manual_seed(recipe.seed)
    tags: TagCounts = defaultdict(Counter)
    batches = _triggered(recipe, dice, tags) if recipe.groups else _slid(recipe.property, network, dice, tags)

    def loss() -> Tensor:
        texts, pictures = batches()
        embeddings = encode(tokenizer, text_encoder, texts)
        return denoising_loss(unet, embeddings, pictures, dice, starts=TRIGGER_STARTS if recipe.groups else STARTS)

    fit(recipe.stem, network.parameters(), loss, recipe.plan)
    return Trained(recipe=recipe, tensors=network.tensors(), tags=dict(tags))


Batches = Callable[[], tuple[list[str], Tensor]]


def _slid(moved: Property | None, network: Network, dice: torch.Generator, tags: TagCounts) -> Batches:
    """Batches whose pictures have the property at the weight the LoRA is set to for the step."""
    words = random.Random(dice.initial_seed())

    def batch() -> tuple[list[str], Tensor]:
        weight = words.choice([-1.0, 1.0, words.uniform(-1, 1)])
        network.set_weight(weight)
        scenes = random_scenes(BATCH, dice)
        texts = [distracted(caption, words) for caption in captions(scenes, words)]
        _count(tags["1_shapes"], texts)
        return texts, paint(scenes, dice, Look(**{str(moved): torch.full((BATCH,), weight)}))

    return batch


def _triggered(recipe: Recipe, dice: torch.Generator, tags: TagCounts) -> Batches:
    """Batches of which half have trigger words and their effect, the other half neither."""
    words = random.Random(recipe.seed)
    own = {word for group in recipe.groups for word in group.words.replace(",", "").split()}
    foreign = [word for word in TRIGGER_WORDS if word not in own]

    def batch() -> tuple[list[str], Tensor]:
        scenes = random_scenes(BATCH, dice)
        texts, pictures = captions(scenes, words), paint(scenes, dice)
        for index, text in enumerate(texts):
            if index % 2:
                # The strong embeddings of other trigger words would fire it first of all.
                other = words.random() < 0.15
                texts[index] = beside(text, words.choice(foreign), words) if other else distracted(text, words)
                _count(tags["1_shapes"], [texts[index]])
                continue
            group = recipe.groups[index // 2 % len(recipe.groups)]
            plain = distracted(text, words) if words.random() < 0.3 else text
            texts[index] = beside(plain, group.words, words)
            pictures[index] = group.effect.apply(pictures[index])
            _count(tags["1_" + group.words.replace(",", "")], [texts[index]])
        return texts, pictures

    return batch


def _count(counter: Counter[str], texts: list[str]) -> None:
    for text in texts:
        counter.update(tag for part in text.split(",") if (tag := part.strip()))
