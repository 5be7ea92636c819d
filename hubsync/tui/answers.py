"""Answers that workers bring to more than one screen, in the past tense. Those of one screen stand in its module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from hubsync.domain import Installed, ListFilter, Lora
from hubsync.errors import HubsyncError
from hubsync.refs import Ref

if TYPE_CHECKING:
    from hubsync.services.library import Known
    from hubsync.services.planning import Plan
    from hubsync.services.triggers import SavedPrompt


@dataclass
class Refused(Message):
    """A question to a service ended in an error; `group` is the question's."""

    group: str
    error: HubsyncError


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
class LibraryCounted(Message, bubble=False):
    """How many LoRAs are installed."""

    count: int


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
class UpdatesFound(Message, bubble=False):
    """Newer versions can be installed: each with the LoRA it is newer than."""

    plans: Sequence[tuple[Installed, Plan]]


@dataclass
class Removed(Message, bubble=False):
    """LoRAs are in the trash, in folders of these names."""

    folders: Sequence[str]


@dataclass
class Moved(Message, bubble=False):
    """LoRAs lie elsewhere: each by the path it had."""

    here: Mapping[Path, Installed]


@dataclass
class PromptsRead(Message, bubble=False):
    """The prompts kept under a name, newest first; `saving` tells that one more is about to be kept."""

    prompts: Sequence[SavedPrompt]
    saving: bool = False


@dataclass
class OpenedOutside(Message, bubble=False):
    """A picture was handed to the desktop; not `seen` where there is none to show it."""

    path: Path
    seen: bool
