"""Civitai's JSON: every field optional, nested things read one by one with `hubsync.lenient`.

Three eras are told apart by which keys occur; unknown keys and enum values are no errors.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta as Bounds
from msgspec import Struct, field

Id = Annotated[int, Bounds(ge=1, le=2**31 - 1)]
"""Ids are int4 on the server; a field that holds anything else stays at its default 0."""

Pixels = Annotated[int, Bounds(ge=1, le=2**31 - 1)]


class Model(Struct, rename="camel", kw_only=True):
    """A row of `/models`, or `/models/:id`."""

    id: Id = 0
    name: str = ""
    description: str = ""
    type: str = ""
    nsfw: bool = False
    nsfw_level: int | None = None
    mode: str = ""
    stats: object = None
    creator: object = None
    tags: list[object] = field(default_factory=list)
    allow_no_credit: bool | None = None
    allow_commercial_use: object = None
    allow_derivatives: bool | None = None
    model_versions: list[object] = field(default_factory=list)


class Version(Struct, rename="camel", kw_only=True):
    """A version inside a model, or of `/model-versions/:id`, which adds `model_id`, `model` and `usage_control`."""

    id: Id = 0
    model_id: Id = 0
    model: object = None
    name: str = ""
    base_model: str = ""
    created_at: str = ""
    published_at: str = ""
    availability: str = ""
    usage_control: str = ""
    description: str = ""
    trained_words: object = None
    paid_access: object = None
    early_access_ends_at: str = ""
    early_access_deadline: str = ""
    early_access_time_frame: float = 0
    files: list[object] = field(default_factory=list)
    images: list[object] = field(default_factory=list)


class File(Struct, rename="camel", kw_only=True):
    """A file; `size_kb` counts KiB and is only near the true length."""

    id: Id = 0
    name: str = ""
    size_kb: float | None = field(default=None, name="sizeKB")
    type: str = ""
    primary: bool = False
    pickle_scan_result: str = ""
    virus_scan_result: str = ""
    metadata: object = None
    hashes: object = None


class Format(Struct, kw_only=True):
    """What a file's `metadata` is read for."""

    format: str = ""


class Hashes(Struct, kw_only=True):
    """The hashes hubsync uses, in either case of letters."""

    sha256: str = field(default="", name="SHA256")
    autov3: str = field(default="", name="AutoV3")


class Image(Struct, rename="camel", kw_only=True):
    """An example picture. In 2023 `nsfw` was a word, before that a flag; since then `nsfw_level` is a bit."""

    url: str = ""
    type: str = ""
    width: Pixels | None = None
    height: Pixels | None = None
    nsfw_level: int | str | None = None
    nsfw: bool | str | None = None
    meta: object = None


class Meta(Struct, rename="camel", kw_only=True):
    """How a picture was made, as free-form as generators write it; `meta` is the same once more inside, at times."""

    prompt: str = ""
    negative_prompt: str = ""
    resources: list[object] = field(default_factory=list)
    civitai_resources: list[object] = field(default_factory=list)
    meta: object = None


class Resource(Struct, rename="camel", kw_only=True):
    """A network that took part in a picture."""

    name: str = ""
    model_version_id: Id = 0
    weight: float | None = None


class Stats(Struct, rename="camel", kw_only=True):
    """Counts; a creator can hide them, and those of fresh models are null. `favorite_count` is of 2023."""

    download_count: float | None = None
    thumbs_up_count: float | None = None
    favorite_count: float | None = None


class Creator(Struct, kw_only=True):
    """Who uploaded a model."""

    username: str = ""


class Tag(Struct, kw_only=True):
    """A tag as an object, the older form."""

    name: str = ""


class Paid(Struct, rename="camel", kw_only=True):
    """Paid access since 2026: for good, until a date, or, with neither, until further notice; `{}` is no gate."""

    permanent: bool | None = None
    ends_at: str = ""


class Mini(Struct, rename="camel", kw_only=True):
    """What `/model-versions/mini/:id` is read for."""

    require_auth: bool | None = None


class Page(Struct, kw_only=True):
    """`/models`."""

    items: list[object] = field(default_factory=list)
    metadata: object = None


class Metadata(Struct, rename="camel", kw_only=True):
    """A page's `metadata`; the last page has no cursor. The cursor is opaque, a number in older answers."""

    next_cursor: str | int | None = None


class Enums(Struct, rename="pascal", kw_only=True):
    """`/enums`: of its lists the base models, all of them and those still used."""

    base_model: list[object] = field(default_factory=list)
    active_base_model: list[object] = field(default_factory=list)


class Match(Struct, rename="camel", kw_only=True):
    """A row of `POST /model-versions/by-hash/ids`."""

    model_id: Id = 0
    model_version_id: Id = 0
    hash: str = ""


class Account(Struct, kw_only=True):
    """`/me`."""

    username: str = ""
