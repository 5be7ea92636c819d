"""A draft on the screen: texts, LoRAs, and what they come to, composed while typing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from textual import events, getters, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import TextArea

from hubsync.prompts.compose import Format
from hubsync.refs import Ref
from hubsync.services.drafting import Drafted, Drafter, Part
from hubsync.tui.answers import Refused
from hubsync.tui.asking import ask
from hubsync.tui.describe import problem
from hubsync.tui.jobs import told
from hubsync.tui.session import Session
from hubsync.tui.text import home, plain
from hubsync.tui.widgets.activity import Activity
from hubsync.tui.widgets.keyline import KeyLine
from hubsync.tui.widgets.masthead import Masthead
from hubsync.tui.widgets.parts import LoraList, state
from hubsync.tui.widgets.prompt_text import OwnText, PromptText
from hubsync.tui.widgets.result import Result
from hubsync.tui.widgets.rows import RowList

_NO_LORA = "No LoRA is in the prompt.\n\nl picks some from the library. A tag in your text counts too."
_IN_TEXT = "esc leaves · ctrl+l puts LoRAs in"
_QUESTION = "compose"


@dataclass
class PromptComposed(Message, bubble=False):
    """What is being written was composed; `text` is what the user typed."""

    text: str
    drafted: Drafted


class Composing(Screen[None]):
    """The session's draft: its texts are those of the boxes, its LoRAs those of the list."""

    CSS_PATH = "prompt.tcss"
    AUTO_FOCUS = "#loras"

    text = getters.query_one("#text", OwnText)
    negative = getters.query_one("#negative", PromptText)
    listing = getters.query_one(LoraList)
    result = getters.query_one(Result)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.draft = session.draft
        self.drafter = Drafter(lambda: session.hubsync.triggers)
        self.form = Format.A1111
        self._drafted: Drafted | None = None
        self._asking = False
        self._stale = False
        self._then: Callable[[Drafted], None] | None = None

    def compose(self) -> ComposeResult:
        """Top line; texts and LoRAs; what they come to; jobs, keys."""
        yield Masthead("prompt", root=home(self.session.hubsync.root.path))
        with Horizontal(id="draft"):
            with Vertical(id="texts"):
                yield OwnText(id="text", placeholder="your own words, for example: a blue ring")
                yield PromptText(id="negative", placeholder="what should not be drawn")
            yield LoraList(id="loras")
        yield Result(id="result")
        yield Activity(self.session.jobs)
        yield KeyLine()

    def on_mount(self) -> None:
        """Follow what is installed meanwhile."""
        self.text.border_title, self.negative.border_title = "Your text", "Negative"
        self.listing.border_title = "LoRAs"
        self.session.library_changed.subscribe(self, self._library_changed)

    def on_screen_resume(self) -> None:
        """Other screens change the draft and the words of LoRAs; other programs install some."""
        self._asking = False
        self.put_texts()
        self._library_changed(None)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Say the keys that work inside a text."""
        for box in (self.text, self.negative):
            box.border_subtitle = _IN_TEXT if event.widget is box else ""

    def put_texts(self) -> None:
        """Show the draft's texts."""
        self.text.put(self.draft.text)
        self.negative.put(self.draft.negative)

    def rewrite(self, text: str, *, negative: str | None = None) -> None:
        """Another text, and another negative one if given; ctrl+z in a box brings the old one back."""
        self.draft.text = text
        self.draft.negative = self.draft.negative if negative is None else negative
        self.put_texts()
        self.compose_again()

    def compose_again(self) -> None:
        """Compose the draft as it is. While that is under way, one more waits: the newest."""
        self._stale = self._asking
        if self._asking:
            return
        self._asking = True
        text, negative = self.draft.text, self.draft.negative
        wishes, off, form = tuple(self.draft.wishes), frozenset(self.draft.off), self.form

        def question() -> PromptComposed:
            return PromptComposed(text, self.drafter.draft(text, wishes, negative=negative, off=off, form=form))

        ask(self, _QUESTION, question)

    def when_composed(self, then: Callable[[Drafted], None]) -> None:
        """Do something with what the draft comes to, the last letter included."""
        if self._asking or self._drafted is None:
            self._then = then
        else:
            then(self._drafted)

    def edited(self) -> None:
        """The list of LoRAs is another: show that at once, and what it comes to when it is known."""
        known = {part.wish.name: part for part in self.listing.rows}
        listed = [
            replace(known[wish.name], wish=wish, on=wish.name not in self.draft.off, listed=True)
            for wish in self.draft.wishes
            if wish.name in known
        ]
        names = {wish.name for wish in self.draft.wishes}
        in_text = [part for part in self.listing.rows if part.tag and part.wish.name not in names]
        self._show_parts([*listed, *(replace(part, listed=False) for part in in_text)])
        self.compose_again()

    def say(self, text: str, *, wrong: bool = False) -> None:
        """News that goes away by itself."""
        self.notify(
            plain(text), severity="warning" if wrong else "information", timeout=4 if wrong else 2, markup=False
        )

    def _library_changed(self, _: Ref | None) -> None:
        self.drafter.renew()
        self.compose_again()

    def _show_parts(self, parts: list[Part]) -> None:
        self.listing.show(parts, placeholder=_NO_LORA)

    @on(TextArea.Changed)
    def _typed(self) -> None:
        if (self.text.text, self.negative.text) != (self.draft.text, self.draft.negative):
            self.draft.text, self.draft.negative = self.text.text, self.negative.text
            self.compose_again()

    @on(PromptComposed)
    def _show_prompt(self, message: PromptComposed) -> None:
        self._asking = False
        self._drafted = message.drafted
        self.result.show(message.drafted, self.form)
        if self._stale:
            self.compose_again()
            return
        self._show_parts([*message.drafted.parts])
        then, self._then = self._then, None
        if then is not None:
            then(message.drafted)

    @on(RowList.Highlighted)
    def _describe(self) -> None:
        row = self.listing.row
        place = f"{self.listing.highlighted + 1} of {len(self.listing.rows)}"
        self.listing.border_subtitle = "" if row is None else f"{row.name}: {state(row)} · {place}"

    @on(Refused)
    def _say_refused(self, message: Refused) -> None:
        message.stop()
        if message.group != _QUESTION:
            self.say(told(message.error), wrong=True)
            return
        self._asking, self._then = False, None
        self.result.refuse(problem(message.error))
        if self._stale:
            self.compose_again()
