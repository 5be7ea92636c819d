"""The six modes: their screens, each imported when first shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.screen import Screen

    from hubsync.tui.session import Session


def screens(session: Session) -> dict[str, Callable[[], Screen[None]]]:
    """What makes each mode's screen, in the order of their digits."""

    def discover() -> Screen[None]:
        from hubsync.tui.screens.discover import Discover

        return Discover(session)

    def library() -> Screen[None]:
        from hubsync.tui.screens.library import Library

        return Library(session)

    def prompt() -> Screen[None]:
        from hubsync.tui.screens.prompt import PromptScreen

        return PromptScreen(session)

    def renders() -> Screen[None]:
        from hubsync.tui.screens.renders import Renders

        return Renders(session)

    def activity() -> Screen[None]:
        from hubsync.tui.screens.activity import ActivityScreen

        return ActivityScreen(session)

    def settings() -> Screen[None]:
        from hubsync.tui.screens.settings import SettingsScreen

        return SettingsScreen(session)

    return {
        "discover": discover,
        "library": library,
        "prompt": prompt,
        "renders": renders,
        "activity": activity,
        "settings": settings,
    }
