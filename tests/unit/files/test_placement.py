"""Names and places of files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubsync.errors import UnsafeName
from hubsync.files import placement


@pytest.mark.parametrize(
    ("text", "stem"),
    [
        ("add_detail", "add_detail"),
        ("a:b=c>d#e,f", "a_b_c_d_e_f"),
        ("../../etc/passwd", "etc_passwd"),
        ("xl (v2) [final]!", "xl _v2_ _final"),
        ("con", "con_"),
        ("LPT1.old", "LPT1.old_"),
        ("--help", "help"),
        (" .雪 Yuki. ", "雪 Yuki"),
        ("a\x1b[31mb\x00", "a_31mb"),
        ("e\u0301", "\u00e9"),
    ],
)
def test_stems_are_safe_in_tags_and_on_every_disk(text: str, stem: str) -> None:
    """What breaks tags, Windows, terminals or the root is replaced; NFC."""
    assert placement.safe_stem(text) == stem


@given(st.text())
def test_any_text_gives_a_safe_stem_or_a_refusal(text: str) -> None:
    """No text leaves the folder, breaks a tag, or is longer than a file system allows."""
    try:
        stem = placement.safe_stem(text)
    except UnsafeName:
        return
    assert len(f"{stem}.preview.png".encode()) < 255
    assert not set(stem) & set('<>:"/\\|?*=#,\x00')
    assert placement.safe_stem(stem) == stem
    assert placement.inside(Path("/library"), f"{stem}.safetensors").parent == Path("/library")


@pytest.mark.parametrize("name", ["../x", "..", "a/../../x", "/etc/x"])
def test_no_name_leaves_the_folder(tmp_path: Path, name: str) -> None:
    """A path escape is refused."""
    with pytest.raises(UnsafeName):
        placement.inside(tmp_path, name)


def test_a_symlink_does_not_leave_the_folder_either(tmp_path: Path) -> None:
    """What counts is where the path really leads."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "out").symlink_to(tmp_path)
    with pytest.raises(UnsafeName):
        placement.inside(tmp_path / "lib", "out/x.safetensors")


def test_collisions_get_a_readable_suffix() -> None:
    """Stems are unique whatever their case; the version says more than a number."""
    taken = {"yuki", "yuki-v7"}
    assert placement.unique_stem("Hanfu", taken=taken) == "Hanfu"
    assert placement.unique_stem("Yuki", taken=taken, suffixes=("v8",)) == "Yuki-v8"
    assert placement.unique_stem("Yuki", taken=taken, suffixes=("v7",)) == "Yuki-2"


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a.b.safetensors", "a.b"), ("folder/x.SAFETENSORS", "x"), (r"c:\x.sft", "x"), ("v1.5", "v1.5")],
)
def test_inner_dots_stay(name: str, stem: str) -> None:
    """8 % of real names hold a dot that is no extension."""
    assert placement.stem_of(name) == stem


@pytest.mark.parametrize("stem", ["pytorch_lora_weights", "lora", "adapter_model", "LoRA_weights"])
def test_generic_names_are_known(stem: str) -> None:
    """These say nothing about the LoRA."""
    assert placement.is_generic(stem)
    assert not placement.is_generic(f"{stem} of a cat")


def test_small_files_are_replaced_whole(tmp_path: Path) -> None:
    """A reader sees the old or the new text; nothing is left beside it."""
    path = tmp_path / "a.json"
    placement.write_aside(path, b"one")
    placement.write_aside(path, b"two")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("a.json", b"two")]
