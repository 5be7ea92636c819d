"""What can be done with installed LoRAs: with those selected, else with the highlighted one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message

from hubsync.domain import Installed
from hubsync.services.triggers import Wish
from hubsync.tui import chores
from hubsync.tui.answers import Removed, UpdatesFound
from hubsync.tui.asking import ask
from hubsync.tui.messages import PromptRequested, RenderPlanned, RenderRequested
from hubsync.tui.screens.browse import Browse
from hubsync.tui.session import Session
from hubsync.tui.text import home, one_line
from hubsync.tui.widgets.rows import RowList

if TYPE_CHECKING:
    from hubsync.services.relocating import Trashed

_NAMES = 8
"""Names a question lists; the others are counted."""

_ON_LORAS = frozenset({"edit", "prompt", "render", "plan", "copy", "move", "weigh", "remove", "identify", "verify"})

_MOVE = "FOLDER/ is below the folder that LoRAs lie in. What lies beside the files comes along."
_RENAME = f"NAME renames, FOLDER/ moves, FOLDER/NAME does both. {_MOVE}"


@dataclass
class TextComposed(Message, bubble=False):
    """A text for the clipboard is ready."""

    text: str


class Tending(Browse[Installed]):
    """A list of installed LoRAs with everything that can be done with them."""

    SELECTS = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e,enter", "edit", "Words", key_display="e", id="library.edit", tooltip="Its words, weight and notes"),
        Binding("p", "prompt", "Prompt", id="library.prompt", tooltip="Put them into the prompt with their words"),
        Binding("r", "render", "Test render", id="library.render", tooltip="Draw with and without them, now"),
        Binding("R", "plan", "Plan a test", show=False, id="library.plan", tooltip="Choose how they are tested"),
        Binding(
            "y", "copy", "Copy tag", show=False, id="library.copy", tooltip="Copy <lora:NAME:WEIGHT> and the words"
        ),
        Binding("m", "move", "Move, rename", show=False, id="library.move", tooltip="Rename it, or move to a folder"),
        Binding("w", "weigh", "Weight", show=False, id="library.weight", tooltip="The weight they get in prompts"),
        Binding("delete", "remove", "Remove", show=False, id="library.remove", tooltip="Move them to the trash"),
        Binding(
            "u",
            "restore",
            "Undo removal",
            show=False,
            id="library.restore",
            tooltip="Bring back what was removed last, by you or an update",
        ),
        Binding("T", "trash", "Trash", show=False, id="library.trash", tooltip="See what is in the trash, and choose"),
        Binding("U", "update", "Update", show=False, id="library.update", tooltip="Newer versions: selected, or all"),
        Binding("I", "identify", "Identify", show=False, id="library.identify", tooltip="Ask Civitai what they are"),
        Binding("v", "verify", "Verify", show=False, id="library.verify", tooltip="Hash the files again and compare"),
        Binding("S", "scan", "Scan folders", show=False, id="library.scan", tooltip="Read in what lies in the folders"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._removed: Sequence[str] = ()

    def listed(self) -> Sequence[Installed]:
        """Every LoRA that fits what the list is narrowed to, also those that are not read yet; for a thread."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is done with LoRAs needs one."""
        if action in _ON_LORAS and not (self.is_mounted and self.listing.chosen):
            return False
        return super().check_action(action, parameters)

    def action_edit(self) -> None:
        """Edit how the highlighted LoRA is used; where others are selected, the first of those."""
        from hubsync.tui.screens.editing import Editor

        if chosen := self.listing.chosen:
            lora = next((lora for lora in chosen if lora == self.listing.row), chosen[0])
            self.app.push_screen(Editor(self.session, lora, reply=self))

    def action_prompt(self) -> None:
        """Put LoRAs into the prompt."""
        if wishes := self._wishes():
            self.post_message(PromptRequested(wishes))

    def action_render(self) -> None:
        """Test LoRAs at once."""
        if wishes := self._wishes():
            self.post_message(RenderRequested(wishes))

    def action_plan(self) -> None:
        """Put LoRAs into the form of the next test."""
        if wishes := self._wishes():
            self.post_message(RenderPlanned(wishes))

    def action_copy(self) -> None:
        """Compose tags and words for the clipboard."""
        if wishes := self._wishes():
            triggers = self.hubsync.triggers
            ask(self, "copy", lambda: TextComposed(triggers.compose("", wishes).prompt))

    def action_remove(self) -> None:
        """Move LoRAs to the trash, once confirmed."""
        from hubsync.tui.screens.confirm import Confirm

        loras = self.listing.chosen

        def answered(sure: bool | None) -> None:  # noqa: FBT001  (an answer)
            if sure:
                self.post_message(chores.remove(self.hubsync, loras, self))

        if loras:
            lines = [*_names(loras), "", "To the trash, with all that lies beside: u brings them back."]
            self.app.push_screen(Confirm(f"Remove {chores.named(loras)}", lines, verb="removes"), answered)

    def action_restore(self) -> None:
        """Bring back what was removed last."""
        self.post_message(chores.restore_last(self.hubsync, self._removed))

    def action_trash(self) -> None:
        """Show the trash; what is chosen there comes back."""
        from hubsync.tui.screens.trash import Trash

        def answered(trashed: Sequence[Trashed] | None) -> None:
            if trashed:
                self.post_message(chores.restore(self.hubsync, trashed))

        self.app.push_screen(Trash(self.hubsync), answered)

    def action_weigh(self) -> None:
        """Ask for a weight for LoRAs."""
        from hubsync.tui.screens.entry import weight_entry

        loras = self.listing.chosen
        weights = {lora.weight for lora in loras}

        def answered(text: str | None) -> None:
            if text:
                self.post_message(chores.weigh(self.hubsync, loras, float(text)))

        if loras:
            weight = weights.pop() if len(weights) == 1 else None
            self.app.push_screen(weight_entry(f"Weight of {chores.named(loras)}", weight), answered)

    def action_move(self) -> None:
        """Ask for a name or a folder."""
        from hubsync.tui.screens.entry import Entry

        loras = self.listing.chosen

        def answered(target: str | None) -> None:
            if target:
                self.post_message(chores.move(self.hubsync, loras, target, self))
                self.listing.unmark()

        def check(target: str) -> None:
            self.hubsync.relocating.check_move(loras, target)

        if loras:
            hint = _RENAME if len(loras) == 1 else _MOVE
            hint = "\n".join([hint, *_names(loras)])
            name = loras[0].name if len(loras) == 1 else ""
            doubt = _nowhere if len(loras) == 1 else _no_folder
            entry = Entry(f"Move {chores.named(loras)}", name, hint=hint, doubt=doubt, check=check)
            self.app.push_screen(entry, answered)

    def action_update(self) -> None:
        """Look for newer versions of the LoRAs selected, or of all that are listed."""
        loras = self.listing.chosen if self.listing.marked else None
        self.post_message(chores.find_updates(self.hubsync, lambda: self.listed() if loras is None else loras, self))

    def action_identify(self) -> None:
        """Ask Civitai about LoRAs."""
        if loras := self.listing.chosen:
            self.post_message(chores.identify(self.hubsync, loras))

    def action_verify(self) -> None:
        """Hash LoRAs again."""
        if loras := self.listing.chosen:
            self.post_message(chores.verify(self.hubsync, loras))

    def action_scan(self) -> None:
        """Read in what lies in the library's folders."""
        self.post_message(chores.scan(self.hubsync))

    @on(TextComposed)
    def _copy(self, message: TextComposed) -> None:
        self.app.copy_to_clipboard(message.text)
        self.notify(one_line(message.text), title="Handed to the terminal's clipboard", markup=False)

    @on(Removed)
    def _remember(self, message: Removed) -> None:
        self._removed = message.folders
        self.listing.unmark()

    @on(RowList.Highlighted)
    def _offer_keys(self) -> None:
        """With the last row goes what could be done with it."""
        self.refresh_bindings()

    @on(UpdatesFound)
    def _offer(self, message: UpdatesFound) -> None:
        """Where the user is elsewhere by then, the marks in the list and the job's line tell it."""
        from hubsync.tui.screens.updates import Updates

        def answered(replacing: bool | None) -> None:  # noqa: FBT001  (an answer)
            if replacing is not None:
                self.post_message(chores.update(self.hubsync, message.plans, replacing=replacing))
                self.listing.unmark()

        if self.is_current:
            self.app.push_screen(Updates(message.plans), answered)

    def _wishes(self) -> Sequence[Wish]:
        return [Wish(name=lora.name) for lora in self.listing.chosen]


def _names(loras: Sequence[Installed]) -> Sequence[str]:
    """Where LoRAs lie, a few of them."""
    others = len(loras) - _NAMES
    return [*(home(lora.path) for lora in loras[:_NAMES]), *([f"and {others} more"] if others > 0 else [])]


def _nowhere(text: str) -> str:
    return "" if text else "type a name, or a folder with a slash behind it"


def _no_folder(text: str) -> str:
    return "" if text.endswith("/") else "several LoRAs go into a folder: end it with a slash"
