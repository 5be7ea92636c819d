"""Which file AUTOMATIC1111 loads for the name in a tag: file stems and the names that headers hold (`ss_output_name`).

The rule is that of its `networks.py`. Case matters, folders and endings do not; later files win.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

_FORBIDDEN = ("none", "Addams")
"""Forbidden from the start. Names are looked up lower-cased, so the second forbids nothing."""

_DIGITS = re.compile(r"([0-9]+)")

_WalkKey = tuple[list[str | int], list[str | int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A LoRA file: its stem, the name in its header (None where it holds none), its base-model family."""

    name: str
    alias: str | None = None
    family: str | None = None

    @property
    def called(self) -> str:
        """The second name it goes by; an empty one counts."""
        return self.name if self.alias is None else self.alias


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The tables of names. `forbidden` ones are looked up among the stems alone."""

    by_stem: Mapping[str, Known]
    by_any: Mapping[str, Known]
    by_alias: Mapping[str, Sequence[Known]]
    forbidden: frozenset[str]

    @classmethod
    def of(cls, files: Iterable[Known]) -> Names:
        """The tables of a library whose files come in the order of `walk_key`."""
        by_stem: dict[str, Known] = {}
        by_any: dict[str, Known] = {}
        by_alias: dict[str, list[Known]] = defaultdict(list)
        forbidden = {*_FORBIDDEN}
        for file in files:
            by_stem[file.name] = file
            if file.called in by_any:
                forbidden.add(file.called.lower())
            by_any[file.name] = by_any[file.called] = file
            by_alias[file.called].append(file)
        return cls(by_stem=by_stem, by_any=by_any, by_alias=by_alias, forbidden=frozenset(forbidden))

    def loaded(self, name: str) -> Known | None:
        """The file that a tag with this name loads."""
        return (self.by_stem if name.lower() in self.forbidden else self.by_any).get(name)

    def inserted(self, file: Known) -> str:
        """The name that the file's card writes into a prompt, unless it is set up to write stems."""
        return file.name if file.called.lower() in self.forbidden else file.called

    def namesakes(self, name: str) -> tuple[Known, ...]:
        """Files of another stem whose header holds this name."""
        return tuple(file for file in self.by_alias.get(name, ()) if file.name != name)


def walk_key(path: PurePath) -> _WalkKey:
    """Sorts files as AUTOMATIC1111 walks them: folder by folder, numbers by value, case aside."""
    return _natural(str(path.parent)), _natural(path.name)


def _natural(text: str) -> list[str | int]:
    # Text and digits take turns, so that no two of a kind are ever compared with the other.
    return [int(part) if at % 2 else part.lower() for at, part in enumerate(_DIGITS.split(text))]
