"""What happened on the screens of the fourth mode: answers about tests and their pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from textual.message import Message

from hubsync.domain import Installed
from hubsync.render.plan import RenderOptions, RenderPlan
from hubsync.services.triggers import Wish


@dataclass
class TrialChecked(Message, bubble=False):
    """The test in the form was planned; `errors` are what is wrong, by field, `plan` is there where nothing is."""

    wishes: Sequence[Wish]
    options: RenderOptions
    errors: Mapping[str, str]
    plan: RenderPlan | None


@dataclass
class Offered(Message, bubble=False):
    """LoRAs to choose from that fit `text`, from `offset` on."""

    text: str
    offset: int
    rows: Sequence[Installed]


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
