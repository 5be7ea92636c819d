"""Library: what is installed, filtered while typing; from here words go into prompts and LoRAs into test renders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content

from hubsync.domain import Installed, ListFilter
from hubsync.refs import Ref
from hubsync.services.triggers import Wish
from hubsync.tui.asking import ask
from hubsync.tui.describe import installed_facts
from hubsync.tui.messages import Listed, PromptRequested, RenderRequested
from hubsync.tui.screens.browse import Browse
from hubsync.tui.text import number
from hubsync.tui.widgets.columns import Column

_FIRST_STEP = (
    "Nothing is installed yet.\n\n"
    "Press 1, look for a LoRA and press i on it: it is checked, downloaded, verified and appears here with its trigger "
    "words.\n\n"
    "LoRAs that lie there already are read by `hubsync scan`."
)


class Library(Browse[Installed]):
    """The installed LoRAs."""

    MODE = "library"
    PROMPT = "part of a name, a tag, a creator, a trigger word"
    TITLES = ("Filter", "Installed", "Details")
    AUTO_FOCUS = "#list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "render", "Test render", id="library.render", tooltip="Draw it with and without the LoRA"),
        Binding("p", "prompt", "Prompt", id="library.prompt", tooltip="A prompt with the tag and the trigger words"),
    ]

    def columns(self) -> Sequence[Column[Installed]]:
        """Mark, name, words, base model, weight."""
        return (
            Column(text=lambda lora: "!" if lora.missing else "", width=1, strong=True),
            Column(text=lambda lora: lora.name, title="Name", strong=True),
            Column(text=_first_words, title="Words", width=16, needs=54),
            Column(text=lambda lora: lora.base_model or lora.family or "", title="Base", width=8, wide=10),
            Column(text=lambda lora: number(lora.weight), title="Weight", width=6, right=True),
        )

    def key(self, row: Installed) -> object:
        """A LoRA is its file."""
        return row.path

    def on_mount(self) -> None:
        """Follow what is installed meanwhile."""
        self.session.library_changed.subscribe(self, self._changed)

    def on_screen_resume(self) -> None:
        """Other programs install too: read again whenever the screen comes up."""
        self.look_for(self.box.value.strip())

    def look_for(self, text: str) -> None:
        """Read the library's rows that fit."""
        ask(self, "list", lambda: Listed(text, self.hubsync.library.list(ListFilter(text=text))))

    def describe(self, row: Installed) -> None:
        """The database told everything already."""
        self.detail.show(installed_facts(row))

    def settle(self, row: Installed) -> None:
        """Only the picture takes time."""
        preview = row.preview
        if preview is not None:
            self.detail.picture.show(str(preview), lambda: preview)
        else:
            self.detail.picture.hide()

    def action_render(self) -> None:
        """Test the highlighted LoRA."""
        if self.listing.row is not None:
            self.post_message(RenderRequested([Wish(name=self.listing.row.name)]))

    def action_prompt(self) -> None:
        """Compose a prompt with the highlighted LoRA."""
        if self.listing.row is not None:
            self.post_message(PromptRequested([Wish(name=self.listing.row.name)]))

    def _changed(self, _: Ref | None) -> None:
        self.look_for(self.box.value.strip())

    @on(Listed)
    def _show_rows(self, message: Listed) -> None:
        if message.text != self.box.value.strip():
            return
        nothing = f"Nothing installed fits “{message.text}”." if message.text else _FIRST_STEP
        self.listing.show(message.rows, placeholder=nothing)
        self.listing.border_subtitle = f"{len(message.rows)} installed" if message.rows else ""
        self.say(Content())


def _first_words(lora: Installed) -> str:
    return ", ".join(word for group in lora.trigger_words for word in group)
