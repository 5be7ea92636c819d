"""What happened, in the past tense: answers that workers bring, and wishes that only the app can fulfil."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message
from textual.message_pump import MessagePump

from hubsync.domain import Facets, Installed, ListFilter, Lora, Query, Render, RenderOutcome, SearchResult
from hubsync.errors import HubsyncError
from hubsync.events import Event
from hubsync.refs import Ref

if TYPE_CHECKING:
    from PIL.Image import Image
    from textual.binding import Binding

    from hubsync.render.plan import RenderOptions
    from hubsync.services.doctor import Check
    from hubsync.services.drafting import Drafted, Part
    from hubsync.services.history import Drawn
    from hubsync.services.install import InstallResult
    from hubsync.services.library import Known
    from hubsync.services.planning import Plan, Unplannable
    from hubsync.services.queueing import Unfinished
    from hubsync.services.settings import Setting, Stored
    from hubsync.services.triggers import SavedPrompt, Wish
    from hubsync.tui.chores import Chore, Done
    from hubsync.tui.jobs import JobState
    from hubsync.tui.questions import Chip, Choice


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
    """A page of the library's rows that fit `wanted`, the first of them the one numbered `offset`."""

    wanted: ListFilter
    offset: int
    rows: Sequence[Installed]


@dataclass
class HistoryRead(Message, bubble=False):
    """The pictures so far, newest first, from `offset` on, that fit `text`; `total` is how many do."""

    text: str
    offset: int
    renders: Sequence[Drawn]
    total: int


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
    """What is being written was composed; `text` is what the user typed."""

    text: str
    drafted: Drafted


@dataclass
class Examined(Message, bubble=False):
    """The set-up was looked at; `whole`: both hubs were asked too."""

    checks: Sequence[Check]
    whole: bool = False


@dataclass
class InstallRequested(Message):
    """The user wants LoRAs; nothing is checked yet. `ref` means one version or file of the only one."""

    loras: Sequence[Lora]
    ref: Ref | None = None


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
class RenderEnded(Message):
    """A test render is done."""

    job: int
    name: str
    outcome: RenderOutcome


@dataclass
class Counted(Message, bubble=False):
    """How many of the library's LoRAs fit `wanted`."""

    wanted: ListFilter
    total: int


@dataclass
class FacetsRead(Message, bubble=False):
    """What the library can be narrowed to."""

    facets: Facets


@dataclass
class LoraKnown(Message, bubble=False):
    """What is known of an installed LoRA besides its row; `lora` is its row."""

    lora: Installed
    known: Known


@dataclass
class LoraEdited(Message, bubble=False):
    """A LoRA is used otherwise: `lora` is its row."""

    lora: Installed


@dataclass
class TextComposed(Message, bubble=False):
    """A text for the clipboard is ready."""

    text: str


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
class UpdatesFound(Message, bubble=False):
    """Newer versions can be installed: each with the LoRA it is newer than."""

    plans: Sequence[tuple[Installed, Plan]]


@dataclass
class Removed(Message, bubble=False):
    """LoRAs are in the trash, in folders of these names."""

    folders: Sequence[str]


@dataclass
class PictureRefused(Message, bubble=False):
    """The preview at `url` cannot be had."""

    url: str
    error: HubsyncError


@dataclass
class BasesRead(Message, bubble=False):
    """The names of base models one can search for; `chip` shows them."""

    chip: Chip
    choices: tuple[Choice, ...]


@dataclass
class SettingsRead(Message, bubble=False):
    """What can be set, and every action that has a key."""

    settings: Sequence[Setting]
    actions: Sequence[Binding]


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
class PromptsRead(Message, bubble=False):
    """The prompts kept under a name, newest first; `saving` tells that one more is about to be kept."""

    prompts: Sequence[SavedPrompt]
    saving: bool = False


@dataclass
class PromptSaved(Message, bubble=False):
    """The prompt is kept under a name."""

    name: str


@dataclass
class TakenOut(Message, bubble=False):
    """What the user's texts are without a LoRA; `before` is the text it stood in, `wish` puts it into the list."""

    part: Part
    before: str
    text: str
    negative: str
    wish: Wish | None
    on: bool


@dataclass
class StepsMissing(Message):
    """Something is not set up yet: how all of it stands, why it matters now, and the finding to begin with."""

    checks: Sequence[Check]
    title: str
    first: str = ""
