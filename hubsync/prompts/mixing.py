"""What would surprise the writer of a prompt about the LoRAs in it, given what is installed beside them."""

from __future__ import annotations

from collections.abc import Iterator

from hubsync.prompts.checks import Note
from hubsync.prompts.places import lora_places
from hubsync.prompts.resolution import Known, Names


def library_notes(prompt: str, names: Names) -> tuple[Note, ...]:
    """Names that mean two files, or one by its second name, and LoRAs that no checkpoint fits all of."""
    tags = dict.fromkeys(place.tag.name for place in lora_places(prompt) if place.tag.name)
    files = {name: file for name in tags if (file := names.loaded(name)) is not None}
    return (*_by_alias(files), *_collisions(files, names), *_mixed(files))


def _by_alias(files: dict[str, Known]) -> Iterator[Note]:
    for name, file in files.items():
        if file.name != name:
            message = (
                f"'{name}' is no file but the name inside '{file.name}': AUTOMATIC1111 loads that, "
                f"other tools load nothing; write <lora:{file.name}:\u2026>"
            )
            yield Note(code="alias_name", message=message)


def _collisions(files: dict[str, Known], names: Names) -> Iterator[Note]:
    for name, file in files.items():
        others = dict.fromkeys(other.name for other in names.namesakes(name))
        if file.name == name and others:
            message = f"'{name}' is also the name inside {_listed(others)}: the tag loads the file '{name}' alone"
            yield Note(code="alias_collision", message=message)


def _mixed(files: dict[str, Known]) -> Iterator[Note]:
    families: dict[str, dict[str, None]] = {}
    for file in files.values():
        # Two LoRAs of family `other` may well be of one.
        if file.family and file.family != "other":
            families.setdefault(file.family, {})[file.name] = None
    if len(families) > 1:
        loras = "; ".join(f"{_listed(members)} for {family}" for family, members in families.items())
        yield Note(code="mixed_families", message=f"no checkpoint fits all LoRAs of this prompt: {loras}")


def _listed(names: dict[str, None]) -> str:
    return ", ".join(f"'{name}'" for name in names)
