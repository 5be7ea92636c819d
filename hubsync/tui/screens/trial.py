"""The form of a test render: which LoRAs, and how; what is left empty is the family's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Button, Input, Static

from hubsync.domain import Installed
from hubsync.errors import HubsyncError
from hubsync.render.plan import RenderOptions, RenderPlan
from hubsync.render.samplers import sampler_names
from hubsync.services.triggers import Wish
from hubsync.tui.answers import Refused
from hubsync.tui.asking import ask
from hubsync.tui.drafts import Trial
from hubsync.tui.jobs import told
from hubsync.tui.messages import RenderRequested
from hubsync.tui.session import Session
from hubsync.tui.text import home, number, words
from hubsync.tui.typed import TOGETHER, field_of, read
from hubsync.tui.widgets.activity import Activity
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.fields import ChoiceField, Field, LineField, TextField
from hubsync.tui.widgets.keyline import KeyLine
from hubsync.tui.widgets.masthead import Masthead
from hubsync.tui.widgets.picker import Picker
from hubsync.tui.widgets.rows import RowList

PAUSE_SECONDS = 0.3
"""How long nothing is typed before the test is planned."""

_OWN = "the family's own"
_DEFAULTS = {
    "together": "each by itself",
    "weights": "each LoRA's own",
    "prompt": _OWN,
    "negative": "none",
    "steps": _OWN,
    "cfg": _OWN,
    "size": "the checkpoint's own",
    "sampler": _OWN,
    "checkpoint": "the one set for the family",
}


@dataclass
class TrialChecked(Message, bubble=False):
    """The test in the form was planned; `errors` are what is wrong, by field, `plan` is there where nothing is."""

    wishes: Sequence[Wish]
    options: RenderOptions
    errors: Mapping[str, str]
    plan: RenderPlan | None


class TrialScreen(Screen[None]):
    """LoRAs to choose left, the test right. What was typed stays in the session."""

    CSS_PATH = "renders.tcss"
    AUTO_FOCUS = "#list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "focus_box", "Filter", key_display="/", id="trial.filter", tooltip="Type part of a name"),
        Binding("space", "select", "Select", id="trial.select", tooltip="Test this LoRA too, or no longer"),
        Binding("ctrl+r", "start", "Start", id="trial.start", tooltip="Draw the pictures"),
        Binding("ctrl+l", "clear", "Clear", id="trial.clear", tooltip="Back to the defaults, without LoRAs"),
        Binding("escape", "close", "Back", id="trial.back", tooltip="Back to the pictures; what is typed stays"),
    ]

    picker = getters.query_one(Picker)
    summary = getters.query_one("#summary", Static)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._hubsync = session.hubsync
        self._starting = False

    @property
    def test(self) -> Trial:
        """What is being planned."""
        return self._session.test

    def compose(self) -> ComposeResult:
        """Top line, LoRAs and fields, jobs, keys."""
        yield Masthead("renders", root=home(self._hubsync.root.path))
        with Horizontal(id="trial"):
            yield Picker(self._session, *self._columns(), prompt="part of a name", begins=self._wish)
            with Vertical(id="form") as form:
                form.border_title = "Test"
                with VerticalScroll(can_focus=False):
                    yield Static(id="picked")
                    yield from _fields()
                yield Static(id="summary")
                yield Button("Start", id="start", compact=True, variant="primary")
        yield Activity(self._session.jobs)
        yield KeyLine()

    def on_mount(self) -> None:
        """Put in what was typed before."""
        self._waiting = self.set_timer(PAUSE_SECONDS, self._check, pause=True)
        self.fill()

    def fill(self) -> None:
        """Show the test of the session."""
        for field in self.query(Field):
            typed = self.test.prompt if field.called == "prompt" else self.test.typed.get(field.called)
            field.value = typed or ""
            seed = str(self._hubsync.settings.render.seed)
            field.say_default(seed if field.called == "seeds" else _DEFAULTS[field.called])
        self._say_picked()
        self._check()

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Selecting is for the list; letters belong to what one types into."""
        return action != "select" or self.focused is self.picker.listing

    def action_focus_box(self) -> None:
        """Into the filter."""
        self.picker.box.focus()

    @on(Input.Submitted, "#box")
    def action_focus_list(self) -> None:
        """From the filter into the list."""
        self.picker.listing.focus()

    def action_select(self) -> None:
        """Test the highlighted LoRA too, or no longer."""
        if (row := self.picker.listing.row) is not None:
            self.test.toggle(Wish(name=row.name))
            self.picker.listing.action_move(1)
            self._say_picked()
            self._soon()

    @on(RowList.Chosen)
    def _chosen(self) -> None:
        self.action_select()

    def action_clear(self) -> None:
        """Begin anew."""
        self.test.take((), prompt="")
        self.test.typed.clear()
        self.fill()

    @on(Button.Pressed, "#start")
    def action_start(self) -> None:
        """Plan once more, with the last letter typed; the test starts if nothing is wrong with it."""
        self._starting = True
        self._check()

    def action_close(self) -> None:
        """Back to the pictures."""
        self.dismiss()

    @on(Field.Typed)
    def _keep(self, message: Field.Typed) -> None:
        if message.name == "prompt":
            self.test.prompt = message.value or None
        else:
            self.test.typed[message.name] = message.value
        self._soon()

    @on(Field.Left)
    def _next(self) -> None:
        self.focus_next()

    def _soon(self) -> None:
        self._starting = False
        self._waiting.stop()
        self._waiting = self.set_timer(PAUSE_SECONDS, self._check)

    def _check(self) -> None:
        self._waiting.stop()
        test = self.test.copy()
        ask(self, "check", lambda: self._checked(test))

    def _checked(self, test: Trial) -> TrialChecked:
        wishes, options, errors = read(test)
        plan = None
        if wishes and not errors:
            try:
                plan = self._hubsync.render.plan(wishes, options)
            except HubsyncError as error:
                errors = {field_of(error): told(error)}
        return TrialChecked(wishes, options, errors, plan)

    @on(TrialChecked)
    def _show_check(self, message: TrialChecked) -> None:
        for field in self.query(Field):
            field.say_wrong(message.errors.get(field.called, ""))
        self._say_picked(message.errors.get("loras", ""))
        if message.plan:
            self._say_defaults(message.plan)
        self.summary.update(_summary(message))
        if not self._starting:
            return
        self._starting = False
        if message.plan:
            self.app.post_message(RenderRequested(message.wishes, message.options))
            # To the list, also from a comparison: there the new test appears.
            while len(self.app.screen_stack) > 1:
                self.app.pop_screen()
        else:
            self._go_to_error(message)

    @on(Refused)
    def _say_refused(self, message: Refused) -> None:
        message.stop()
        self._starting = False
        self.summary.update(words(f"! {told(message.error)}", "$text-error"))

    def _go_to_error(self, message: TrialChecked) -> None:
        wrong = next((field for field in self.query(Field) if field.called in message.errors), None)
        if wrong is not None:
            wrong.enter()
        else:
            self.picker.listing.focus()

    def _columns(self) -> Sequence[Column[Installed]]:
        """Which LoRAs are tested, and at which weight."""
        return (
            Column(text=lambda lora: "●" if self._wish(lora) else "", width=1, strong=True),
            Column(text=lambda lora: lora.name, title="LoRA", strong=True),
            Column(text=self._weight, title="Weight", width=6, right=True),
            Column(text=lambda lora: lora.family or "", title="Family", width=8, needs=36),
        )

    def _wish(self, lora: Installed) -> Wish | None:
        return next((wish for wish in self.test.wishes if wish.name == lora.name), None)

    def _weight(self, lora: Installed) -> str:
        wish = self._wish(lora)
        return number(lora.weight if wish is None or wish.weight is None else wish.weight)

    def _say_picked(self, wrong: str = "") -> None:
        names = ", ".join(dict.fromkeys(_called(wish) for wish in self.test.wishes))
        lines = [words(names, "bold") if names else words("no LoRA selected: space selects", "$foreground-muted")]
        if wrong:
            lines.append(words(f"! {wrong}", "$text-error"))
        self.picker.listing.refresh()
        self.query_one("#picked", Static).update(Content("\n").join(lines))

    def _say_defaults(self, plan: RenderPlan) -> None:
        """What the family, the checkpoint and the LoRAs bring where nothing is typed."""
        found = {
            "weights": "its own: "
            + ", ".join(dict.fromkeys(number(use.weight) for row in plan.rows for use in row.tested)),
            "prompt": plan.rows[0].prompt,
            "steps": str(plan.steps),
            "cfg": number(plan.cfg),
            "sampler": plan.sampler,
            "checkpoint": Path(plan.checkpoint).name,
        }
        for field in self.query(Field):
            if (text := found.get(field.called)) and not field.value:
                field.say_default(text)


def _fields() -> Sequence[Field]:
    return (
        LineField("weights", "Weights"),
        LineField("seeds", "Seeds"),
        ChoiceField("together", "LoRAs", [TOGETHER]),
        TextField("prompt", "Prompt"),
        TextField("negative", "Negative"),
        LineField("steps", "Steps"),
        LineField("cfg", "Guidance"),
        LineField("size", "Size"),
        ChoiceField("sampler", "Sampler", sampler_names()),
        LineField("checkpoint", "Model"),
    )


def _called(wish: Wish) -> str:
    return f"{wish.name} {number(wish.weight)}".rstrip()


def _summary(message: TrialChecked) -> Content:
    """What the start would do, or why there is none."""
    if message.plan:
        drawn = len(message.plan.drawn)
        family = f" ({message.plan.family})" if message.plan.family else ""
        lines = [words(f"Draws {drawn} pictures on {Path(message.plan.checkpoint).name}{family}.")]
        lines += [words(f"! {note}", "$text-warning") for note in message.plan.notes]
        return Content("\n").join(lines)
    if wrong := message.errors.get(""):
        return words(f"! {wrong}", "$text-error")
    muted = "Nothing is drawn yet: see above." if message.errors else "Select what is to be tested."
    return words(muted, "$foreground-muted")
