"""What the user is putting together across screens: a prompt, and a test render."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubsync.services.triggers import Wish


@dataclass(slots=True)
class Draft:
    """A prompt being written: the user's own text, their negative text, and the LoRAs in it in their order."""

    text: str = ""
    negative: str = ""
    wishes: list[Wish] = field(default_factory=list)

    def wish(self, *wishes: Wish) -> None:
        """Put LoRAs in; one that is there takes the new weight and groups, where they are said."""
        for new in wishes:
            known = next((index for index, one in enumerate(self.wishes) if one.name == new.name), None)
            if known is None:
                self.wishes.append(new)
                continue
            old = self.wishes[known]
            weight = old.weight if new.weight is None else new.weight
            self.wishes[known] = replace(new, weight=weight, groups=new.groups or old.groups)

    def drop(self, name: str) -> None:
        """Take a LoRA out."""
        self.wishes = [one for one in self.wishes if one.name != name]


@dataclass(slots=True)
class Trial:
    """A test render being planned: its LoRAs and its prompt; None is the family's own."""

    wishes: list[Wish] = field(default_factory=list)
    prompt: str | None = None

    def take(self, wishes: Sequence[Wish], *, prompt: str | None = None) -> None:
        """Test these LoRAs instead."""
        self.wishes = list(wishes)
        if prompt is not None:
            self.prompt = prompt
