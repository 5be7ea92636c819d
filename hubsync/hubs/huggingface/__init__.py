"""Hugging Face."""

from hubsync.hubs.huggingface.hub import HuggingFace

__all__ = ["HuggingFace"]
