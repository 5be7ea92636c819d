"""Prompts that change while a picture is drawn, as AUTOMATIC1111 reads them.

`[from:to:when]`, `[to:when]` and `[from::when]` switch once, `[a|b]` takes turns. A text that has no reading is used as
it stands, in every step. Where brackets without another half leave several readings, AUTOMATIC1111 takes one or another
by the chance of its process's hashes; here the outermost brackets win, always.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TypeAlias

_TOKEN = re.compile(r"(?:[^\\\[\]():|]|\\.)+|[\[\]():|]")
_WHEN = re.compile(r"\s*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*")
_CLOSES = {")": "(", "]": "["}

_Steps: TypeAlias = frozenset[int]
_Pieces: TypeAlias = list[tuple[str, _Steps]]
"""Texts, each with the steps that show it."""


class _Unreadable(Exception):
    """The text fits no reading."""


@dataclass(slots=True)
class _Frame:
    """An open bracket, the marks that part its content, and its parts so far."""

    bracket: str = ""
    marks: list[str] = field(default_factory=list)
    parts: list[_Pieces] = field(default_factory=lambda: [[]])


@dataclass(slots=True)
class _Reader:
    """Reads one text for a number of steps. `passed` steps were drawn before, in the first pass of a hires picture."""

    steps: int
    passed: int = 0
    old: bool = False
    frames: list[_Frame] = field(default_factory=lambda: [_Frame()])
    changes: set[int] = field(default_factory=set)

    def read(self, text: str) -> _Pieces:
        """The pieces of the text, in order; `changes` are the steps after which it is another."""
        tokens = _TOKEN.findall(text)
        if sum(map(len, tokens)) != len(text):
            raise _Unreadable
        for token in tokens:
            self._take(token)
        self._flatten()
        return self.frames[0].parts[0]

    def _take(self, mark: str) -> None:
        top = self.frames[-1]
        if mark in {"(", "["}:
            self.frames.append(_Frame(bracket=mark))
        elif mark in _CLOSES:
            self._close(mark)
        elif mark in {":", "|"} and top.bracket:
            top.marks.append(mark)
            top.parts.append([])
        elif mark == "|":
            raise _Unreadable
        else:
            top.parts[-1].append((mark, self._all))

    def _close(self, mark: str) -> None:
        top = self.frames[-1]
        pieces = self._group(top, mark) if top.bracket == _CLOSES[mark] else None
        if pieces is None:
            self._flatten()
            pieces = [(mark, self._all)]
        else:
            self.frames.pop()
        self.frames[-1].parts[-1] += pieces

    def _group(self, frame: _Frame, mark: str) -> _Pieces | None:
        """What a whole bracket stands for; None when its content makes it no group, so that it is plain text."""
        marks = "".join(frame.marks)
        if not marks or (marks == ":" and frame.bracket == "("):
            return [*self._spelled(frame), (mark, self._all)]
        if frame.bracket == "(":
            return None
        if set(marks) == {"|"}:
            return self._turns(frame.parts)
        when = _WHEN.fullmatch("".join(text for text, _ in frame.parts[-1]))
        return self._switch(frame.parts[:-1], when.group(1)) if when and marks in {":", "::"} else None

    def _turns(self, parts: list[_Pieces]) -> _Pieces:
        self.changes.update(self._all)
        rounds = [self._all.intersection(range(turn, self.steps + 1, len(parts))) for turn in range(1, len(parts) + 1)]
        return [piece for part, turn in zip(parts, rounds, strict=True) for piece in _during(part, turn)]

    def _switch(self, parts: list[_Pieces], when: str) -> _Pieces:
        last = self._last_step(when)
        if last:
            self.changes.add(last)
        *before, after = parts
        until = self._all.intersection(range(1, last + 1))
        return [*(piece for part in before for piece in _during(part, until)), *_during(after, self._all - until)]

    def _last_step(self, when: str) -> int:
        """The step before the change: a number with a dot is a share of all steps, one without is a step."""
        value = float(when)
        share = value < 1 if self.old else "." in when
        value = (value - bool(self.passed)) * self.steps if share else value - self.passed
        return int(max(0, min(self.steps, value)))

    def _flatten(self) -> None:
        """Every bracket still open is plain text after all."""
        base, *opened = self.frames
        for frame in opened:
            if "|" in frame.marks:
                raise _Unreadable
            base.parts[0] += self._spelled(frame)
        self.frames = [base]

    def _spelled(self, frame: _Frame) -> _Pieces:
        marks = [frame.bracket, *frame.marks]
        pieces = [piece for mark, part in zip(marks, frame.parts, strict=True) for piece in ((mark, self._all), *part)]
        # One piece of neighbours that are always shown together: 50,000 nested brackets took 73 s.
        runs = groupby(pieces, key=itemgetter(1))
        return [("".join(text for text, _ in run), shown) for shown, run in runs]

    @property
    def _all(self) -> _Steps:
        return frozenset(range(1, self.steps + 1))


def schedules(text: str, steps: int, *, hires_steps: int | None = None, old: bool = False) -> list[tuple[int, str]]:
    """The prompt in each stretch of steps: (last step of it, text), in order. Attention stays in the text.

    `hires_steps` asks for the second pass of a picture whose first took `steps`: whole numbers go on counting, shares
    run from 1.0 to 2.0. `old` asks for the rules before version 1.6, where any number below 1 is a share.
    """
    second = hires_steps is not None and not old
    reader = _Reader(steps=hires_steps if hires_steps is not None and second else steps, passed=steps * second, old=old)
    try:
        pieces = reader.read(text)
    except _Unreadable:
        return [(reader.steps, text)]
    stretches = sorted(reader.changes | {reader.steps})
    return [(step, "".join(text for text, shown in pieces if step in shown)) for step in stretches]


def _during(pieces: _Pieces, steps: _Steps) -> _Pieces:
    return [(text, shown & steps) for text, shown in pieces]
