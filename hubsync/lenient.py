"""Reading JSON that may lack, misname or mistype anything: a field that does not fit counts as absent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)
_LARGEST = 2**63 - 1  # what SQLite holds


def read(raw: object, shape: type[T]) -> T | None:
    """`raw` as a `shape`, whose fields all have defaults; None where it is no JSON object."""
    if not isinstance(raw, dict):
        return None
    fields = {}
    for field in _fields(shape):
        if (value := raw.get(field.encode_name)) is None:
            continue
        try:
            fields[field.name] = msgspec.convert(value, field.type, strict=False)
        except (msgspec.ValidationError, ValueError, OverflowError, RecursionError):
            continue
    return shape(**fields)


@cache
def _fields(shape: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The fields of a shape: msgspec works them out anew each time, which takes ten times as long as reading them."""
    return msgspec.structs.fields(shape)


def rows(raw: object, shape: type[T]) -> Iterator[T]:
    """The objects of a list, each read leniently; what is no object is skipped."""
    for item in raw if isinstance(raw, list) else ():
        if (row := read(item, shape)) is not None:
            yield row


def texts(raw: object) -> list[str]:
    """The strings of a list; a lone string is a list of one."""
    items = raw if isinstance(raw, list) else [raw]
    return [item for item in items if isinstance(item, str)]


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


def moment(text: str | None) -> datetime | None:
    """An ISO date as UTC; records of 2024 lack the `Z`, old sidecars hold an empty text.

    A year in which no hub was is none: the ends of the calendar cannot be added to, nor shown in every zone.
    """
    try:
        found = datetime.fromisoformat(text or "")
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if 1970 < found.year < 3000 else None


def count(value: float | None) -> int | None:
    """A number that can be a count or a size: not negative, and no more than a database holds."""
    return int(value) if value is not None and 0 <= value <= _LARGEST else None
