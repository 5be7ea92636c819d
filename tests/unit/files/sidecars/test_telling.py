"""What sidecars tell about a LoRA, whichever tools wrote them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hubsync.domain import Statement, WordSource
from hubsync.files.sidecars import Told, beside, told_by
from hubsync.refs import CivitaiRef
from tests.unit.files.sidecars.conftest import Say, Tell
from tests.unit.files.sidecars.tools import put

WORDS = ["mona \\(day\\), hat", "mona (night), cape, <lora:mona:0.7>", "star"]
FILE = {"id": 30, "name": "mona.safetensors", "type": "Model", "primary": True, "hashes": {"SHA256": "AB" * 32}}
VERSION = {
    "id": 20,
    "modelId": 10,
    "name": "v1.5",
    "baseModel": "SDXL 1.0",
    "description": "<p>second version</p>",
    "trainedWords": WORDS,
    "model": {"name": "Mona", "type": "LORA", "nsfw": False},
    "files": [FILE, {"id": 31, "name": "data.zip", "type": "Training Data"}],
}
MODEL = {
    "id": 10,
    "name": "Mona",
    "description": "<p>An <b>astrologist</b></p>",
    "nsfw": True,
    "nsfwLevel": 5,
    "tags": ["character", "star"],
    "creator": {"username": "ann"},
    "modelVersions": [
        {"id": 21, "trainedWords": ["other"], "files": [{"id": 32, "name": "new.safetensors", "type": "Model"}]},
        {key: value for key, value in VERSION.items() if key not in {"modelId", "model"}},
    ],
}
REF = CivitaiRef(model=10, version=20, file=30)


def _texts(statement: Statement) -> list[list[str]]:
    return [[word.text for word in group.words] for group in statement.groups or ()]


def test_a_lora_without_companions_is_told_nothing(tell: Tell) -> None:
    """Every field is empty."""
    assert tell() == Told()


def test_civitai_helpers_file_names_the_version_and_its_words(path: Path, tell: Tell) -> None:
    """The words stay verbatim beside their groups; a tag's weight is a hint; the file is the version's only model."""
    put(path, ".civitai.info", VERSION)
    told = tell()
    (statement,) = told.statements
    assert (told.ref, told.title, told.base_model, told.description) == (REF, "Mona", "SDXL 1.0", "second version")
    assert (statement.source, statement.raw, statement.weight) == (WordSource.CIVITAI, tuple(WORDS), 0.7)
    assert _texts(statement) == [["mona \\(day\\)", "hat"], ["mona (night)", "cape"], ["star"]]
    assert [group.enabled for group in statement.groups or ()] == [True, False, False]


def test_a_dummy_of_an_unknown_model_says_nothing(path: Path, tell: Tell) -> None:
    """Its words are names of training folders, also where Civitai Helper copied them into the other sidecar."""
    dummy = {"id": "", "modelId": "", "baseModel": "Unknown", "trainedWords": ["10_mona"], "model": {"name": path.name}}
    put(path, ".civitai.info", dummy)
    put(path, ".json", {"activation text": "10_mona", "preferred weight": 0, "sd version": "Unknown"})
    assert tell() == Told()


@pytest.mark.parametrize("known", [{"id": 20}, {"files": [FILE]}, {}, None])
def test_the_version_meant_is_found_in_a_whole_model(path: Path, known: dict[str, Any] | None) -> None:
    """By the id another sidecar has, by the file's hash, or by its name; Civitai Browser+ keeps all versions."""
    lora = path.with_name("mona.safetensors") if known == {} else path
    put(lora, ".api_info.json", MODEL)
    if known is None:
        put(lora, ".json", {"sha256": "ab" * 32})
    elif "id" in known:
        put(lora, ".civitai.info", known)
    elif known:
        put(lora, ".metadata.json", {"sha256": "ab" * 32})
    told = told_by(lora, beside(lora))
    assert (told.creator, told.tags, told.nsfw_level) == ("ann", ("character", "star"), 5)
    assert told.description == "An astrologist\n\nsecond version"
    assert [one.raw for one in told.statements] == [tuple(WORDS)]
    assert str(told.ref).startswith("civitai:")


def test_a_whole_model_without_the_version_speaks_for_all_of_them_only(path: Path, tell: Tell) -> None:
    """Title, creator and tags are the model's; words of another version are not taken."""
    put(path, ".api_info.json", MODEL)
    told = tell()
    assert (told.ref, told.title, told.creator, told.statements) == (None, "Mona", "ann", ())
    put(path, ".civitai.info", {"id": 99, "modelId": 10})
    assert (tell().ref, tell().statements) == (CivitaiRef(model=10, version=99), ())


def test_stability_matrix_names_the_version_and_keeps_a_users_title(path: Path, tell: Tell) -> None:
    """Its keys are in PascalCase."""
    matrix = {
        "ModelId": 10, "ModelName": "Mona", "ModelDescription": "<p>x</p>", "Nsfw": True, "Tags": ["a"],
        "VersionId": 20, "VersionName": "v1", "BaseModel": "Pony", "TrainedWords": ["mona", "hat"], "Source": 0,
        "UserTitle": "My Mona", "AuthorUsername": "ann", "RemoteFileId": 30,
    }  # fmt: skip
    put(path, ".cm-info.json", matrix)
    told = tell()
    assert (told.ref, told.title, told.base_model, told.creator) == (REF, "My Mona", "Pony", "ann")
    assert (told.nsfw_level, told.tags, [_texts(one) for one in told.statements]) == (8, ("a",), [[["mona", "hat"]]])


def _managed(**changes: object) -> dict[str, object]:
    known = {"file_name": "mona v1.5", "model_name": "Mona", "base_model": "SDXL 1.0", "usage_tips": "{}", "notes": ""}
    return {**known, "civitai": VERSION, "preview_nsfw_level": 4, **changes}


def test_lora_manager_keeps_civitais_answer_and_a_users_words(path: Path, tell: Tell, say: Say) -> None:
    """Its words are Civitai's until they differ from another copy; strength and notes are the user's."""
    tips = {"usage_tips": json.dumps({"strength": 0.6}), "notes": "good with Pony", "tags": ["mine"]}
    put(path, ".metadata.json", _managed(**tips))
    told = tell()
    assert (told.ref, told.title, told.tags, told.nsfw_level) == (REF, "Mona", ("mine",), 4)
    found = say()
    assert found[WordSource.CIVITAI].raw == tuple(WORDS)
    assert found[WordSource.SIDECAR] == Statement(source=WordSource.SIDECAR, weight=0.6, notes="good with Pony")
    put(path, ".civitai.info", VERSION)
    assert say() == found
    put(path, ".metadata.json", _managed(civitai={**VERSION, "trainedWords": ["mine", "hat"]}))
    assert _texts(say()[WordSource.SIDECAR]) == [["mine", "hat"]]
    assert say()[WordSource.CIVITAI].raw == tuple(WORDS)


def test_words_added_in_lora_manager_to_an_unknown_model_are_a_users(path: Path, say: Say) -> None:
    """Where there is no version of Civitai nobody else can have said them."""
    put(path, ".metadata.json", _managed(civitai={"trainedWords": ["mine"]}))
    assert list(say()) == [WordSource.SIDECAR]


def test_a_model_renamed_in_lora_manager_keeps_that_name(path: Path, tell: Tell) -> None:
    """A name that is neither Civitai's nor the file's was typed."""
    put(path, ".civitai.info", VERSION)
    put(path, ".metadata.json", _managed(model_name="My Mona"))
    assert tell().title == "My Mona"


def test_swarmuis_file_is_metadata_with_a_chosen_weight(path: Path, tell: Tell, say: Say) -> None:
    """Phrases are parted by `;`, values are text; the hint on use becomes a note."""
    swarm = {
        "title": "Mona", "author": "ann", "description": "<b>x</b>", "trigger_phrase": "mona, day; mona, night",
        "usage_hint": "not with others", "lora_default_weight": "0.65", "tags": "a, b",
    }  # fmt: skip
    put(path, ".swarm.json", {f"modelspec.{key}": value for key, value in swarm.items()})
    told, found = tell(), say()
    assert (told.title, told.creator, told.description, told.tags) == ("Mona", "ann", "x", ("a", "b"))
    assert _texts(found[WordSource.METADATA]) == [["mona", "day"], ["mona", "night"]]
    assert (found[WordSource.METADATA].notes, found[WordSource.SIDECAR].weight) == ("not with others", 0.65)


def test_automatic1111s_file_holds_a_humans_words(path: Path, say: Say) -> None:
    """Groups are parted by `||`; a weight of 0 is none."""
    said = {
        "activation text": "mona, day || mona, night",
        "preferred weight": 0.7,
        "negative text": "hat",
        "notes": "n",
    }
    put(path, ".json", said)
    human = say()[WordSource.SIDECAR]
    assert _texts(human) == [["mona", "day"], ["mona", "night"]]
    assert human.raw == ("mona, day || mona, night",)
    assert (human.weight, human.negative, human.notes) == (0.7, "hat", "n")
    put(path, ".json", {"activation text": " ", "preferred weight": 0})
    assert say() == {}


COPIES = [
    ", ".join(WORDS),
    ",".join(WORDS),
    " || ".join(WORDS),
    "mona (day), hat,mona (night), cape, star",
    r"star, cape, mona \(night\), mona \(day\), hat",
]


@pytest.mark.parametrize("text", COPIES)
def test_what_a_tool_copied_from_the_trained_words_is_nobodys(path: Path, say: Say, text: str) -> None:
    """Joined in any way, in any order, with or without tags and escapes."""
    put(path, ".civitai.info", VERSION)
    notes = {"notes": "second version", "description": "x", "preferred weight": 0}
    put(path, ".json", {"activation text": text, **notes})
    assert list(say()) == [WordSource.CIVITAI]


@pytest.mark.parametrize(
    "text", ["mona (day), hat", "Mona (day), hat, mona (night), cape, star", "(mona (day):1.2), hat"]
)
def test_whoever_changed_a_word_wrote_them(path: Path, say: Say, text: str) -> None:
    """Fewer words, another case or a weight are a human's choice."""
    put(path, ".civitai.info", VERSION)
    put(path, ".json", {"activation text": text})
    assert say()[WordSource.SIDECAR].raw == (text,)


def test_words_in_angle_brackets_are_words(path: Path, say: Say) -> None:
    """Those of a text encoder that learned new tokens look like tags and hold no colon."""
    put(path, ".civitai.info", {**VERSION, "trainedWords": []})
    put(path, ".json", {"activation text": "<s0><s1>"})
    assert _texts(say()[WordSource.SIDECAR]) == [["<s0><s1>"]]


@pytest.mark.parametrize(
    ("files", "description"),
    [
        ({".json": '{"description": "a"}', ".txt": "b", ".description.txt": "c"}, "a"),
        ({".json": '{"description": ""}', ".txt": "b\r\n\x1b[2Jb", ".description.txt": "c"}, "b\n[2Jb"),
        ({".description.txt": "<p>c &amp; d</p>"}, "c & d"),
        ({".txt": ""}, None),
    ],
)
def test_a_description_is_looked_for_as_automatic1111_does(
    path: Path, tell: Tell, files: dict[str, str], description: str | None
) -> None:
    """In the sidecar, then in text files; as plain text."""
    for ending, text in files.items():
        put(path, ending, text)
    assert tell().description == description


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_texts_of_windows_are_read(path: Path, tell: Tell, encoding: str) -> None:
    """With a mark, in UTF-16, or in its old code page."""
    path.with_name("mona v1.5.txt").write_bytes("Möna".encode(encoding))
    path.with_name("mona v1.5.json").write_bytes('{"hubsync": {"pinned": true}}'.encode(encoding))
    assert (tell().description, tell().pinned, tell().problems) == ("Möna", True, ())


def test_of_two_names_that_differ_in_case_the_usual_one_counts(path: Path, tell: Tell) -> None:
    """Other tools on this system read that one only."""
    put(path, ".JSON", {"description": "loud"})
    put(path, ".json", {"description": "usual"})
    put(path, ".TXT", "other")
    assert tell().description == "usual"


PNG, JPEG, WEBP, GIF = b"\x89PNG\r\n\x1a\n....", b"\xff\xd8\xff\xe0........", b"RIFF\0\0\0\0WEBP", b"GIF89a......"
VIDEO = b"\0\0\0\x18ftypmp42"


@pytest.mark.parametrize(
    ("files", "best"),
    [
        ({".preview.png": PNG, ".png": PNG, ".preview.jpg": JPEG}, ".preview.png"),
        ({".png": PNG, ".preview.webp": WEBP, ".thumb.jpg": JPEG}, ".preview.webp"),
        ({".preview.png": JPEG}, ".preview.png"),
        ({".preview.png": VIDEO, ".jpg": JPEG}, ".jpg"),
        ({".preview.mp4": VIDEO, ".gif": GIF}, ".gif"),
        ({".thumb.jpg": JPEG, ".preview.png": b""}, ".thumb.jpg"),
        ({".mp4": VIDEO, ".preview.png": b"<html>"}, None),
    ],
)
def test_the_best_picture_is_a_picture(path: Path, tell: Tell, files: dict[str, bytes], best: str | None) -> None:
    """The first by the names tools look for whose bytes are a still picture, whatever it is called."""
    for ending, content in files.items():
        path.with_name(path.stem + ending).write_bytes(content)
    assert tell().preview == (path.with_name(path.stem + best) if best else None)


def test_recorded_answers_are_told_as_they_were_given(path: Path, shared_data: Path) -> None:
    """Every recorded version of Civitai's, as Civitai Helper saves it: its ids, its words verbatim, its names."""
    recorded = sorted((shared_data / "civitai").glob("version_*.json"))
    assert recorded
    for file in recorded:
        answer = json.loads(file.read_text("utf-8"))
        info = put(path, ".civitai.info", answer)
        told = told_by(path, [info])
        assert isinstance(told.ref, CivitaiRef)
        assert (told.ref.version, told.ref.model) == (answer["id"], answer["modelId"])
        assert told.title == answer["model"]["name"].strip()
        assert [list(one.raw) for one in told.statements] == [words for words in [answer["trainedWords"]] if words]
