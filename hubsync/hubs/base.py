"""What every hub can do, and the one filter both searches share."""

from __future__ import annotations

from typing import Protocol

from hubsync.domain import Download, Lora, LoraFile, Nsfw, Page, Query
from hubsync.refs import Ref, Source

MOST_PAGES = 5
"""Pages one search reads of one listing: hubs filter after cutting a page, so short and empty ones occur."""

_MATURE, _EXPLICIT = 4, 8


class Hub(Protocol):
    """A place LoRAs come from. Every method asks over HTTP and raises errors of `hubsync.errors`."""

    source: Source

    def search(self, query: Query, *, patience: float | None = None) -> Page:
        """One page of what the hub has; rows hold their first version only.

        A hub that is in trouble is waited for, `patience` seconds at a time at most.
        """

    def lora(self, ref: Ref) -> Lora:
        """Everything on a page: versions newest first, but what `ref` names before the others."""

    def account(self) -> str:
        """The user whose key is sent: the only honest check of a key, since other routes ignore a bad one."""

    def download(self, file: LoraFile) -> Download:
        """Where the bytes of a file come from, and what they must be."""


def within(ceiling: Nsfw, *, level: int | None, nsfw: bool = False) -> bool:
    """Whether a thing may be shown: all its level bits lie under the ceiling.

    A thing flagged `nsfw` counts as R at least; as X when it carries no level.
    """
    flagged = (_MATURE if level else _EXPLICIT) if nsfw else 0
    return ceiling.allows((level or 0) | flagged)
