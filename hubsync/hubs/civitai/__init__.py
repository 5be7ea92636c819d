"""Civitai."""

from hubsync.hubs.civitai.hub import Civitai

__all__ = ["Civitai"]
