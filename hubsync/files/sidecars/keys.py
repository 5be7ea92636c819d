"""The keys of `<stem>.json` that AUTOMATIC1111, Forge, SwarmUI, InvokeAI and tagcomplete read; which of them are empty.

Source: AUTOMATIC1111's user-metadata editor (reference: conventions §1.8, §7).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ACTIVATION, WEIGHT, NEGATIVE, NOTES, VERSION, DESCRIPTION = KEYS = (
    "activation text",
    "preferred weight",
    "negative text",
    "notes",
    "sd version",
    "description",
)
OWN = "hubsync"
"""hubsync's own key. AUTOMATIC1111 keeps keys it does not know when its dialog saves."""

# A1111 saves "preferred weight": 0 for "none chosen", "sd version": "Unknown" likewise.
_EMPTY: Mapping[str, tuple[object, ...]] = {WEIGHT: (None, "", 0), VERSION: (None, "", "Unknown")}


def is_empty(key: str, value: object) -> bool:
    """Whether a value of a key says nothing."""
    return value in _EMPTY.get(key, (None, ""))


def edited(document: Mapping[str, Any], wrote: Mapping[str, Any]) -> dict[str, Any]:
    """What of a sidecar others wrote: all but the values that hubsync did."""
    return {key: value for key, value in document.items() if key not in wrote or value != wrote[key]}
