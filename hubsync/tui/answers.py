"""Answers that workers bring, in the past tense: what a service said, for the screen that asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from hubsync.domain import Facets, Installed, ListFilter, Lora, Query, SearchResult
from hubsync.errors import HubsyncError
from hubsync.refs import Ref

if TYPE_CHECKING:
    from PIL.Image import Image
    from textual.binding import Binding

    from hubsync.render.plan import RenderOptions, RenderPlan
    from hubsync.services.discarding import Removal
    from hubsync.services.doctor import Check
    from hubsync.services.drafting import Drafted, Part
    from hubsync.services.history import Drawn
    from hubsync.services.library import Known
    from hubsync.services.planning import Plan, Unplannable
    from hubsync.services.settings import Setting
    from hubsync.services.triggers import SavedPrompt, Wish
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
    """What can be set."""

    settings: Sequence[Setting]


@dataclass
class ActionsFound(Message, bubble=False):
    """Every action that has a key."""

    actions: Sequence[Binding]


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
class TrialChecked(Message, bubble=False):
    """The test in the form was planned; `errors` are what is wrong, by field, `plan` is there where nothing is."""

    wishes: Sequence[Wish]
    options: RenderOptions
    errors: Mapping[str, str]
    plan: RenderPlan | None


@dataclass
class Recalled(Message, bubble=False):
    """What draws an earlier test again."""

    wishes: Sequence[Wish]
    options: RenderOptions


@dataclass
class SheetFound(Message, bubble=False):
    """A test's contact sheet is there."""

    path: Path


@dataclass
class InfotextRead(Message, bubble=False):
    """The text that draws a picture again."""

    text: str


@dataclass
class PreviewSet(Message, bubble=False):
    """A picture is the preview of the LoRA `name` from here on."""

    name: str


@dataclass
class OpenedOutside(Message, bubble=False):
    """A picture was handed to the desktop; not `seen` where there is none to show it."""

    path: Path
    seen: bool


@dataclass
class TestRead(Message, bubble=False):
    """The pictures of one test, judged."""

    pictures: Sequence[Drawn]


@dataclass
class RemovalPlanned(Message, bubble=False):
    """What would be removed of a test, if the user is sure."""

    removal: Removal
