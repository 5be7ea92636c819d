"""The styles of every screen, parsed once."""

from __future__ import annotations

from textual.css.stylesheet import Stylesheet


class Styles(Stylesheet):
    """A stylesheet that keeps what it has parsed until the theme changes.

    Textual's forgets it for every screen that is new: twice 10 ms, in which no key is heard, for each mode.
    """

    def set_variables(self, variables: dict[str, str]) -> None:
        """Colours of a theme; the same ones change nothing."""
        if variables != self._variables:
            super().set_variables(variables)

    def reparse(self) -> None:
        """Parse what has not been."""
        self.parse()
