"""Trigger words, weight, negative text and notes as a user wants them: kept apart from what hubs and files say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from hubsync.domain import Entry, Installed, Statement, TriggerGroup, WordSource
from hubsync.errors import UsageError
from hubsync.prompts import editing
from hubsync.prompts.sources import said_by, without
from hubsync.services.shelf import Shelf

Groups = tuple[TriggerGroup, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditService:
    """Edits how LoRAs of one library are used. Every edit is in the sidecar too, so that it survives the database."""

    shelf: Shelf

    def add(self, lora: Installed, words: Iterable[str], *, group: int | None = None) -> Installed:
        """Put words into a group; see `prompts.editing.added`.

        Raises:
            UsageError: no such group, or no word.
        """
        return self._words(lora, lambda groups: editing.added(groups, words, group=group))

    def add_group(self, lora: Installed, words: Iterable[str]) -> Installed:
        """Put words into a group of their own, behind the others; it is on, for it was asked for.

        Raises:
            UsageError: no word.
        """

        def change(groups: Groups) -> Groups:
            number = len(groups) + 1
            return editing.switched(editing.added(groups, words, group=number), (), on=True, group=number)

        return self._words(lora, change)

    def remove(self, lora: Installed, words: Iterable[str], *, group: int | None = None) -> Installed:
        """Take words out, or a whole group; what a hub says stays known, and `reset` brings it back.

        Raises:
            NotFound: a word that is not there. UsageError: no such group.
        """
        return self._words(lora, lambda groups: editing.removed(groups, words, group=group))

    def switch(self, lora: Installed, words: Iterable[str], *, on: bool, group: int | None = None) -> Installed:
        """Switch words, or a whole group, on or off.

        Raises:
            NotFound: a word that is not there. UsageError: no such group.
        """
        return self._words(lora, lambda groups: editing.switched(groups, words, on=on, group=group))

    def move(self, lora: Installed, word: str | None, *, group: int, by: int) -> Installed:
        """Move a word within its group, or with None the whole group among the groups; see `prompts.editing.moved`.

        Raises:
            NotFound: a word that is not there. UsageError: no such group.
        """
        return self._words(lora, lambda groups: editing.moved(groups, word, group=group, by=by))

    def weigh(self, lora: Installed, weight: float) -> Installed:
        """Choose the weight the LoRA gets in prompts.

        Raises:
            UsageError: no weight any tool takes.
        """
        check_weight(weight)
        return self._user(lora, lambda user, _: replace(user, weight=weight))

    def negate(self, lora: Installed, text: str) -> Installed:
        """Choose what goes into the negative prompt; an empty text: nothing, whatever others say."""
        return self._user(lora, lambda user, _: replace(user, negative=text.strip()))

    def note(self, lora: Installed, text: str) -> Installed:
        """Write down notes."""
        return self._user(lora, lambda user, _: replace(user, notes=text.strip()))

    def reset(self, lora: Installed) -> Installed:
        """Forget every edit of the user: what hubs, sidecars and the file say holds again."""
        return self.shelf.change(
            lora.path,
            lambda entry: replace(entry, statements=without(entry.statements, WordSource.USER)),
        )

    def _words(self, lora: Installed, change: Callable[[Groups], Groups]) -> Installed:
        return self._user(lora, lambda user, now: replace(user, groups=change(now.groups)))

    def _user(self, lora: Installed, change: Callable[[Statement, Installed], Statement]) -> Installed:
        """Change what the user says of a LoRA, given that and how it stands now."""

        def edited(entry: Entry) -> Entry:
            user = said_by(entry.statements, WordSource.USER) or Statement(source=WordSource.USER)
            others = without(entry.statements, WordSource.USER)
            return replace(entry, statements=(*others, change(user, entry.lora)))

        return self.shelf.change(lora.path, edited)


def check_weight(weight: float) -> None:
    """Refuse a weight that no tool takes.

    Raises:
        UsageError: it is beyond 10 either way.
    """
    if not -10 <= weight <= 10:
        raise UsageError(f"{weight:g} is no weight", hint="most LoRAs want one between -2 and 2")
