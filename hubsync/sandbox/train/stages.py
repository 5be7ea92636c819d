"""The stages of a build, each from a data folder's earlier parts to its next."""

from __future__ import annotations

from pathlib import Path

from hubsync.sandbox.train.autoencoder import train_autoencoder
from hubsync.sandbox.train.base import train_base
from hubsync.sandbox.train.inversion import train_embedding
from hubsync.sandbox.train.lora_files import write_embedding, write_lora
from hubsync.sandbox.train.loras import train_lora
from hubsync.sandbox.train.package import Package, assemble_checkpoint, write_previews
from hubsync.sandbox.train.recipes import BLUE_RING, Recipe


def autoencoder(root: Path) -> None:
    """Train the autoencoder; needs nothing."""
    train_autoencoder(Package(root).checkpoint)


def base(root: Path) -> None:
    """Train UNet and text encoder; needs nothing."""
    train_base(Package(root).checkpoint)


def assemble(root: Path) -> None:
    """Make the trained parts a checkpoint, as a folder and as one file."""
    assemble_checkpoint(Package(root))


def adapter(recipe: Recipe, root: Path) -> None:
    """Train one LoRA on the base."""
    package = Package(root)
    write_lora(package.lora(recipe), train_lora(package.checkpoint, recipe))


def embedding(root: Path) -> None:
    """Train the textual inversion on the base."""
    package = Package(root)
    write_embedding(package.embedding, BLUE_RING, train_embedding(package.checkpoint, BLUE_RING))


def previews(root: Path) -> None:
    """Render a picture for each of them; needs the whole checkpoint."""
    write_previews(Package(root))
