"""What hubsync keeps of its own in `<stem>.json`, so that a lost database loses no word of a user."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hubsync.domain import Installed, Statement, TriggerGroup, WordSource
from hubsync.errors import BadReference
from hubsync.files.sidecars import shapes
from hubsync.files.sidecars.heard import Heard, name, names
from hubsync.files.sidecars.keys import KEYS, OWN
from hubsync.lenient import read
from hubsync.prompts.grouping import groups_from_builtins, groups_to_builtins
from hubsync.refs import HuggingFaceRef, Ref, parse_ref
from hubsync.text import LONGEST, clean_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What hubsync kept: `wrote` has the value it last wrote of each key that other tools read.

    `heard` is what it knows of a LoRA that no other sidecar tells of: one that is not on Civitai.
    """

    ref: Ref | None = None
    heard: Heard = field(default_factory=Heard)
    wrote: Mapping[str, Any] = field(default_factory=dict)
    user: Statement | None = None
    pinned: bool = False


def kept_in(document: Mapping[str, Any]) -> Kept:
    """What hubsync kept in a sidecar. What is malformed counts as absent."""
    found = read(document.get(OWN), shapes.Own)
    if found is None:
        return Kept()
    wrote = found.wrote if isinstance(found.wrote, dict) else {}
    return Kept(
        ref=_ref(found.ref),
        heard=Heard(
            title=name(found.title),
            base_model=name(found.base_model),
            creator=name(found.creator),
            tags=names(found.tags),
        ),
        wrote={key: wrote[key] for key in KEYS if key in wrote},
        user=_user(found.user),
        pinned=found.pinned,
    )


def builtins(lora: Installed, user: Statement | None, wrote: Mapping[str, Any]) -> dict[str, Any]:
    """The same as JSON holds it: only what there is."""
    elsewhere = isinstance(lora.ref, HuggingFaceRef)
    found = {
        "ref": str(lora.ref) if lora.ref else None,
        "title": lora.title if elsewhere else None,
        "base_model": lora.base_model if elsewhere else None,
        "creator": lora.creator if elsewhere else None,
        "tags": list(lora.tags) if elsewhere else None,
        "wrote": {key: wrote[key] for key in KEYS if key in wrote},
        "user": _user_builtins(user) if user else None,
        "pinned": lora.pinned,
    }
    return {key: value for key, value in found.items() if value}


def _ref(text: str) -> Ref | None:
    try:
        return parse_ref(text)
    except BadReference:
        return None


def _user(raw: object) -> Statement | None:
    found = read(raw, shapes.User)
    if found is None:
        return None
    statement = Statement(
        source=WordSource.USER,
        groups=_groups(found.groups),
        weight=finite(found.weight),
        negative=None if found.negative is None else said(found.negative),
        notes=None if found.notes is None else said(found.notes),
    )
    return None if statement == Statement(source=WordSource.USER) else statement


def _groups(raw: object) -> tuple[TriggerGroup, ...] | None:
    """() is what a user says who wants no words; a list without one sound group says nothing."""
    if not isinstance(raw, list):
        return None
    return groups_from_builtins(raw) or (None if raw else ())


def _user_builtins(user: Statement) -> dict[str, Any]:
    found = {
        "groups": None if user.groups is None else groups_to_builtins(user.groups),
        "weight": finite(user.weight),
        "negative": user.negative,
        "notes": user.notes,
    }
    return {key: value for key, value in found.items() if value is not None}


def finite(number: float | None) -> float | None:
    """The number, unless it is infinite or none, which JSON does not know."""
    return number if number is not None and math.isfinite(number) else None


def said(text: str) -> str:
    """A text somebody wrote, safe to print."""
    return clean_lines(text[:LONGEST]).strip()
