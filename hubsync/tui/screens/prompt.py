"""Prompt: a text and LoRAs from the library; their tags and words come and go exactly. Copied, rendered, saved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message

from hubsync.domain import Installed
from hubsync.prompts.compose import Format
from hubsync.services.drafting import Drafted, Part, weighed
from hubsync.services.triggers import Wish
from hubsync.tui.asking import ask
from hubsync.tui.messages import RenderPlanned, RenderRequested
from hubsync.tui.screens.keeping import Keeping
from hubsync.tui.text import number
from hubsync.tui.widgets.prompt_text import OwnText
from hubsync.tui.widgets.rows import RowList


@dataclass
class TakenOut(Message, bubble=False):
    """What the user's texts are without a LoRA; `before` is the text it stood in, `wish` puts it into the list."""

    part: Part
    before: str
    text: str
    negative: str
    wish: Wish | None
    on: bool


class PromptScreen(Keeping):
    """What can be done with the draft."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "write", "Write", key_display="/", id="prompt.write", tooltip="Into your own text"),
        Binding("n", "avoid", "Negative", show=False, id="prompt.negative", tooltip="Into the negative text"),
        Binding("l,ctrl+l", "pick", "LoRAs", id="prompt.pick", tooltip="Pick LoRAs from the library"),
        Binding("y", "copy", "Copy", id="prompt.copy", tooltip="Copy the prompt to the clipboard"),
        Binding(
            "Y", "copy_negative", "Copy negative", show=False, id="prompt.copy_negative", tooltip="Copy that prompt"
        ),
        Binding("r", "render", "Render", id="prompt.render", tooltip="Draw this prompt with its LoRAs, and without"),
        Binding("R", "plan", "Plan render", show=False, id="prompt.plan", tooltip="Choose how it is drawn and tested"),
        Binding("F", "format", "Format", show=False, id="prompt.format", tooltip="Write it for another program"),
        Binding("ctrl+s", "save", "Save", show=False, id="prompt.save", tooltip="Keep the prompt under a name"),
        Binding("N", "begin", "Begin anew", show=False, id="prompt.new", tooltip="Empty the prompt; asks first"),
        Binding("o", "open", "Open saved", show=False, id="prompt.open", tooltip="Go on with a saved prompt"),
        Binding("space", "switch", "On or off", show=False, id="prompt.switch", tooltip="Switch the LoRA on or off"),
        Binding(
            "plus,equals_sign,right", "step(0.05)", "Stronger", show=False, id="prompt.up", tooltip="Weight + 0.05"
        ),
        Binding("minus,left", "step(-0.05)", "Weaker", show=False, id="prompt.down", tooltip="Weight - 0.05"),
        Binding(
            "shift+right,asterisk", "step(0.2)", "Much stronger", show=False, id="prompt.jump", tooltip="Weight + 0.2"
        ),
        Binding(
            "shift+left,underscore", "step(-0.2)", "Much weaker", show=False, id="prompt.drop", tooltip="Weight - 0.2"
        ),
        Binding("w", "weigh", "Weight", show=False, id="prompt.weigh", tooltip="Type the LoRA's weight"),
        Binding("g", "groups", "Words", show=False, id="prompt.groups", tooltip="Choose its groups and words"),
        Binding("J", "move(1)", "Move down", show=False, id="prompt.later", tooltip="Move the LoRA down"),
        Binding("K", "move(-1)", "Move up", show=False, id="prompt.earlier", tooltip="Move the LoRA up"),
        Binding(
            "delete,backspace", "remove", "Take out", show=False, id="prompt.remove", tooltip="Tag and words go again"
        ),
        Binding("escape", "back", "Back", show=False, id="prompt.back", tooltip="Go one step back"),
    ]

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """What is done to a LoRA needs one; no way is offered to where one is."""
        if action in {"write", "back"}:
            return self.focused is not (self.text if action == "write" else self.listing)
        on_rows = action in {"switch", "step", "weigh", "groups", "move", "remove"}
        return not on_rows or (self.focused is self.listing and self.listing.row is not None)

    def action_write(self) -> None:
        """Into the text."""
        self.text.focus()

    def action_avoid(self) -> None:
        """Into the negative text."""
        self.negative.focus()

    def action_back(self) -> None:
        """From a text to the list."""
        self.listing.focus()

    def action_pick(self) -> None:
        """Choose from the library."""
        from hubsync.tui.screens.picking import LoraPicker

        def picked(loras: Sequence[Installed] | None) -> None:
            if loras:
                self.draft.wish(*(Wish(name=lora.name) for lora in loras))
                self.compose_again()
                self.when_composed(lambda _: self.listing.go_to(loras[-1].name))

        there = {part.lora.path for part in self.listing.rows if part.lora}
        self.app.push_screen(LoraPicker(self.session, there), picked)

    def action_switch(self) -> None:
        """Switch the LoRA off, or on again with the weight it had."""
        part = self.listing.row
        if part is not None:
            self._put(part, part.wish, on=not part.on)

    def action_step(self, by: float) -> None:
        """Another weight."""
        part = self.listing.row
        if part is not None and part.tagged:
            self._weigh(part, round(part.weight + by, 4))

    def action_weigh(self) -> None:
        """Ask for the weight."""
        from hubsync.tui.screens.entry import Entry

        part = self.listing.row
        if part is None or not part.tagged:
            return

        def typed(text: str | None) -> None:
            if text is not None:
                self._weigh(part, _number(text))

        entry = Entry(
            f"Weight of {part.name}", number(part.weight), hint="0 does nothing, -1 the opposite", doubt=_doubt
        )
        self.app.push_screen(entry, typed)

    def action_groups(self) -> None:
        """Choose its words."""
        from hubsync.tui.screens.grouping import GroupsDialog

        part = self.listing.row
        if part is None or part.lora is None or not part.lora.groups:
            self.say("This LoRA has no trigger words." if part and part.lora else "This LoRA is not installed.")
            return

        def chosen(wish: Wish | None) -> None:
            if wish is not None and wish != part.wish:
                self._put(part, wish, on=part.on)

        self.app.push_screen(GroupsDialog(part.lora, part.wish), chosen)

    def action_move(self, by: int) -> None:
        """Move the LoRA among those of the list."""
        if self.listing.row is not None:
            self.draft.move(self.listing.row.wish.name, by)
            self.edited()

    def action_remove(self) -> None:
        """Take the LoRA out, from the text too if its tag stands there."""
        part = self.listing.row
        if part is None:
            return
        self.draft.drop(part.wish.name)
        self.edited()
        if part.tag:
            self._take_out(part)

    def action_format(self) -> None:
        """Write for the next program."""
        forms = [*Format]
        self.form = forms[(forms.index(self.form) + 1) % len(forms)]
        self.compose_again()

    def action_copy(self) -> None:
        """Hand the prompt to the terminal's clipboard (OSC 52)."""
        self.when_composed(lambda drafted: self._copy(drafted.composed.prompt, "prompt"))

    def action_copy_negative(self) -> None:
        """Hand the negative prompt to the terminal's clipboard."""
        self.when_composed(lambda drafted: self._copy(drafted.composed.negative_prompt, "negative prompt"))

    def action_render(self) -> None:
        """Draw the prompt with all its LoRAs, and without any."""
        self.when_composed(partial(self._test, now=True))

    def action_plan(self) -> None:
        """Choose how the LoRAs are tested."""
        self.when_composed(partial(self._test, now=False))

    def _put(self, part: Part, wish: Wish, *, on: bool) -> None:
        """Change how a LoRA is wanted. One that stands in the text alone comes into the list with that."""
        if part.listed:
            self.draft.put(wish, on=on)
            self.edited()
        elif part.lora is not None:
            self._take_out(part, replace(wish, name=part.lora.name), on=on)
        else:
            self.say(f"“{part.name}” is not installed: delete takes its tag out.", wrong=True)

    def _weigh(self, part: Part, weight: float) -> None:
        if part.listed:
            self._put(part, replace(part.wish, weight=weight), on=part.on)
        else:
            self.rewrite(weighed(self.draft.text, part, weight))

    def _take_out(self, part: Part, wish: Wish | None = None, *, on: bool = True) -> None:
        text, negative = self.draft.text, self.draft.negative

        def question() -> TakenOut:
            return TakenOut(part, text, *self.drafter.without(text, part, negative=negative), wish, on)

        ask(self, "take out", question)

    @on(TakenOut)
    def _show_rest(self, message: TakenOut) -> None:
        if self.draft.text != message.before:
            self._take_out(message.part, message.wish, on=message.on)
            return
        if message.wish is not None:
            self.draft.put(message.wish, on=message.on)
        self.rewrite(message.text, negative=message.negative)

    @on(OwnText.Parted)
    def _show_parted(self, message: OwnText.Parted) -> None:
        if message.negative:
            self.rewrite(self.text.text, negative=message.negative)
        left = f" Its settings are left out: {message.settings}" if message.settings else ""
        self.say(f"The infotext's prompts are taken.{left}")

    @on(RowList.Chosen)
    def _open(self) -> None:
        self.action_groups()

    def _copy(self, text: str, what: str) -> None:
        if not text:
            self.say(f"There is no {what} yet.", wrong=True)
            return
        self.app.copy_to_clipboard(text)
        self.say(f"The {what} is copied, for {self.form.value}.")

    def _test(self, drafted: Drafted, *, now: bool) -> None:
        """All LoRAs of the prompt are tested as one, those of the list first."""
        from hubsync.render.plan import RenderOptions
        from hubsync.tui.typed import TOGETHER

        in_text = [replace(part.wish, name=part.name) for part in drafted.parts if part.lora and not part.listed]
        wishes = [*self.draft.active, *in_text]
        text = self.draft.text.strip() or None
        if not wishes:
            self.say("A test needs a LoRA: l picks one.", wrong=True)
        elif now:
            options = RenderOptions(prompt=text, negative=self.draft.negative, together=True)
            self.post_message(RenderRequested(wishes, options))
        else:
            self.session.test.typed["together"] = TOGETHER
            self.post_message(RenderPlanned(wishes, text, self.draft.negative))


def _number(text: str) -> float:
    """A weight as people type it, with a comma too; not a number where it is none."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return math.nan


def _doubt(text: str) -> str:
    return "" if math.isfinite(_number(text)) else "a weight is a number, for example 0.8"
