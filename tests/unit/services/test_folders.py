"""Sub-folders by template never leave the library."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubsync.domain import Lora, Version
from hubsync.errors import BadConfig, UnsafeName
from hubsync.refs import CivitaiRef, Source
from hubsync.services.folders import subfolder

REF = CivitaiRef(model=1, version=2)


def _lora(creator: str | None = "some/body", name: str = "A: title", tags: tuple[str, ...] = ("style",)) -> Lora:
    version = Version(ref=REF, name="v1", base_model="SDXL 1.0", family="sdxl")
    return Lora(ref=REF, source=Source.CIVITAI, name=name, creator=creator, tags=tags, versions=(version,))


@pytest.mark.parametrize(
    ("template", "folder"),
    [
        ("{family}/{creator}", "sdxl/some_body"),
        ("{base_model}/{tag}", "SDXL 1.0/style"),
        ("{source}/{type}/{model}/", "civitai/lora/A_ title"),
        ("new {family} loras", "new sdxl loras"),
    ],
)
def test_a_template_names_folders(tmp_path: Path, template: str, folder: str) -> None:
    """Each value is one folder's name, whatever it holds."""
    assert subfolder(tmp_path, template, _lora()) == tmp_path / folder


@pytest.mark.parametrize("hostile", ["..", "../../etc", "/", "....", "\x00", "con", "."])
def test_no_value_leaves_the_folder(tmp_path: Path, hostile: str) -> None:
    """Values come from hubs: none of them is ever a path."""
    place = subfolder(tmp_path, "{creator}/{model}/{tag}", _lora(hostile, hostile, (hostile,)))
    assert place.is_relative_to(tmp_path)
    assert ".." not in place.parts


def test_what_is_not_known_has_a_name(tmp_path: Path) -> None:
    """A template always gives the same depth."""
    assert subfolder(tmp_path, "{creator}/{tag}", _lora(None, tags=())) == tmp_path / "unknown" / "unknown"


def test_a_wrong_template_is_refused(tmp_path: Path) -> None:
    """A placeholder that does not exist, and a template that climbs out."""
    with pytest.raises(BadConfig, match="author"):
        subfolder(tmp_path, "{author}", _lora())
    with pytest.raises(UnsafeName):
        subfolder(tmp_path, "../{family}", _lora())
