"""What happened, in the past tense: wishes that only the app can fulfil, and news of its jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message
from textual.message_pump import MessagePump

from hubsync.domain import Lora, Render, RenderOutcome
from hubsync.errors import HubsyncError
from hubsync.events import Event
from hubsync.refs import Ref

if TYPE_CHECKING:
    from hubsync.render.plan import RenderOptions, RenderPlan
    from hubsync.services.doctor import Check
    from hubsync.services.install import InstallResult
    from hubsync.services.planning import Plan
    from hubsync.services.queueing import Unfinished
    from hubsync.services.settings import Stored
    from hubsync.services.triggers import Wish
    from hubsync.tui.chores import Chore, Done
    from hubsync.tui.jobs import JobState


@dataclass
class InstallRequested(Message):
    """The user wants LoRAs; nothing is checked yet."""

    loras: Sequence[Lora]


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
    """The user wants to choose how installed LoRAs are tested; a text that is None leaves the form's."""

    wishes: Sequence[Wish]
    prompt: str | None = None
    negative: str | None = None


@dataclass
class ComparisonRequested(Message):
    """The user wants to see the pictures of one test beside each other, `at` among the first ones shown."""

    renders: Sequence[Render]
    sheet: Path | None = None
    at: Render | None = None


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
    error: HubsyncError | None = None


@dataclass
class InstallEnded(Message):
    """An install ran to its end, well or badly."""

    job: int
    row: Ref
    result: InstallResult


@dataclass
class RenderBegun(Message):
    """It is known which pictures a test render will bring."""

    job: int
    plan: RenderPlan


@dataclass
class RenderEnded(Message):
    """A test render is done."""

    job: int
    name: str
    outcome: RenderOutcome


@dataclass
class ChoreRequested(Message):
    """The user wants work done that takes its time; `reply` gets the news it may bring."""

    label: str
    work: Chore
    reply: MessagePump | None = None


@dataclass
class ChoreEnded(Message):
    """A job's work is done; `reply` gets its news."""

    job: int
    done: Done
    reply: MessagePump | None


@dataclass
class SettingChanged(Message):
    """A setting has another value."""

    key: str
    stored: Stored


@dataclass
class SettingRequested(Message):
    """The user wants to change a setting."""

    key: str


@dataclass
class StepsMissing(Message):
    """Something is not set up yet: how all of it stands, why it matters now, and the finding to begin with."""

    checks: Sequence[Check]
    title: str
    first: str = ""
