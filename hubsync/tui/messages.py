"""What happened, in the past tense: answers that workers bring, and wishes that only the app can fulfil."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from hubsync.domain import Installed, Lora, Query, Render, RenderOutcome, SearchResult
from hubsync.errors import HubsyncError
from hubsync.events import Event
from hubsync.refs import Ref

if TYPE_CHECKING:
    from PIL.Image import Image

    from hubsync.render.plan import RenderOptions
    from hubsync.services.doctor import Check
    from hubsync.services.install import InstallResult
    from hubsync.services.planning import Plan, Unplannable
    from hubsync.services.queueing import Unfinished
    from hubsync.services.triggers import Wish
    from hubsync.tui.jobs import JobState


@dataclass
class Refused(Message):
    """A question to a service ended in an error; `group` is the question's."""

    group: str
    error: HubsyncError


@dataclass
class Searched(Message, bubble=False):
    """The hubs answered; `query` tells whether anybody still wants to know."""

    query: Query
    result: SearchResult


@dataclass
class Shown(Message, bubble=False):
    """A hub told everything about `ref`."""

    ref: Ref
    lora: Lora


@dataclass
class Listed(Message, bubble=False):
    """The library's rows that fit `text`."""

    text: str
    rows: Sequence[Installed]


@dataclass
class HistoryRead(Message, bubble=False):
    """The renders so far, newest first."""

    renders: Sequence[Render]


@dataclass
class LibraryCounted(Message, bubble=False):
    """How many LoRAs are installed."""

    count: int


@dataclass
class PictureDecoded(Message, bubble=False):
    """A picture is ready to be drawn; `key` is what it is a picture of."""

    key: str
    image: Image


@dataclass
class Planned(Message, bubble=False):
    """The pre-flight of one install is done: the file meant first, then what it does not work without."""

    entries: Sequence[Plan | Unplannable]


@dataclass
class PromptComposed(Message, bubble=False):
    """A prompt with its tag and words; `text` is what the user typed."""

    text: str
    prompt: str
    negative: str
    warnings: Sequence[str]


@dataclass
class Examined(Message, bubble=False):
    """The set-up was looked at."""

    checks: Sequence[Check]


@dataclass
class InstallRequested(Message):
    """The user wants a LoRA; nothing is checked yet."""

    lora: Lora


@dataclass
class InstallConfirmed(Message):
    """The user has seen the pre-flight and said yes. `row` is the list row it began with."""

    row: Ref
    plans: Sequence[Plan]


@dataclass
class QueueRead(Message):
    """What earlier runs left unfinished."""

    entries: Sequence[Unfinished]


@dataclass
class PromptRequested(Message):
    """The user wants installed LoRAs in the prompt."""

    wishes: Sequence[Wish]


@dataclass
class RenderRequested(Message):
    """The user wants a test render of installed LoRAs, now."""

    wishes: Sequence[Wish]
    options: RenderOptions | None = None


@dataclass
class RenderPlanned(Message):
    """The user wants to choose how installed LoRAs are tested; `prompt` None leaves the form's."""

    wishes: Sequence[Wish]
    prompt: str | None = None


@dataclass
class ComparisonRequested(Message):
    """The user wants to see the pictures of one test beside each other."""

    renders: Sequence[Render]
    sheet: Path | None = None


@dataclass
class JobAdvanced(Message):
    """A running job said something."""

    job: int
    event: Event


@dataclass
class JobStopped(Message):
    """A job ended without a result."""

    job: int
    state: JobState
    note: str


@dataclass
class InstallEnded(Message):
    """An install ran to its end, well or badly."""

    job: int
    row: Ref
    result: InstallResult


@dataclass
class RenderEnded(Message):
    """A test render is done."""

    job: int
    name: str
    outcome: RenderOutcome
