"""The styles of every screen, each text of them parsed once."""

from __future__ import annotations

from textual.css.stylesheet import Stylesheet


class Styles(Stylesheet):
    """A stylesheet that keeps what it has parsed until the theme changes.

    Textual's keeps the newest 64 texts and starts anew with each new screen; hubsync has about 100, one a widget class:
    all were parsed again, in about 10 ms, five times for every mode shown for the first time.
    """

    def __init__(self, *, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._parse_cache.grow(1024)

    def set_variables(self, variables: dict[str, str]) -> None:
        """Colours of a theme; the same ones change nothing."""
        if variables != self._variables:
            super().set_variables(variables)

    def reparse(self) -> None:
        """Parse what has not been."""
        self.parse()
