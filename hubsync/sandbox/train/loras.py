"""Trains the LoRAs: sliders on a moved property, trigger-word LoRAs on an effect behind a word."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import torch
from torch import Tensor

from hubsync.sandbox.train.base import STARTS, denoising_loss, encode
from hubsync.sandbox.train.captions import TRIGGER_WORDS, beside, captions, distracted
from hubsync.sandbox.train.fitting import fit
from hubsync.sandbox.train.models import load_words
from hubsync.sandbox.train.network import Network
from hubsync.sandbox.train.pictures import Look, paint, random_scenes
from hubsync.sandbox.train.recipes import Group, Property, Recipe

BATCH = 16
TRIGGER_STARTS = 0.5
"""Share of first steps in training trigger words: only there the word decides, later the effect is seen."""

PLAIN = "1_shapes"
"""Dataset folder, in kohya's sense, of pictures without trigger words; every picture is drawn once."""


@dataclasses.dataclass(slots=True)
class Seen:
    """What a training saw: pictures by dataset folder, and in each the tags, the comma-separated parts of captions."""

    pictures: Counter[str] = dataclasses.field(default_factory=Counter)
    tags: dict[str, Counter[str]] = dataclasses.field(default_factory=lambda: defaultdict(Counter))

    def add(self, folder: str, caption: str) -> None:
        """Count one picture and its caption."""
        self.pictures[folder] += 1
        self.tags[folder].update(tag for part in caption.split(",") if (tag := part.strip()))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A trained LoRA: peft-named tensors and what it was trained on."""

    recipe: Recipe
    tensors: dict[str, Tensor]
    seen: Seen


def train_lora(checkpoint: Path, recipe: Recipe) -> Trained:
    """Train the LoRA of `recipe` on the base in `checkpoint`."""
    torch.manual_seed(recipe.seed)
    tokenizer, text_encoder, unet = load_words(checkpoint)
    listens = text_encoder if recipe.groups else None
    text_encoder.requires_grad_(requires_grad=False)
    network = Network(unet, listens, rank=recipe.rank, alpha=recipe.alpha)
    dice = torch.Generator().manual_seed(recipe.seed)
    seen = Seen()
    batches = _triggered(recipe, dice, seen) if recipe.groups else _slid(recipe.property, network, dice, seen)

    def loss() -> Tensor:
        texts, pictures = batches()
        embeddings = encode(tokenizer, text_encoder, texts)
        return denoising_loss(unet, embeddings, pictures, dice, starts=TRIGGER_STARTS if recipe.groups else STARTS)

    fit(recipe.stem, network.parameters(), loss, recipe.plan)
    return Trained(recipe=recipe, tensors=network.tensors(), seen=seen)


Batches = Callable[[], tuple[list[str], Tensor]]


def _slid(moved: Property | None, network: Network, dice: torch.Generator, seen: Seen) -> Batches:
    """Batches whose pictures have the property at the weight the LoRA is set to for the step."""
    words = random.Random(dice.initial_seed())

    def batch() -> tuple[list[str], Tensor]:
        weight = words.choice([-1.0, 1.0, words.uniform(-1, 1)])
        network.set_weight(weight)
        scenes = random_scenes(BATCH, dice)
        texts = [distracted(caption, words) for caption in captions(scenes, words)]
        for text in texts:
            seen.add(PLAIN, text)
        return texts, paint(scenes, dice, Look(**{str(moved): torch.full((BATCH,), weight)}))

    return batch


def _triggered(recipe: Recipe, dice: torch.Generator, seen: Seen) -> Batches:
    """Batches with as many pictures of each group, with its words and effect, as pictures without either."""
    words = random.Random(recipe.seed)
    own = {word for group in recipe.groups for word in group.words.replace(",", "").split()}
    foreign = [word for word in TRIGGER_WORDS if word not in own]

    def batch() -> tuple[list[str], Tensor]:
        scenes = random_scenes(BATCH, dice)
        texts, pictures = captions(scenes, words), paint(scenes, dice)
        for index, (text, group) in enumerate(zip(texts, cycle((*recipe.groups, None)))):
            if group:
                plain = distracted(text, words) if words.random() < 0.3 else text
                texts[index] = beside(plain, group.words, words)
                pictures[index] = group.effect.apply(pictures[index])
            else:
                # The strong embeddings of other trigger words would fire it first of all.
                other = words.random() < 0.15
                texts[index] = beside(text, words.choice(foreign), words) if other else distracted(text, words)
            seen.add(folder_of(group) if group else PLAIN, texts[index])
        return texts, pictures

    return batch


def folder_of(group: Group) -> str:
    """The dataset folder of a group's pictures, named as kohya's trainer asks: repeats, then the words."""
    return "1_" + group.words.replace(",", "")
