"""Asking the index of trigrams for texts, cheaply.

A keystroke may take 5 ms. At 100,000 LoRAs walking the list of a common trigram takes 3 of them, and looking into a
body 1.2 µs. So trigrams are looked at first for how common they are, the index is asked for as few as tell a text well,
and the bodies of what it yields are compared.
"""

from __future__ import annotations

import json
import sqlite3
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

_PROBE = 32
"""How many of the oldest LoRAs with a trigram tell how common it is: 0.015 ms. The newest take five times as long."""
_COMPARING, _WALKING = 1.2, 0.05
"""Microseconds for one more LoRA whose body is compared, and for one more in the list of a trigram."""
_CHEAP = 0.2
"""The share of LoRAs up to which a trigram is asked for in any case: estimates forget that words go together."""
_IN_NAMES = 0.1
"""More than the share of any trigram that only names have."""
_HOPELESS = 5
"""Times too many that an estimate must say to be believed unchecked."""
_AFTER_A_LETTER = string.ascii_lowercase + string.digits + " "
_FOUND = "SELECT rowid AS id FROM finder WHERE finder MATCH ? ORDER BY rowid DESC"


@dataclass(frozen=True, slots=True)
class Index:
    """The index at one moment. `newest` is the highest id in it."""

    connection: sqlite3.Connection
    newest: int
    _counts: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, connection: sqlite3.Connection) -> Index:
        """The index as it is now."""
        return cls(connection, connection.execute("SELECT COALESCE(MAX(id), 0) FROM lookup").fetchone()[0])

    def having(self, needles: Sequence[str], most: int | None = None) -> Iterator[int]:
        """Ids of LoRAs with all these texts, the newest first; no more than `most` bodies are compared."""
        chosen, _expected = self.chosen(needles, most or self.newest)
        unsure = [needle for needle in needles if needle not in chosen]
        yield from self._ids(_all_of(chosen), unsure, most)

    def having_two(self, letters: str) -> Iterator[int]:
        """Ids of LoRAs with two ASCII letters anywhere: no trigram yet, so all that may follow are asked for."""
        yield from self._ids(" OR ".join(f'"{letters}{after}"' for after in _AFTER_A_LETTER), [], None)

    def newest_having(self, text: str, among: int) -> Iterator[int]:
        """Ids of LoRAs with a text of any length among the newest ones."""
        query = "SELECT id FROM lookup WHERE id > ? AND instr(body, ?) ORDER BY id DESC"
        yield from (key for (key,) in self.connection.execute(query, [self.newest - among, text]))

    def if_few(self, needles: Sequence[str], most: int) -> list[tuple[int, str]] | None:
        """Ids and bodies of all LoRAs with these texts, newest first; None where more than `most` are to compare."""
        chosen, expected = self.chosen(needles, most)
        if not chosen or expected > _HOPELESS * most:
            return None
        keys = self.with_trigrams(chosen, most + 1)
        if len(keys) > most:
            return None
        query = f"SELECT id, body FROM lookup WHERE id IN (SELECT value FROM json_each(?)) AND {_checks(needles)}"  # noqa: S608
        return self.connection.execute(f"{query} ORDER BY id DESC", [json.dumps(keys), *needles]).fetchall()

    def with_trigrams(self, trigrams: Iterable[str], limit: int) -> list[int]:
        """Ids of the newest LoRAs with all these trigrams."""
        return [key for (key,) in self.connection.execute(f"{_FOUND} LIMIT ?", [_all_of(trigrams), limit])]

    def count(self, trigram: str) -> float:
        """About how many LoRAs have it; exactly, if few."""
        if trigram not in self._counts:
            query = "SELECT rowid FROM finder WHERE finder MATCH ? ORDER BY rowid LIMIT ?"
            keys = self.connection.execute(query, [_all_of([trigram]), _PROBE]).fetchall()
            few = len(keys) < _PROBE
            self._counts[trigram] = len(keys) if few else len(keys) / keys[-1][0] * self.newest
        return self._counts[trigram]

    def chosen(self, needles: Sequence[str], most: int) -> tuple[list[str], float]:
        """Trigrams to ask for where `most` bodies at most are compared, and about how many LoRAs have them all.

        Those with the mark of a name are rare. Then comes the rarest of each word, and at last the second rarest, which
        tells little that the rarest did not.
        """
        parts = [some_trigrams(part) for needle in needles for part in _words_of(needle)]
        chosen = [part.pop(0) for part in parts if part and part[0][0] in "<_"]
        chosen += [part.pop() for part in parts if part and part[-1][2] == ">"]
        left = self.newest * (_IN_NAMES if chosen else 1)
        ranked = [sorted(part, key=self.count) for part in parts if part]
        marked = [part[0] for part in parts if part and part[0][0] == " "]
        for trigram in sorted({*marked, *(part[0] for part in ranked)}, key=self.count):
            share = self.count(trigram) / self.newest if self.newest else 0
            if not chosen or share < _CHEAP or self._pays(trigram, min(left, most) * (1 - share)):
                chosen.append(trigram)
                left *= share
        seconds = {trigram for part in ranked for trigram in part[1:3]}
        return chosen + [one for one in seconds - {*chosen} if self._pays(one, min(left, most) / 2)], left

    def _pays(self, trigram: str, spared: float) -> bool:
        return spared * _COMPARING > self.count(trigram) * _WALKING

    def _ids(self, match: str, unsure: Sequence[str], most: int | None) -> Iterator[int]:
        # CROSS JOIN: the index leads, in its order. Without the LIMIT SQLite drops that order, for it is a subquery's.
        compared = f"SELECT id FROM ({_FOUND} LIMIT ?) CROSS JOIN lookup USING (id) WHERE {_checks(unsure)}"  # noqa: S608
        if unsure:
            rows = self.connection.execute(compared, [match, most or self.newest, *unsure])
        else:
            rows = self.connection.execute(_FOUND, [match])
        yield from (key for (key,) in rows)


def every_trigram(text: str) -> list[str]:
    """Each once, in order."""
    return [*dict.fromkeys(text[at : at + 3] for at in range(len(text) - 2))]


def some_trigrams(text: str) -> list[str]:
    """Those that tell a text: without what a doubled mark adds, and every second of a long word."""
    text = text[1:] if text[:2] in {"<<", "__", "  "} and len(text) > 3 else text
    every = every_trigram(text)
    return every if len(every) <= 5 else every[:-1:2] + every[-1:]


def _words_of(needle: str) -> list[str]:
    return needle.split("  ") if len(needle) > 3 else [needle]


def _all_of(trigrams: Iterable[str]) -> str:
    return " AND ".join(f'"{trigram}"' for trigram in trigrams)


def _checks(needles: Sequence[str]) -> str:
    return " AND ".join("instr(body, ?)" for _ in needles)
