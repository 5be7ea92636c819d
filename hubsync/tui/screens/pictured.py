"""What can be done with a picture of a test, in the list and in the comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen

from hubsync.render.plan import RenderOptions
from hubsync.services.discarding import Removal
from hubsync.services.triggers import Wish
from hubsync.tui import pictures
from hubsync.tui.answers import OpenedOutside
from hubsync.tui.asking import ask
from hubsync.tui.describe import kind, render_name
from hubsync.tui.messages import RenderRequested
from hubsync.tui.session import Session
from hubsync.tui.text import home

if TYPE_CHECKING:
    from hubsync.services.history import Drawn


@dataclass
class Recalled(Message, bubble=False):
    """What draws an earlier test again."""

    wishes: Sequence[Wish]
    options: RenderOptions


@dataclass
class InfotextRead(Message, bubble=False):
    """The text that draws a picture again."""

    text: str


@dataclass
class PreviewSet(Message, bubble=False):
    """A picture is the preview of the LoRA `name` from here on."""

    name: str


@dataclass
class RemovalPlanned(Message, bubble=False):
    """What would be removed of a test, if the user is sure."""

    removal: Removal


class Pictured(Screen[None]):
    """A screen on which one picture is meant."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "again", "Again", id="picture.again", tooltip="Draw the same test once more"),
        Binding("R", "edit", "Edit", show=False, id="picture.edit", tooltip="Change the test and draw that"),
        Binding("P", "preview", "Preview", id="picture.preview", tooltip="Make the picture its LoRA's preview"),
        Binding("y", "copy", "Copy infotext", show=False, id="picture.copy", tooltip="Copy what draws it again"),
        Binding(
            "u", "restore", "Undo removal", show=False, id="picture.restore", tooltip="Bring back what was removed"
        ),
        Binding("o", "outside", "Open outside", show=False, id="picture.outside", tooltip="Open it in the desktop"),
    ]

    session: Session

    @property
    def pictured(self) -> Drawn | None:
        """The picture that is meant."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is done with a picture is offered where there is one."""
        if action == "preview":
            return self.pictured is not None and len(self.pictured.tested) == 1
        if action in {"again", "edit", "copy", "outside", "remove"}:
            return self.pictured is not None
        return super().check_action(action, parameters)

    def action_again(self) -> None:
        """Draw the same test once more."""
        if (one := self.pictured) is not None:
            ask(self, "again", lambda: RenderRequested(*self.session.hubsync.render.again(one.render)))

    def action_edit(self) -> None:
        """The same test in the form."""
        if (one := self.pictured) is not None:
            ask(self, "edit", lambda: Recalled(*self.session.hubsync.render.again(one.render)))

    def action_preview(self) -> None:
        """Make the picture the preview of the LoRA it shows."""
        if (one := self.pictured) is not None:
            ask(self, "preview", lambda: PreviewSet(self.session.hubsync.render.set_preview(one.render)))

    def action_copy(self) -> None:
        """Hand the infotext to the terminal's clipboard (OSC 52)."""
        if (one := self.pictured) is not None:
            ask(self, "infotext", lambda: InfotextRead(self.session.hubsync.render.infotext(one.render)))

    def action_outside(self) -> None:
        """Open the picture in the desktop's own program."""
        if (one := self.pictured) is not None:
            open_picture(self, one.render.path)

    def action_restore(self) -> None:
        """Bring back what was removed last."""
        self.post_message(pictures.restore(self.session.hubsync))

    def plan_removal(self, *, whole: bool) -> None:
        """Ask whether the picture, or the whole test, is to go to the trash."""
        if (one := self.pictured) is not None:
            service = self.session.hubsync.discarding
            ask(self, "removal", lambda: RemovalPlanned(service.plan(one.render, whole=whole)))

    @on(RemovalPlanned)
    def _ask_removal(self, message: RemovalPlanned) -> None:
        from hubsync.tui.screens.confirm import Confirm

        removal = message.removal

        def answered(sure: bool | None) -> None:  # noqa: FBT001  (an answer)
            if sure:
                self.post_message(pictures.remove(self.session.hubsync, removal))

        first, many = removal.renders[0], len(removal.renders)
        title = f"Remove {pictures.counted(many)}"
        subject = f"{kind(removal.renders[0])}: {render_name(first)}" if many == 1 else f"The test of “{first.prompt}”"
        lines = [subject, home(first.path if many == 1 else first.path.parent), "", pictures.PROMISE]
        self.app.push_screen(Confirm(title, lines, verb="removes"), answered)

    @on(Recalled)
    def _edit(self, message: Recalled) -> None:
        from hubsync.tui.screens.trial import TrialScreen
        from hubsync.tui.typed import fill

        fill(self.session.test, message.wishes, message.options)
        self.app.push_screen(TrialScreen(self.session))

    @on(PreviewSet)
    def _say_preview(self, message: PreviewSet) -> None:
        self.notify(f"This is the preview of {message.name} now.", timeout=3, markup=False)
        self.session.library_changed.publish(None)

    @on(InfotextRead)
    def _copy(self, message: InfotextRead) -> None:
        self.app.copy_to_clipboard(message.text)
        self.notify("The infotext is copied.", timeout=2)

    @on(OpenedOutside)
    def _say_opened(self, message: OpenedOutside) -> None:
        say_opened(self, message)


def open_picture(screen: Screen[None], path: Path) -> None:
    """Open a picture in the desktop's own program, in a thread."""
    from hubsync.tui.terminal import open_outside

    ask(screen, "outside", lambda: OpenedOutside(path, open_outside(path)))


def say_opened(screen: Screen[None], message: OpenedOutside) -> None:
    """Say where a picture is that nobody here could see."""
    if not message.seen:
        screen.notify(f"The picture is {home(message.path)}", timeout=10, markup=False)
