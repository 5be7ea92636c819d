"""Facts about one thing: headings, text, and labelled values that wrap beside their label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

_LABEL_WIDTH = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A value with its label; without a label the value takes the whole width."""

    value: Content
    label: str = ""


class Facts(Widget):
    """Facts, one under the other, wrapped to the width there is."""

    def __init__(self, facts: Sequence[Fact] = (), *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._facts = facts

    @property
    def facts(self) -> Sequence[Fact]:
        """What is shown."""
        return self._facts

    def show(self, facts: Sequence[Fact]) -> None:
        """Show other facts."""
        self._facts = facts
        self.refresh(layout=True)

    def render(self) -> Content:
        """The facts as lines."""
        return Content("\n").join(self._lines(self.content_size.width))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """As many lines as there are."""
        return sum(1 for _ in self._lines(width))

    def _lines(self, width: int) -> Iterable[Content]:
        for fact in self._facts:
            if not fact.label:
                yield from fact.value.wrap(max(1, width)) if fact.value else [Content()]
                continue
            label = Content.styled(fact.label.ljust(_LABEL_WIDTH), "$foreground-muted")
            for line in fact.value.wrap(max(1, width - _LABEL_WIDTH)):
                yield label + line
                label = Content(" " * _LABEL_WIDTH)
