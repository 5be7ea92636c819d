"""How a LoRA is used: its trigger groups and words, weight, negative text and notes, each edit saved at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.message_pump import MessagePump

from hubsync.domain import Installed, Suggestion, TriggerGroup
from hubsync.refs import Ref
from hubsync.tui import chores
from hubsync.tui.answers import LoraEdited, LoraKnown, Refused
from hubsync.tui.asking import ask
from hubsync.tui.jobs import told
from hubsync.tui.screens.adding import Adding
from hubsync.tui.screens.confirm import Confirm
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.screens.entry import Entry, weight_entry
from hubsync.tui.screens.writing import Writing
from hubsync.tui.session import Session
from hubsync.tui.text import number, one_line, words
from hubsync.tui.widgets.activity import Activity
from hubsync.tui.widgets.facts import Fact
from hubsync.tui.widgets.words import Line, WordList

_KEYS = (
    "space on/off · a add · A add a group · del removes · J K move · esc\n"
    "w weight · n negative · o notes · t try words out · R reset"
)


class Editor(Dialog[None]):
    """Edits one LoRA. Edits wait for each other, so that each starts from what the one before left."""

    AUTO_FOCUS = "RowList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "switch", "On or off", id="editing.switch", tooltip="Insert this word or group, or not"),
        Binding("a", "add(False)", "Add", id="editing.add", tooltip="Add words to this group"),
        Binding("A", "add(True)", "New group", id="editing.group", tooltip="Add words as a group of their own"),
        Binding("delete,backspace", "remove", "Remove", id="editing.remove", tooltip="Remove this word or group"),
        Binding("shift+up,K", "move(-1)", "Move up", id="editing.up", tooltip="Move it up: the word, or the group"),
        Binding("shift+down,J", "move(1)", "Move down", id="editing.down", tooltip="Move it down"),
        Binding("w", "weigh", "Weight", id="editing.weight", tooltip="The weight it gets in prompts"),
        Binding("n", "negate", "Negative", id="editing.negative", tooltip="What goes into the negative prompt"),
        Binding("o", "note", "Notes", id="editing.notes", tooltip="Write down notes"),
        Binding("R", "reset", "Reset", id="editing.reset", tooltip="Back to what hubs and the file say"),
        Binding("t", "probe", "Try out", id="editing.probe", tooltip="See which words it reacts to, on the checkpoint"),
        Binding("x", "app.stop", "Stop", show=False, id="editing.stop", tooltip="Stop the newest job"),
    ]

    def __init__(self, session: Session, lora: Installed, *, reply: MessagePump) -> None:
        super().__init__(f"How {lora.name} is used", keys=_KEYS)
        self._session = session
        self._editing = session.hubsync.editing
        self.lora = lora
        self._reply = reply
        self.suggestions: Sequence[Suggestion] = ()
        self._waiting: deque[Callable[[], Callable[[], Installed] | None]] = deque()
        self._busy = self._changed = self._leaving = False
        self._goal: tuple[int, str] | None = None
        self._problem = ""

    @property
    def listing(self) -> WordList:
        """Groups and their words."""
        return self.query_one(WordList)

    def compose_head(self) -> ComposeResult:
        """Groups and words."""
        yield WordList()

    def on_mount(self) -> None:
        """Show the words, and ask what else it may want; jobs are seen here too."""
        jobs = Vertical(Activity(self._session.jobs), id="jobs")
        self.query_one("#dialog").mount(jobs, before="#keys")
        self._session.library_changed.subscribe(self, self._look_again)
        self._show()
        self._look_again(None)

    def action_switch(self) -> None:
        """Switch the word or the group."""

        def switch(lora: Installed, line: Line) -> Installed:
            return self._editing.switch(lora, line.words, on=not line.on, group=line.group.index)

        self._edit(switch)

    def action_remove(self) -> None:
        """Take the word out, or the whole group: of several words once confirmed."""

        def begin() -> Callable[[], Installed] | None:
            if (line := self.listing.row) is None:
                return None
            if line.word is None and len(line.group.words) > 1:
                self._ask_removal(line.group)
                return None
            return partial(self._editing.remove, self.lora, line.words, group=line.group.index)

        self._queue(begin)

    def _ask_removal(self, group: TriggerGroup) -> None:
        texts = [word.text for word in group.words]
        self._leaving = False  # esc may have been faster than the edits before

        def answered(sure: bool | None) -> None:  # noqa: FBT001  (an answer)
            if sure:
                self._change(lambda lora: self._editing.remove(lora, texts, group=group.index))

        lines = [", ".join(texts), "", "R brings back what hubs and the file say, and forgets all else you wrote."]
        self.app.push_screen(Confirm(f"Remove group {group.index}", lines, verb="removes"), answered)

    def action_move(self, by: int) -> None:
        """Move the word in its group, or the group among the others."""

        def move(lora: Installed, line: Line) -> Installed:
            word = line.word.text if line.word else None
            return self._editing.move(lora, word, group=line.group.index, by=by)

        self._edit(move, moved=by)

    def action_add(self, new: bool) -> None:  # noqa: FBT001  (an action)
        """Add words to the group of the line, or as a new one."""
        groups = len(self.lora.groups)
        line = self.listing.row
        group = groups + 1 if new or line is None else line.group.index

        def answered(texts: Sequence[str] | None) -> None:
            if texts and group > groups:
                self._change(lambda lora: self._editing.add_group(lora, texts), goal=(group, ""))
            elif texts:
                self._change(lambda lora: self._editing.add(lora, texts, group=group))

        title = f"Add to group {group}" if group <= groups else "Add a group"
        self.app.push_screen(Adding(title, self.suggestions), answered)

    def action_weigh(self) -> None:
        """Ask for the weight."""

        def answered(text: str | None) -> None:
            if text:
                self._change(lambda lora: self._editing.weigh(lora, float(text)))

        self.app.push_screen(weight_entry("Weight", self.lora.weight), answered)

    def action_negate(self) -> None:
        """Ask for the negative text."""

        def answered(text: str | None) -> None:
            if text is not None:
                self._change(lambda lora: self._editing.negate(lora, text))

        hint = "Goes into the negative prompt whenever the LoRA is in the prompt. Empty: nothing does."
        known = one_line(self.lora.negative or "")
        self.app.push_screen(Entry("Negative", known, hint=hint, doubt=lambda _: ""), answered)

    def action_note(self) -> None:
        """Ask for notes."""

        def answered(text: str | None) -> None:
            if text is not None:
                self._change(lambda lora: self._editing.note(lora, text))

        self.app.push_screen(Writing("Notes", self.lora.notes or ""), answered)

    def action_reset(self) -> None:
        """Forget the user's edits, once confirmed."""

        def answered(sure: bool | None) -> None:  # noqa: FBT001  (an answer)
            if sure:
                self._change(self._editing.reset)

        lines = [
            "Your own words, weight, negative text and notes are forgotten.",
            "What hubs and the file say is used.",
        ]
        self.app.push_screen(Confirm(f"Reset {self.lora.name}", lines, verb="resets"), answered)

    def action_probe(self) -> None:
        """Try words out; those it reacts to become suggestions."""
        self.post_message(chores.probe(self._session.hubsync, self.lora))

    def action_close(self) -> None:
        """Leave once every edit is saved; others see what was edited."""
        if self._busy:
            self._leaving = True
            return
        if self._changed:
            self._session.library_changed.publish(None)
        super().action_close()

    def _edit(self, edit: Callable[[Installed, Line], Installed], *, moved: int = 0) -> None:
        """Change what the highlighted line shows once its turn comes; a group that is `moved` keeps the highlight."""

        def begin() -> Callable[[], Installed] | None:
            if (line := self.listing.row) is None:
                return None
            self._goal = (line.group.index + moved, "") if moved and line.word is None else None
            return partial(edit, self.lora, line)

        self._queue(begin)

    def _change(self, change: Callable[[Installed], Installed], *, goal: tuple[int, str] | None = None) -> None:
        """Change the LoRA itself; the highlight goes to the line with the key `goal`."""

        def begin() -> Callable[[], Installed]:
            self._goal = goal
            return partial(change, self.lora)

        self._queue(begin)

    def _queue(self, begin: Callable[[], Callable[[], Installed] | None]) -> None:
        self._waiting.append(begin)
        self._next()

    def _next(self) -> None:
        while self._waiting and not self._busy:
            self._goal = None
            if (edit := self._waiting.popleft()()) is not None:
                self._busy = True
                ask(self, "edit", partial(_edited, edit))
        if self._leaving:
            self.action_close()

    def _look_again(self, _: Ref | None) -> None:
        lora, library = self.lora, self._session.hubsync.library
        ask(self, "known", lambda: LoraKnown(lora, library.known(lora)))

    @on(LoraEdited)
    def _edit_done(self, message: LoraEdited) -> None:
        self.lora, self._busy, self._changed = message.lora, False, True
        self._reply.post_message(LoraEdited(message.lora))
        self._problem = ""
        self._show()
        self._look_again(None)
        self._next()

    @on(LoraKnown)
    def _suggest(self, message: LoraKnown) -> None:
        self.suggestions = message.known.suggestions
        self._tell()

    @on(Refused)
    def _say_refused(self, message: Refused) -> None:
        message.stop()
        self._problem = told(message.error)
        self._tell()
        if message.group == "edit":
            self._busy = False
            self._next()

    def _show(self) -> None:
        self.listing.show_groups(self.lora.groups, goal=self._goal)
        self._tell()

    def _tell(self) -> None:
        problem = [Fact(value=words(f"! {self._problem}", "$text-error"))] if self._problem else []
        self.show([*problem, *_facts(self.lora, self.suggestions)], keys=_KEYS)


def _edited(edit: Callable[[], Installed]) -> Message:
    return LoraEdited(edit())


def _facts(lora: Installed, suggestions: Sequence[Suggestion]) -> Iterator[Fact]:
    """What is used besides the words."""
    hints = ", ".join(one.text for one in suggestions)
    for label, text in (
        ("Weight", number(lora.weight) or "none: w chooses one"),
        ("Negative", lora.negative or "none: n writes it"),
        ("Notes", lora.notes or "none: o writes some"),
        ("Hints", hints or "none: t tries words out on the checkpoint"),
    ):
        yield Fact(label=label, value=words(text))
