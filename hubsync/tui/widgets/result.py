"""What a draft comes to: the prompt as `hubsync prompt` prints it, how full it is, and what may be wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from textual import getters
from textual.app import ComposeResult

from hubsync.prompts.chunks import told
from hubsync.prompts.compose import Format
from hubsync.services.drafting import Drafted
from hubsync.tui.describe import BLANK
from hubsync.tui.text import words
from hubsync.tui.widgets.detail import Reader
from hubsync.tui.widgets.facts import Fact, Facts

_FIRST_STEP = (
    "Nothing is in the prompt yet.",
    "l  picks LoRAs from the library: their tags and trigger words appear here",
    "/  writes your own text",
    "o  opens a prompt you have saved",
)


class Result(Reader):
    """The composed prompt, to be read."""

    facts = getters.query_one(Facts)

    def compose(self) -> ComposeResult:
        """Facts, scrolled."""
        yield Facts()

    def show(self, drafted: Drafted, form: Format) -> None:
        """Another prompt; its tokens and its warnings are counted in the border."""
        warnings = len(drafted.composed.warnings)
        self.border_title = f"Prompt for {form.value} · F another"
        self.border_subtitle = " · ".join(filter(None, (_warned(warnings), *_fullness(drafted))))
        self.facts.show(result_facts(drafted))

    def refuse(self, facts: Sequence[Fact]) -> None:
        """Why there is no prompt."""
        self.border_subtitle = ""
        self.facts.show(facts)


def result_facts(drafted: Drafted) -> list[Fact]:
    """The prompt, below it the negative one, then what is worth knowing."""
    composed = drafted.composed
    if not (composed.prompt or composed.negative_prompt or composed.warnings or drafted.parts):
        return [Fact(value=words(line, "" if at else "bold")) for at, line in enumerate(_FIRST_STEP)]
    negative = f"Negative prompt: {composed.negative_prompt}" if composed.negative_prompt else ""
    notes = [Fact(value=words(f"! {note.message}", "$text-warning")) for note in composed.warnings]
    notes += [Fact(value=words(f"i {remark}", "$foreground-muted")) for remark in composed.remarks]
    return [
        Fact(value=words(composed.prompt, "bold")),
        *([Fact(value=words(negative))] if negative else []),
        *([BLANK, *notes] if notes else []),
    ]


def _warned(count: int) -> str:
    return f"! {count} warning{'s' if count > 1 else ''}" if count else ""


def _fullness(drafted: Drafted) -> list[str]:
    """Tokens a chunk. They are estimated without CLIP's vocabulary, which the sign says."""
    negative = told(drafted.negative_chunks) if drafted.composed.negative_prompt else ""
    return [f"~{told(drafted.chunks)} tokens", *([f"negative ~{negative}"] if negative else [])]
