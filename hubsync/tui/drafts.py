"""What the user is putting together across screens: a prompt, and a test render."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubsync.services.triggers import SavedPrompt, Wish


@dataclass(slots=True)
class Draft:
    """A prompt being written: the user's own text, their negative text, and the LoRAs in it in their order.

    Those named in `off` are switched off: they stay in the list with their weights, and out of the prompt.
    """

    text: str = ""
    negative: str = ""
    wishes: list[Wish] = field(default_factory=list)
    off: set[str] = field(default_factory=set)

    @property
    def active(self) -> Sequence[Wish]:
        """The LoRAs that are switched on."""
        return [one for one in self.wishes if one.name not in self.off]

    def wish(self, *wishes: Wish) -> None:
        """Put LoRAs in; one that is there is switched on and takes the new weight and groups, where they are said."""
        for new in wishes:
            old = next((one for one in self.wishes if one.name == new.name), None)
            if old is None:
                self.put(new)
                continue
            weight = old.weight if new.weight is None else new.weight
            says = new.groups or new.every or new.words is not None
            self.put(replace(new if says else old, weight=weight))

    def put(self, wish: Wish, *, on: bool = True) -> None:
        """Put a LoRA in exactly so, in the place of its own it may have."""
        known = next((index for index, one in enumerate(self.wishes) if one.name == wish.name), None)
        if known is None:
            self.wishes.append(wish)
        else:
            self.wishes[known] = wish
        (self.off.discard if on else self.off.add)(wish.name)

    def drop(self, name: str) -> None:
        """Take a LoRA out."""
        self.wishes = [one for one in self.wishes if one.name != name]
        self.off.discard(name)

    def move(self, name: str, by: int) -> None:
        """Move a LoRA up or down by places."""
        at = next((index for index, one in enumerate(self.wishes) if one.name == name), None)
        if at is not None and 0 <= at + by < len(self.wishes):
            self.wishes.insert(at + by, self.wishes.pop(at))

    def clear(self) -> None:
        """Begin anew."""
        self.text, self.negative, self.wishes, self.off = "", "", [], set()

    def go_on(self, before: SavedPrompt) -> None:
        """Put what an earlier run left before what is here already."""
        wishes, off = self.wishes, self.off
        self.wishes, self.off = [*before.wishes], {*before.off}
        self.wish(*wishes)
        self.off |= off
        if not (self.text or self.negative):
            self.text, self.negative = before.text, before.negative

    def recall(self, saved: SavedPrompt) -> None:
        """Go on with a saved prompt, exactly as it was."""
        self.text, self.negative = saved.text, saved.negative
        self.wishes, self.off = [*saved.wishes], {*saved.off}


@dataclass(slots=True)
class Trial:
    """A test render being planned: its LoRAs, its prompt, None the family's own, and what else was typed, by field."""

    wishes: list[Wish] = field(default_factory=list)
    prompt: str | None = None
    typed: dict[str, str] = field(default_factory=dict)

    def take(self, wishes: Sequence[Wish], *, prompt: str | None = None, negative: str | None = None) -> None:
        """Test these LoRAs instead; a text that is None stays."""
        self.wishes = list(wishes)
        if prompt is not None:
            self.prompt = prompt
        if negative is not None:
            self.typed["negative"] = negative

    def toggle(self, wish: Wish) -> None:
        """Test a LoRA too, or no longer."""
        others = [one for one in self.wishes if one.name != wish.name]
        self.wishes = others if len(others) < len(self.wishes) else [*others, wish]

    def copy(self) -> Trial:
        """The same, for a thread to read while this one is changed."""
        return Trial(wishes=[*self.wishes], prompt=self.prompt, typed={**self.typed})
