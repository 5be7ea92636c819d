"""Fields of a form: a label, room for a value, the default where nothing is typed, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label, Select, Static, TextArea

from hubsync.tui.text import one_line, words


class Field(Vertical):
    """One field, called `name`; a subclass says what one types into."""

    @dataclass
    class Typed(Message):
        """Another value stands in a field."""

        name: str
        value: str

    class Left(Message):
        """Enter was pressed in a field."""

    def __init__(self, name: str, label: str) -> None:
        super().__init__(id=f"field-{name}", classes="field")
        self.called = name
        self._label = label

    @property
    def value(self) -> str:
        """What was typed or chosen, empty for the default."""
        raise NotImplementedError

    @value.setter
    def value(self, text: str) -> None:
        raise NotImplementedError

    def control(self) -> Widget:
        """What one types into."""
        raise NotImplementedError

    def say_default(self, text: str) -> None:
        """Say what holds while nothing is typed."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Label and value side by side, below them what is wrong."""
        with Horizontal():
            yield Label(self._label, markup=False)
            yield self.control()
        yield Static(classes="wrong")

    def on_mount(self) -> None:
        """Nothing is wrong yet."""
        self.say_wrong("")

    def say_wrong(self, text: str) -> None:
        """Say what is wrong, or nothing."""
        wrong = self.query_one(".wrong", Static)
        wrong.update(words(f"! {text}", "$text-error") if text else "")
        wrong.display = bool(text)

    def enter(self) -> None:
        """Go into the field."""
        self.query_one("Horizontal > *:last-child").focus()

    def _tell(self) -> None:
        self.post_message(self.Typed(self.called, self.value))


class LineField(Field):
    """A value of one line."""

    @property
    def value(self) -> str:
        """What was typed."""
        return self.query_one(Input).value

    @value.setter
    def value(self, text: str) -> None:
        box = self.query_one(Input)
        box.value = one_line(text)
        # Of a path that is too long the end is seen, and whoever comes in goes on there.
        box.action_end()

    def control(self) -> Input:
        """A line."""
        return Input(compact=True, select_on_focus=False)

    def say_default(self, text: str) -> None:
        """As pale text in the empty line."""
        self.query_one(Input).placeholder = one_line(text)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._tell()

    @on(Input.Submitted)
    def _left(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Left())


class TextField(Field):
    """A text of several lines."""

    @property
    def value(self) -> str:
        """What was typed."""
        return self.query_one(TextArea).text

    @value.setter
    def value(self, text: str) -> None:
        if text != self.value:
            self.query_one(TextArea).text = text

    def control(self) -> TextArea:
        """Room for a text; tab leads out of it."""
        return TextArea(compact=True, highlight_cursor_line=False)

    def say_default(self, text: str) -> None:
        """As pale text in the empty room."""
        self.query_one(TextArea).placeholder = one_line(text)

    @on(TextArea.Changed)
    def _typed(self, event: TextArea.Changed) -> None:
        event.stop()
        self._tell()


class ChoiceField(Field):
    """One of some values, or the default; a value from elsewhere joins the choices."""

    def __init__(self, name: str, label: str, choices: Sequence[str]) -> None:
        super().__init__(name, label)
        self._choices = choices

    @property
    def value(self) -> str:
        """What was chosen."""
        chosen = self.query_one(Select).value
        return chosen if isinstance(chosen, str) else ""

    @value.setter
    def value(self, text: str) -> None:
        select = self.query_one(Select)
        if text == self.value:
            return
        if text and text not in self._choices:
            self._choices = [*self._choices, text]
            select.set_options((choice, choice) for choice in self._choices)
        select.value = text or Select.NULL

    def control(self) -> Select[str]:
        """The values, unfolded with enter."""
        return Select([(choice, choice) for choice in self._choices], compact=True)

    def say_default(self, text: str) -> None:
        """As the first of the choices."""
        self.query_one(Select).prompt = text

    @on(Select.Changed)
    def _chosen(self, event: Select.Changed) -> None:
        event.stop()
        self._tell()
