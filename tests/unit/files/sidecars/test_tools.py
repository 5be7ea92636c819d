"""The sidecars hubsync writes, read by the rules of each tool they are written for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hubsync.domain import WordSource
from hubsync.files.sidecars import preview_path, write, write_info
from hubsync.prompts.words import escaped
from tests.unit.files.sidecars.conftest import Say, Tell
from tests.unit.files.sidecars.lora import group, installed
from tests.unit.files.sidecars.tools import click, complete, dialog, invoke, manage, previews, put, swarm

WORDS = ("mona (star)", "hat")
TAG = "<lora:mona v1.5:0.7>"


@pytest.fixture
def written(path: Path) -> dict[str, Any]:
    """Write the LoRA's sidecar."""
    lora = installed(path, groups=(group(*WORDS), group("night", index=2, enabled=False)), negative="hood")
    return write(lora, user=None, before={}, description="An astrologist")


@pytest.mark.usefixtures("written")
def test_a_card_click_in_automatic1111_gives_tag_words_and_negative(path: Path) -> None:
    """Brackets are escaped, because the text goes into the prompt as it stands."""
    assert click(path) == (rf"{TAG} mona \(star\), hat", "hood")


def test_a_weight_nobody_knows_leaves_automatic1111_its_default(path: Path) -> None:
    """0 is how it says "none"."""
    write(installed(path, weight=None, groups=()), user=None, before={})
    assert click(path, default_weight=0.9) == ("<lora:mona v1.5:0.9>", "")


def test_saving_automatic1111s_dialog_keeps_what_hubsync_knows(
    path: Path, written: dict[str, Any], tell: Tell, say: Say
) -> None:
    """Its own key is unknown to the dialog and stays; saved without a change nothing becomes a human's."""
    told = tell()
    dialog(path)
    assert tell() == told
    assert told.wrote == written
    dialog(path, notes="mine")
    assert say()[WordSource.SIDECAR].notes == "mine"
    assert say()[WordSource.SIDECAR].groups is None


@pytest.mark.usefixtures("written")
def test_swarmui_shows_the_description_and_keeps_the_files_own_phrase(path: Path) -> None:
    """Keys of the sidecar lie over the header's, and hubsync's are none of those with a meaning there but this one."""
    header = {"modelspec.title": "Mona", "modelspec.trigger_phrase": "mona"}
    found = swarm(path, header)
    assert (found["title"], found["trigger_phrase"], found["description"]) == ("Mona", "mona", "An astrologist")
    assert swarm(path, {})["trigger_phrase"] == r"mona \(star\), hat"


def test_swarmui_keeps_the_headers_description_where_hubsync_has_none(path: Path) -> None:
    """An empty text is passed over."""
    write(installed(path), user=None, before={})
    assert swarm(path, {"modelspec.description": "of the header"})["description"] == "of the header"


@pytest.mark.usefixtures("written")
def test_invokeai_gets_a_set_of_phrases(path: Path) -> None:
    """A comma parts them: no word of hubsync's holds one outside its place."""
    assert invoke(path) == ({r"mona \(star\)", "hat"}, "An astrologist")


@pytest.mark.usefixtures("written")
def test_tagcomplete_writes_the_words_and_the_weight(path: Path) -> None:
    """By name, with the preferred weight."""
    assert complete(path) == rf"mona \(star\), hat, {TAG}"


def test_lora_manager_imports_what_hubsync_wrote_as_civitais_answer(path: Path, tell: Tell) -> None:
    """It wants a primary file with hashes and a model with a name."""
    file = {"id": 3, "name": "mona.safetensors", "sizeKB": 2, "primary": True, "hashes": {"SHA256": "AB" * 32}}
    answer = {"id": 2, "modelId": 1, "baseModel": "Pony", "trainedWords": [*WORDS], "files": [file]}
    write_info(path, {**answer, "model": {"name": "Mona", "type": "LORA", "tags": ["star"]}})
    assert manage(path) == {
        "model_name": "Mona", "base_model": "Pony", "sha256": "ab" * 32, "size": 2048, "tags": ["star"],
        "words": [*WORDS],
    }  # fmt: skip
    assert (tell().title, tell().base_model, str(tell().ref)) == ("Mona", "Pony", "civitai:1@2#3")


def test_civitai_helpers_copy_of_words_that_hubsync_wrote_is_nobodys(path: Path, say: Say) -> None:
    """Both escape or not, join or not: nothing of it counts as a human's."""
    write_info(path, {"id": 2, "modelId": 1, "trainedWords": ["mona (day), hat", "night, hood"]})
    put(path, ".json", {"activation text": "mona (day), hat || night, hood", "preferred weight": 0})
    write(installed(path), user=None, before={})
    assert list(say()) == [WordSource.CIVITAI]
    assert escaped("mona (day)") not in click(path)[0]


@pytest.mark.parametrize("others", [(), (".mp4",), (".html", ".json"), (".jpg", ".thumb.png")])
def test_every_tool_but_invokeai_shows_hubsyncs_preview(path: Path, others: tuple[str, ...], tell: Tell) -> None:
    """`.preview.png` alone is found by all of them; where another picture lies, some prefer that one."""
    preview_path(path).write_bytes(b"\x89PNG\r\n\x1a\n....")
    for ending in others:
        path.with_name(path.stem + ending).touch()
    ours, shown = preview_path(path).name, previews(path)
    assert (shown["manager"], tell().preview) == (ours, preview_path(path))
    if ".jpg" not in others:
        assert (shown["automatic"], shown["swarm"]) == (ours, ours)
