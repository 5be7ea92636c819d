"""Which files belong to a LoRA."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubsync.files.sidecars import ENDINGS, beside, stem_and_ending


@pytest.mark.parametrize(
    ("name", "companion"),
    [
        ("foo.json", ("foo", ".json")),
        ("foo.v2.json", ("foo.v2", ".json")),
        ("foo.civitai.info", ("foo", ".civitai.info")),
        ("foo.v2.Civitai.INFO", ("foo.v2", ".civitai.info")),
        ("foo.metadata.json", ("foo", ".metadata.json")),
        ("foo.preview.png", ("foo", ".preview.png")),
        ("foo.preview.json", ("foo.preview", ".json")),
        ("foo.thumb.jpg", ("foo", ".thumb.jpg")),
        ("foo.description.txt", ("foo", ".description.txt")),
        ("foo.mp4", ("foo", ".mp4")),
        ("foo..json", ("foo.", ".json")),
        (".preview.png", (".preview", ".png")),
        (".json", None),
        ("foo.info", None),
        (".civitai.info", None),
        ("foo.safetensors", None),
        ("foo.json.new", None),
        ("foo", None),
        ("", None),
    ],
)
def test_a_name_tells_whose_companion_it_is(name: str, companion: tuple[str, str] | None) -> None:
    """The longest known ending counts, in any case; what is before it is the stem, dots and all."""
    assert stem_and_ending(name) == companion


@given(st.text(min_size=1), st.sampled_from(ENDINGS))
def test_every_ending_is_known_after_any_stem(stem: str, ending: str) -> None:
    """A stem is given back as it was, unless it ends in what makes a longer ending."""
    found = stem_and_ending(stem + ending)
    assert found
    assert found == (stem, ending) or (found[1] in ENDINGS and "".join(found).lower() == f"{stem}{ending}".lower())


def test_only_files_of_that_very_stem_lie_beside_a_lora(path: Path) -> None:
    """Neither another version's, nor a folder, nor the LoRA itself; a folder that is gone has none."""
    for name in ("mona v1.5.json", "mona v1.5.preview.png", "mona v1.json", "mona v1.5.1.json", "Mona v1.5.txt"):
        path.with_name(name).touch()
    path.with_name("mona v1.5.html").mkdir()
    assert [one.name for one in beside(path)] == ["mona v1.5.json", "mona v1.5.preview.png"]
    assert beside(path.parent / "gone" / path.name) == []
