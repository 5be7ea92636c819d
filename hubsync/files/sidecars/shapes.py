"""What each tool's sidecar is read for. Every field is optional and read by itself with `hubsync.lenient`.

Sources of the keys: AUTOMATIC1111's `ui_edit_user_metadata.py`, Civitai's answers, Lora-Manager's
`metadata-json-schema.md`, Stability Matrix' `ConnectedModelInfo.cs`, SwarmUI's `T2IModelHandler.cs`.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

Id = Annotated[int, Meta(ge=1, le=2**31 - 1)]
"""Civitai's ids are int4; anything else, such as the "" of Civitai Helper's dummies, leaves the field at 0."""


class Automatic(Struct, kw_only=True):
    """`<stem>.json`. Civitai Browser+ adds `sha256`."""

    description: str = ""
    activation: str = field(default="", name="activation text")
    weight: float = field(default=0.0, name="preferred weight")
    negative: str = field(default="", name="negative text")
    notes: str = ""
    sha256: str = ""
    hubsync: object = None


class Own(Struct, kw_only=True):
    """What hubsync keeps under its key in `<stem>.json`."""

    ref: str = ""
    title: str = ""
    base_model: str = ""
    creator: str = ""
    tags: object = None
    wrote: object = None
    user: object = None
    pinned: bool = False


class User(Struct, kw_only=True):
    """What a user of hubsync said."""

    groups: object = None
    weight: float | None = None
    negative: str | None = None
    notes: str | None = None


class Version(Struct, rename="camel", kw_only=True):
    """A version of Civitai: `.civitai.info`, a row of a model's `modelVersions`, `civitai` in `.metadata.json`."""

    id: Id = 0
    model_id: Id = 0
    base_model: str = ""
    description: str = ""
    trained_words: object = None
    nsfw_level: int = 0
    model: object = None
    creator: object = None
    files: object = None


class Model(Struct, rename="camel", kw_only=True):
    """A model of Civitai: `.api_info.json`, or `model` in a version, where it has neither id nor creator."""

    id: Id = 0
    name: str = ""
    description: str = ""
    nsfw: bool = False
    nsfw_level: int = 0
    tags: object = None
    creator: object = None
    model_versions: object = None


class File(Struct, kw_only=True):
    """A file of a version."""

    id: Id = 0
    name: str = ""
    type: str = ""
    hashes: object = None


class Hashes(Struct, kw_only=True):
    """The hash by which a file is known again."""

    sha256: str = field(default="", name="SHA256")


class Creator(Struct, kw_only=True):
    """Who uploaded a model."""

    username: str = ""


class Manager(Struct, kw_only=True):
    """Lora-Manager's `.metadata.json`. `usage_tips` is JSON in a string."""

    file_name: str = ""
    model_name: str = ""
    base_model: str = ""
    sha256: str = ""
    preview_nsfw_level: int = 0
    notes: str = ""
    usage_tips: object = None
    tags: object = None
    description: str = field(default="", name="modelDescription")
    civitai: object = None


class Tips(Struct, kw_only=True):
    """What of Lora-Manager's usage tips is used."""

    strength: float = 0.0


class Matrix(Struct, rename="pascal", kw_only=True):
    """Stability Matrix' `.cm-info.json`."""

    model_id: Id = 0
    model_name: str = ""
    model_description: str = ""
    nsfw: bool = False
    tags: object = None
    version_id: Id = 0
    version_description: str = ""
    author_username: str = ""
    base_model: str = ""
    remote_file_id: Id = 0
    hashes: object = None
    trained_words: object = None
    user_title: str = ""


class Swarm(Struct, kw_only=True):
    """SwarmUI's `.swarm.json`, its keys without `modelspec.`; `tags` is a list, or a text with commas."""

    title: str = ""
    author: str = ""
    description: str = ""
    trigger_phrase: str = ""
    usage_hint: str = ""
    lora_default_weight: float = 0.0
    tags: object = None
