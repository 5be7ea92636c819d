"""Reads the documents beside a LoRA, whichever tools wrote them. One bad sidecar never spoils the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from hubsync.files.sidecars import pictures
from hubsync.files.sidecars.heard import paragraphs
from hubsync.files.sidecars.keys import DESCRIPTION
from hubsync.files.sidecars.loading import Unreadable, document, text
from hubsync.files.sidecars.own import kept_in
from hubsync.files.sidecars.told import Told
from hubsync.files.sidecars.voices import DOCUMENTS, Voices


def read_all(lora: Path, named: Mapping[str, Path]) -> Told:
    """What companions say, given by their endings."""
    problems: list[str] = []
    documents = {ending: _document(named[ending], problems) for ending in DOCUMENTS if ending in named}
    own = kept_in(documents.get(".json", {}))
    voices = Voices.of(lora, documents, own)
    heard = (*voices.heard, own.heard)
    return Told(
        ref=own.ref or next((one.ref for one in voices.by_ref if one.ref), None),
        # Several tools call what they do not know after its file.
        title=_first(title for title in (*voices.titles, *(one.title for one in heard)) if title != lora.stem),
        base_model=_first(one.base_model for one in heard),
        creator=_first(one.creator for one in heard),
        description=_first(chain(_descriptions(documents, named, problems), (one.description for one in heard))),
        tags=voices.manager.tags or next((one.tags for one in heard if one.tags), ()),
        nsfw_level=next((one.nsfw_level for one in heard if one.nsfw_level), None),
        statements=tuple(voices.statements(documents.get(".json", {}), own)),
        pinned=own.pinned,
        preview=pictures.best(named),
        problems=tuple(problems),
        wrote=own.wrote,
    )


def _document(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        return document(path)
    except FileNotFoundError:
        return {}
    except Unreadable as error:
        problems.append(f"{path.name} {error}")
        return {}


def _first(texts: Iterable[str]) -> str | None:
    return next((one for one in texts if one), None)


def _descriptions(
    documents: Mapping[str, Mapping[str, Any]], named: Mapping[str, Path], problems: list[str]
) -> Iterator[str]:
    """As AUTOMATIC1111 looks for one: in `<stem>.json`, then in text files."""
    stated = documents.get(".json", {}).get(DESCRIPTION)
    yield paragraphs(stated) if isinstance(stated, str) else ""
    for ending in (".txt", ".description.txt"):
        if ending in named:
            try:
                yield paragraphs(text(named[ending]))
            except FileNotFoundError:
                continue
            except Unreadable as error:
                problems.append(f"{named[ending].name} {error}")
