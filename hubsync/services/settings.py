"""Settings for people: what can be set and what it means, where a value comes from, and changes that are checked."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args, get_origin, get_type_hints

from hubsync import config
from hubsync.config import Settings
from hubsync.errors import AccessDenied, HubError
from hubsync.families import load_families
from hubsync.limiter import Limiter
from hubsync.refs import Source
from hubsync.render.checkpoint import family_of, locate, unfit

if TYPE_CHECKING:
    from hubsync.services.app import Hubsync

_HUBS = {"civitai.api_key": Source.CIVITAI, "huggingface.token": Source.HUGGINGFACE}
AFTER_RESTART = frozenset({"root", "lora_dir", "render.python", "render.timeout", "render.idle", "ui.images"})
"""What is settled when a program starts."""

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_LINE = re.compile(r"(\w+) = .*?  +# (.+)")
_SECTION = re.compile(r"\[(\w+)\](?: +# (.+))?")


class Kind(StrEnum):
    """How a value is entered."""

    SWITCH = "switch"
    CHOICE = "choice"
    NUMBER = "number"
    TEXT = "text"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key with its value as text, of a secret only `set`; `origin` is `default`, `file` or `environment`.

    `about` says in one line what it is for, `choices` are the values a CHOICE has, `doubt` is why it may not do.
    """

    key: str
    kind: Kind
    value: str
    default: str
    origin: str
    about: str
    choices: tuple[str, ...] = ()
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A change that was written to `path`: whose key it is, if it is one, and what the user should know.

    `overruled`: an environment variable sets the same key, and comes first. `unset`: the key was taken out, and
    its default counts.
    """

    path: Path
    unset: bool = False
    account: str | None = None
    notes: tuple[str, ...] = ()
    overruled: bool = False


def listed(settings: Settings, *, environ: Mapping[str, str] = os.environ) -> Sequence[Setting]:
    """Every key but those of the key map, in the order of the documented file; families without a checkpoint too.

    Raises:
        BadConfig: the configuration file is no TOML.
    """
    values, origins, about, choices = config.flatten(settings), config.origins(environ), _told(), _choices()
    defaults = config.flatten(Settings())
    return [
        Setting(
            key=key,
            kind=_kind(key, values.get(key, "")),
            value="set" if key in config.SECRET_KEYS and values[key] else as_text(values.get(key, "")),
            default=as_text(defaults.get(key, "")),
            origin=origins.get(key, "default"),
            about=about.get(key) or about.get(key.partition(".")[0], ""),
            choices=choices.get(key, ()),
            doubt=doubt(key.removeprefix("checkpoint."), values[key]) if _is_checkpoint(key, values) else "",
        )
        for key in config.known_keys()
    ]


def store(key: str, value: str, *, settings: Callable[[], Settings], environ: Mapping[str, str] = os.environ) -> Stored:
    """Write one key to the configuration file. A key of a hub is shown to that hub first.

    Raises:
        BadConfig: unknown key, or a value it cannot hold.
        AccessDenied: the hub does not know the key, which is not stored.
    """
    config.check_key(key)
    value, notes, account = value.strip(), [], None
    if key in _HUBS and value:
        try:
            account = _account(_HUBS[key], with_value(settings(), key, value))
        except HubError as error:
            notes.append(f"the key could not be checked: {error.message}")
    if key.startswith("checkpoint.") and value and (reason := doubt(key.removeprefix("checkpoint."), value)):
        notes.append(reason)
    path = config.write(key, value, environ=environ)
    overruled = config.origins(environ).get(key) == "environment"
    if overruled:
        notes.append("an environment variable sets it too, and comes first")
    return Stored(path=path, account=account, notes=tuple(notes), overruled=overruled)


def change(hubsync: Hubsync, key: str, value: str) -> Stored:
    """The same, and these services go on with it; an empty value takes the key out. Raises as `store` does."""
    value = value.strip()
    stored = store(key, value, settings=lambda: hubsync.settings) if value else unset(key)
    if not stored.overruled:
        hubsync.adopt(with_value(hubsync.settings, key, value) if value else _without(hubsync.settings, key))
    return stored


def unset(key: str, *, environ: Mapping[str, str] = os.environ) -> Stored:
    """Take one key out of the configuration file: its default counts.

    Raises:
        BadConfig: unknown key, or a file that is no TOML.
    """
    path = config.unset(key, environ=environ)
    overruled = config.origins(environ).get(key) == "environment"
    notes = ("an environment variable sets it",) if overruled else ()
    return Stored(path=path, unset=True, notes=notes, overruled=overruled)


def with_value(settings: Settings, key: str, value: str) -> Settings:
    """Settings with one key changed.

    Raises:
        BadConfig: a value the key cannot hold.
    """
    return config.build({**config.flatten(settings), key: value}, where=key)


def _without(settings: Settings, key: str) -> Settings:
    return config.build({name: value for name, value in config.flatten(settings).items() if name != key})


def doubt(family: str, checkpoint: str) -> str:
    """Why a checkpoint may not do for a family, by its place and its header; empty where nothing tells so."""
    where = locate(checkpoint)
    path = Path(where)
    if path.is_dir() and not (path / "model_index.json").is_file():
        return f"{where} is no diffusers folder: it has no model_index.json"
    if path.exists() and (reason := unfit(where)):
        return reason
    if not path.exists() and not _REPOSITORY.fullmatch(checkpoint):
        return f"there is nothing at {where}"
    found = family_of(where, Settings(), load_families())
    return f"it is of the family {found}, not {family}" if found not in {None, family} else ""


def as_text(value: object) -> str:
    """A value as it is typed."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _account(source: Source, settings: Settings) -> str:
    from hubsync.services.network import Network

    with closing(Network(settings, transport=None, limiter=Limiter())) as network:
        try:
            return network.hub(source).account()
        except AccessDenied as error:
            raise type(error)(f"{error.message}; it was not stored", hint=error.hint) from error


def _kind(key: str, value: object) -> Kind:
    if key in config.SECRET_KEYS:
        return Kind.HIDDEN
    if isinstance(value, bool):
        return Kind.SWITCH
    if key in _choices():
        return Kind.CHOICE
    return Kind.NUMBER if isinstance(value, int | float) else Kind.TEXT


def _choices() -> Mapping[str, tuple[str, ...]]:
    """The keys that hold one of a few words, in the order of the code."""
    sections = {name: kind for name, kind in get_type_hints(Settings).items() if hasattr(kind, "__struct_fields__")}
    hints = {f"{name}.{field}": hint for name, kind in sections.items() for field, hint in get_type_hints(kind).items()}
    return {key: get_args(hint) for key, hint in hints.items() if get_origin(hint) is Literal}


def _told() -> Mapping[str, str]:
    """What the documented configuration file says of keys and sections."""
    return dict(_comments(config.shipped("hubsync.toml").read_text("utf-8").splitlines()))


def _comments(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    section = ""
    for line in lines:
        if heading := _SECTION.match(line):
            section = f"{heading[1]}."
            yield heading[1], heading[2] or ""
        elif found := _LINE.match(line):
            yield f"{section}{found[1]}", found[2]


def _is_checkpoint(key: str, values: Mapping[str, object]) -> bool:
    return key.startswith("checkpoint.") and bool(values.get(key))
