"""What a setting can hold, in words, for whoever gave it something else."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from msgspec import Meta, Struct

_PLACE = re.compile(r"`\$((?:\.\w+)+)`")
_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def refusal(settings: type[Struct], told: str) -> str:
    """Which key of `settings` cannot hold its value, and what it wants, by what msgspec told; that itself elsewhere."""
    place = _PLACE.search(told)
    names = place[1].lstrip(".").split(".") if place else []
    kind: Any = settings
    for name in names:
        hints = get_type_hints(kind, include_extras=True) if hasattr(kind, "__struct_fields__") else {}
        kind = hints.get(name)
    wants = _in_words(kind) if names else ""
    return f"{'.'.join(names)} wants {wants}" if wants else told


def _in_words(kind: object) -> str:
    if get_origin(kind) is Literal:
        *most, last = get_args(kind)
        return f"{', '.join(most)} or {last}"
    bounds: list[Any] = []
    if get_origin(kind) is Annotated:
        kind, *bounds = get_args(kind)
    name = _KINDS.get(kind, "") if isinstance(kind, type) else ""
    return " ".join([name, *(_range(one) for one in bounds if isinstance(one, Meta))]) if name else ""


def _range(meta: Meta) -> str:
    if meta.gt is not None:
        return f"above {meta.gt:g}"
    if meta.ge is not None and meta.le is not None:
        return f"from {meta.ge} to {meta.le}"
    if meta.ge is not None and meta.lt is not None:
        return f"from {meta.ge} to {meta.lt - 1}"
    return f"of {meta.ge:g} or more"
