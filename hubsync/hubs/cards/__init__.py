"""Model cards."""

from hubsync.hubs.cards.card import Card, read_card

__all__ = ["Card", "read_card"]
