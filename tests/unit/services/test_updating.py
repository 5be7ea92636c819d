"""Which version counts as a newer one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hubsync.domain import Availability, Installed, Lora, LoraFile, Version
from hubsync.refs import CivitaiRef, Ref, Source
from hubsync.services.updating import newer_version


def _version(number: int, month: int, base: str = "SD 1.5", family: str = "sd1") -> Version:
    ref = CivitaiRef(model=1, version=number)
    return Version(
        ref=ref,
        name=f"v{number}",
        base_model=base,
        family=family,
        published_at=datetime(2026, month, 1, tzinfo=UTC),
        files=(LoraFile(ref=replace(ref, file=number * 10), name="a.safetensors"),),
    )


def _page(*versions: Version) -> Lora:
    return Lora(ref=CivitaiRef(model=1), source=Source.CIVITAI, name="a", versions=versions)


def _installed(number: int = 1, family: str | None = "sd1") -> Installed:
    ref = CivitaiRef(model=1, version=number, file=number * 10)
    return Installed(name="a", path=Path("/r/a.safetensors"), title="a", ref=ref, family=family)


def _ref(number: int) -> Ref:
    return CivitaiRef(model=1, version=number)


OLD = _version(1, month=1)


@pytest.mark.parametrize(
    ("versions", "newest"),
    [
        ((_version(3, 3), _version(2, 2), OLD), 3),
        ((_version(3, 3, "SDXL 1.0", "sdxl"), _version(2, 2), OLD), 2),
        ((_version(3, 3, "SDXL 1.0", "sdxl"), OLD), None),
        ((OLD,), None),
        ((replace(_version(3, 3), availability=Availability.EARLY_ACCESS), _version(2, 2), OLD), 2),
        ((replace(_version(3, 3), downloadable=False), OLD), None),
        ((replace(_version(3, 3), files=()), OLD), None),
        # A variant that was uploaded before, though it is listed first.
        ((replace(_version(3, 3), published_at=datetime(2025, 1, 1, tzinfo=UTC)), OLD), None),
        # The version this file is of is gone from the page.
        ((_version(3, 3), _version(2, 2)), None),
    ],
)
def test_a_newer_version_is_later_of_the_same_family_and_to_be_had(
    versions: tuple[Version, ...], newest: int | None
) -> None:
    """Neither the first of the list nor the highest number decides."""
    assert newer_version(_installed(), _page(*versions), set()) == (None if newest is None else _ref(newest))


def test_the_very_base_model_goes_before_its_family() -> None:
    """Pony and Illustrious are one family; someone with Pony is offered Pony, and Illustrious only for want of it."""
    pony, new_pony = _version(1, 1, "Pony", "sdxl"), _version(2, 2, "Pony", "sdxl")
    illustrious = _version(3, 3, "Illustrious", "sdxl")
    lora = _installed(family="sdxl")
    assert newer_version(lora, _page(illustrious, new_pony, pony), set()) == _ref(2)
    assert newer_version(lora, _page(illustrious, pony), set()) == _ref(3)


def test_what_is_in_the_library_already_is_not_offered() -> None:
    """It may lie in another folder, under another name."""
    owned = {"civitai:1@1", "civitai:1@3"}
    assert newer_version(_installed(), _page(_version(3, 3), _version(2, 2), OLD), owned) == _ref(2)


def test_without_a_known_family_the_hub_s_word_counts() -> None:
    """A header may not tell."""
    assert newer_version(_installed(family=None), _page(_version(2, 2), OLD), set()) == _ref(2)
