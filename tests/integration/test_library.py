"""A library and its disk: scanning, recognising, moving, removing, updating, against the sandbox hubs."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from hubsync import config
from hubsync.domain import WordSource
from hubsync.errors import Ambiguous, NotFound, UnsafeName
from hubsync.events import Event
from hubsync.files.walking import found_at, stamp_of, walk
from hubsync.sandbox.playground import DATA, Playground
from hubsync.services.app import Hubsync
from hubsync.services.opening import open_hubsync
from hubsync.services.scanning import Scanned

LORAS = DATA / "loras"


@pytest.fixture
def library(ground: Playground) -> Iterator[Hubsync]:
    """The services for an empty library, talking to the sandbox hubs."""
    with _opened(ground) as hubsync:
        hubsync.root.loras.mkdir(parents=True)
        yield hubsync


def _opened(ground: Playground) -> Hubsync:
    return open_hubsync(config.load(environ=ground.environ))


def _scan(library: Hubsync, *paths: Path, identify: bool = False, rehash: bool = False) -> Scanned:
    told: list[Event] = []
    return library.scanning.scan(paths, identify=identify, rehash=rehash, sink=told.append, cancel=threading.Event())


def _counts(scanned: Scanned) -> tuple[int, int, int, int]:
    return scanned.added, scanned.updated, scanned.removed, scanned.unchanged


def _codes(scanned: Scanned) -> list[str]:
    return sorted(problem.code for problem in scanned.problems)


def _copy(library: Hubsync, stem: str, name: str = "") -> Path:
    target = library.root.loras / f"{name or stem}.safetensors"
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(LORAS / f"{stem}.safetensors", target))


def _install(library: Hubsync, *refs: str) -> None:
    results = library.install.run(library.install.plan(refs), sink=_nobody, cancel=threading.Event())
    assert [result.error for result in results] == [None] * len(results)


def _nobody(_: Event) -> None:
    """Nobody is told."""


def test_files_put_by_hand_are_read_hashed_and_recognised(library: Hubsync) -> None:
    """A scan names what the hub knows by its bytes, with everything the hub says of it, and leaves the rest alone."""
    _copy(library, "mona_outfits", "renamed by me")
    stranger = library.root.loras / "mine.safetensors"
    stranger.write_bytes((LORAS / "sks_frame.safetensors").read_bytes()[:-2] + b"\0\1")
    scanned = _scan(library, identify=True)
    assert (_counts(scanned), scanned.identified, scanned.unhashed) == ((2, 0, 0, 0), 1, 0)
    mona = library.library.find("renamed by me")
    assert (str(mona.ref), mona.title, mona.creator) == ("civitai:1005@2005#3005", "Mona (2 outfits)", "framewright")
    assert mona.trigger_words == (("mona", "day outfit"), ("mona", "night outfit"))
    assert (mona.sha256 or "")[:10] == mona.autov2
    assert mona.blake3
    assert mona.crc32
    assert library.library.find("mine").ref is None
    sidecar = json.loads(mona.path.with_suffix(".json").read_text("utf-8"))
    assert sidecar["activation text"] == "mona, day outfit"
    info = json.loads((mona.path.parent / "renamed by me.civitai.info").read_text("utf-8"))
    assert (info["modelId"], info["id"]) == (1005, 2005)
    again = _scan(library, identify=True)
    assert (_counts(again), again.identified) == ((0, 0, 0, 2), 0)


def test_an_edited_header_is_recognised_by_the_weights(library: Hubsync) -> None:
    """SHA-256 differs, AutoV3 does not."""
    path = _copy(library, "sks_frame")
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] = {**header.get("__metadata__", {}), "modelspec.description": "edited"}
    edited = json.dumps(header).encode()
    path.write_bytes(len(edited).to_bytes(8, "little") + edited + content[8 + length :])
    assert _scan(library, identify=True).identified == 1
    assert str(library.library.find("sks_frame").ref).startswith("civitai:1004@2004")


def test_a_hub_that_is_down_is_a_problem_not_an_end(ground: Playground) -> None:
    """What the disk says is read all the same, and the next scan asks again."""
    down = config.load(
        environ={**ground.environ, "HUBSYNC_CIVITAI_URL": "http://127.0.0.1:9", "HUBSYNC_NETWORK__RETRIES": "0"}
    )
    with open_hubsync(down) as library:
        _copy(library, "sks_frame")
        scanned = _scan(library, identify=True)
    assert (scanned.added, _codes(scanned)) == (1, ["unreachable"])
    with _opened(ground) as library:
        assert _scan(library, identify=True).identified == 1


def test_renamed_and_moved_files_keep_what_is_known_of_them(library: Hubsync) -> None:
    """A file another tool moved is the same row: reference, edits and the date it came."""
    _install(library, "civitai:1004")
    lora = library.editing.weigh(library.library.find("sks_frame"), 0.35)
    target = library.root.loras / "styles" / "my frame.safetensors"
    target.parent.mkdir()
    lora.path.rename(target)
    assert _counts(_scan(library)) == (0, 1, 0, 0)
    moved = library.library.find("my frame")
    assert (moved.path, moved.ref, moved.weight, moved.installed_at) == (target, lora.ref, 0.35, lora.installed_at)
    assert [one.name for one in library.library.list()] == ["my frame"]


def test_a_vanished_file_is_missing_until_it_is_back(library: Hubsync) -> None:
    """It is counted once, its row stays, and it comes back as it was."""
    path = _copy(library, "sks_frame")
    _scan(library)
    aside = path.rename(library.root.path / "aside")
    assert _counts(_scan(library)) == (0, 0, 1, 0)
    assert _counts(_scan(library)) == (0, 0, 0, 0)
    assert library.library.find("sks_frame").missing
    aside.rename(path)
    assert _counts(_scan(library)) == (0, 1, 0, 0)
    assert not library.library.find("sks_frame").missing


def test_other_weights_under_an_installed_name_are_another_lora(library: Hubsync) -> None:
    """What the hub said was of the bytes that are gone."""
    _install(library, "civitai:1004")
    path = library.library.find("sks_frame").path
    shutil.copyfile(LORAS / "mona_outfits.safetensors", path)
    os.utime(path, ns=(1, 1))
    assert _counts(_scan(library)) == (0, 1, 0, 0)
    found = library.library.find("sks_frame")
    assert (found.ref, found.title) == (None, "sks_frame")


def test_what_is_no_lora_is_reported_each_time_and_read_once(library: Hubsync) -> None:
    """Damaged, hostile and misfiled files, names that tools mix up; nothing of it ends the scan."""
    folder = library.root.loras
    good = _copy(library, "sks_frame")
    (folder / "cut.safetensors").write_bytes(good.read_bytes()[:-100])
    (folder / "page.safetensors").write_bytes(b"<!DOCTYPE html><title>log in</title>")
    (folder / "empty.safetensors").write_bytes(b"")
    (folder / "old.ckpt").write_bytes(b"PK\x03\x04 whatever")
    shutil.copyfile(DATA / "embeddings" / "blue_ring.safetensors", folder / "blue_ring.safetensors")
    _copy(library, "sks_frame", "sub/SKS_frame")
    first = _scan(library)
    assert _codes(first) == [
        "alias_collision", "misfiled", "not_safetensors", "not_safetensors", "not_safetensors",
        "same_stem", "same_stem", "unsafe_file",
    ]  # fmt: skip
    assert first.added == 4
    second = _scan(library)
    assert (_codes(second), second.unchanged) == (_codes(first), 4)
    with pytest.raises(Ambiguous) as caught:
        library.library.find("SKS_FRAME")
    assert str(good) in caught.value.message
    assert library.library.find("sks_frame").path == good
    for name in ("sub/SKS_frame", "sub/SKS_frame.safetensors", str(folder / "sub/SKS_frame.safetensors")):
        assert library.library.find(name).path == folder / "sub/SKS_frame.safetensors"
    (folder / "cut.safetensors").unlink()
    (folder / "page.safetensors").write_bytes(good.read_bytes())
    third = _scan(library)
    assert _codes(third).count("not_safetensors") == 1


def test_only_the_places_named_are_looked_at(library: Hubsync) -> None:
    """What lies elsewhere is neither added nor called missing."""
    kept, named = _copy(library, "sks_frame"), _copy(library, "mona_outfits", "sub/mona")
    _scan(library)
    kept.unlink()
    named.unlink()
    assert _counts(_scan(library, named.parent)) == (0, 0, 1, 0)
    new = _copy(library, "add_detail", "sub/new")
    assert _counts(_scan(library, new)) == (1, 0, 0, 0)
    with pytest.raises(NotFound):
        _scan(library, library.root.loras / "nowhere")


def test_links_are_followed_once(library: Hubsync) -> None:
    """A folder linked in is read; one that leads back is not read for ever."""
    elsewhere = library.root.path / "elsewhere"
    elsewhere.mkdir()
    shutil.copyfile(LORAS / "sks_frame.safetensors", elsewhere / "linked.safetensors")
    (library.root.loras / "link").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(library.root.loras)
    assert _counts(_scan(library)) == (1, 0, 0, 0)


def test_rehash_finds_rot_and_repairs_nothing(library: Hubsync) -> None:
    """Bytes that changed though nobody wrote the file: a scan with --rehash and verify both say so, again and again."""
    path = _copy(library, "sks_frame")
    _scan(library)
    known = library.library.find("sks_frame")
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[-10] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert _counts(_scan(library)) == (0, 0, 0, 1)
    for _ in range(2):
        assert _codes(_scan(library, rehash=True)) == ["hash_mismatch"]
        (verdict,) = library.checking.verify([known], sink=_nobody, cancel=threading.Event())
        assert verdict.status == "changed"
    assert library.library.find("sks_frame").sha256 == known.sha256


def test_verify_tells_every_state(library: Hubsync) -> None:
    """ok, missing, and unknown, whose hashes are known from then on."""
    for stem in ("sks_frame", "mona_outfits", "add_detail"):
        _copy(library, stem)
    _scan(library)
    library.library.find("mona_outfits").path.unlink()
    with library.records.database.writing() as database:
        database.execute("UPDATE loras SET sha256 = NULL WHERE name = 'add_detail'")
    everything = library.library.list()
    verdicts = library.checking.verify(everything, sink=_nobody, cancel=threading.Event())
    assert {verdict.lora.name: verdict.status for verdict in verdicts} == {
        "add_detail": "unknown",
        "mona_outfits": "missing",
        "sks_frame": "ok",
    }
    assert library.library.find("add_detail").sha256


def test_duplicates_of_every_kind_are_found(library: Hubsync) -> None:
    """Bytes, weights, stems and aliases."""
    first = _copy(library, "sks_frame")
    _copy(library, "sks_frame", "copy")
    _copy(library, "mona_outfits", "a/twin")
    _copy(library, "add_detail", "b/TWIN")
    content = first.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] = {**header.get("__metadata__", {}), "ss_output_name": "copy"}
    edited = json.dumps(header).encode()
    aliased = library.root.loras / "aliased.safetensors"
    aliased.write_bytes(len(edited).to_bytes(8, "little") + edited + content[8 + length :])
    scanned = _scan(library)
    assert _codes(scanned) == ["alias_collision", "alias_collision", "same_stem", "same_stem"]
    found = library.checking.duplicates(sink=_nobody, cancel=threading.Event())
    assert [(group.kind, sorted(lora.name for lora in group.loras)) for group in found] == [
        ("same_file", ["copy", "sks_frame"]),
        ("same_lora", ["aliased", "copy", "sks_frame"]),
        ("same_stem", ["TWIN", "twin"]),
        ("alias_collision", ["aliased", "copy"]),
        ("alias_collision", ["copy", "sks_frame"]),  # a copy was trained under the name of the other
    ]


def test_a_lora_whose_file_was_gone_comes_back_from_the_trash(library: Hubsync) -> None:
    """As it was: missing, with its words; the next scan finds its file again or not."""
    _install(library, "civitai:1005")
    lora = library.editing.add(library.library.find("mona_outfits"), ["red hat"])
    lora.path.unlink()
    library.relocating.remove(lora)
    again = library.relocating.restore("mona_outfits")
    assert again.missing
    assert "red hat" in {word.text for group in again.groups for word in group.words}
    assert library.relocating.trash() == []


def test_removed_and_restored_with_everything(library: Hubsync) -> None:
    """All files go to the trash together, and all come back, with what the user had written."""
    _install(library, "civitai:1005")
    lora = library.editing.add(library.library.find("mona_outfits"), ["red hat"])
    notes = lora.path.with_suffix(".txt")
    notes.write_text("mine", "utf-8")
    before = {path.name: path.read_bytes() for path in lora.path.parent.iterdir()}
    trashed = library.relocating.remove(lora)
    assert list(lora.path.parent.iterdir()) == []
    assert library.library.list() == []
    assert len(trashed.places) == len(before) == 5
    with pytest.raises(NotFound, match="mona_outfits"):
        library.library.find("mona_outfits")
    again = library.relocating.restore("MONA_outfits")
    assert {path.name: path.read_bytes() for path in lora.path.parent.iterdir()} == before
    assert (again.ref, again.groups, again.preview) == (lora.ref, lora.groups, lora.preview)
    assert library.relocating.trash() == []
    assert _counts(_scan(library)) == (0, 0, 0, 1)


def test_the_trash_outlives_the_database(library: Hubsync) -> None:
    """The manifest and the sidecar tell what is needed."""
    _install(library, "civitai:1005")
    library.relocating.remove(library.editing.add(library.library.find("mona_outfits"), ["red hat"]))
    for file in library.root.state.glob("library.db*"):
        file.unlink()
    again = library.relocating.restore("mona_outfits")
    assert again.groups[0].texts == ("mona", "day outfit", "red hat")
    assert str(again.ref) == "civitai:1005@2005#3005"


def test_a_name_that_is_taken_stays_so(library: Hubsync) -> None:
    """Neither a move nor a restore ever puts a file over another, or a stem beside the same stem."""
    _copy(library, "sks_frame")
    _copy(library, "mona_outfits")
    _scan(library)
    frame, mona = library.library.find("sks_frame"), library.library.find("mona_outfits")
    with pytest.raises(UnsafeName):
        library.relocating.move(mona, "SKS_Frame")
    with pytest.raises(UnsafeName):
        library.relocating.move(mona, "sub/sks_frame")
    library.relocating.remove(frame)
    _copy(library, "add_detail", "sub/sks_frame")
    _scan(library)
    with pytest.raises(UnsafeName):
        library.relocating.restore("sks_frame")
    assert len(library.relocating.trash()) == 1


@pytest.mark.parametrize(
    ("to", "place"),
    [
        ("new name", "new name"),
        ("new name.safetensors", "new name"),
        ("styles/", "styles/mona.v2"),
        ("styles/a/b", "styles/a/b"),
    ],
)
def test_a_move_takes_everything_along(library: Hubsync, to: str, place: str) -> None:
    """Sidecars and previews keep their endings; a neighbour whose name begins the same stays where it is."""
    folder = library.root.loras
    _copy(library, "mona_outfits", "mona.v2")
    _copy(library, "sks_frame", "mona")
    for name in ("mona.v2.json", "mona.v2.civitai.info", "mona.json"):
        (folder / name).write_text("{}", "utf-8")
    Image.new("RGB", (8, 8)).save(folder / "mona.v2.preview.png")
    _scan(library)
    lora = library.relocating.move(library.library.find("mona.v2"), to)
    assert lora.path == folder / f"{place}.safetensors"
    assert sorted(path.name for path in lora.path.parent.glob(f"{lora.path.stem}.*")) == [
        f"{lora.path.stem}.{ending}" for ending in ("civitai.info", "json", "preview.png", "safetensors")
    ]
    assert (folder / "mona.json").exists()
    assert _counts(_scan(library))[:3] == (0, 0, 0)
    assert lora.preview == lora.path.parent / f"{lora.path.stem}.preview.png"


@pytest.mark.parametrize("to", ["../out", "/etc/out", "a:b", "CON", "x#y", "", " ", "a/../../../out"])
def test_a_move_never_leaves_the_library(library: Hubsync, to: str) -> None:
    """Nor does it take a name that breaks tags or file systems."""
    path = _copy(library, "sks_frame")
    _scan(library)
    with pytest.raises(UnsafeName):
        library.relocating.move(library.library.find("sks_frame"), to)
    assert path.exists()


def test_a_move_that_fails_half_way_is_undone(library: Hubsync, monkeypatch: pytest.MonkeyPatch) -> None:
    """All files or none: the third of four cannot be moved."""
    path = _copy(library, "sks_frame")
    for ending in (".json", ".preview.png", ".txt"):
        path.with_suffix(ending).write_text("{}", "utf-8")
    _scan(library)
    real, moved = Path.rename, list[Path]()

    def failing(self: Path, target: Path) -> Path:
        if self.suffix in {".png", ".txt"} and self.parent == path.parent:
            raise PermissionError(13, "no", str(self))
        moved.append(self)
        return real(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(Exception, match="cannot be written"):
        library.relocating.move(library.library.find("sks_frame"), "elsewhere/")
    assert moved
    assert sorted(one.name for one in path.parent.iterdir() if one.is_file()) == [
        "sks_frame.json", "sks_frame.preview.png", "sks_frame.safetensors", "sks_frame.txt",
    ]  # fmt: skip
    assert library.library.find("sks_frame").path == path


def test_edits_are_never_overwritten(library: Hubsync) -> None:
    """Not by the hub, not by a scan; `reset` brings the hub's words back."""
    _install(library, "civitai:1005")
    lora = library.library.find("mona_outfits")
    lora = library.editing.remove(lora, ["mona"])
    lora = library.editing.add(lora, ["m0na"], group=1)
    lora = library.editing.switch(lora, (), on=True, group=2)
    lora = library.editing.weigh(lora, 0.45)
    lora = library.editing.negate(lora, "blurry")
    words = (("day outfit", "m0na"), ("night outfit",))
    assert (lora.inserted_words, lora.weight, lora.negative) == (words, 0.45, "blurry")
    plans = library.install.plan(["civitai:1005"], library.install.options)
    library.install.run(plans, sink=_nobody, cancel=threading.Event())
    _scan(library, identify=True, rehash=True)
    kept = library.library.find("mona_outfits")
    assert (kept.inserted_words, kept.weight, kept.negative) == (words, 0.45, "blurry")
    back = library.editing.reset(kept)
    assert back.trigger_words == (("mona", "day outfit"), ("mona", "night outfit"))
    assert {word.source for group in back.groups for word in group.words} == {WordSource.CIVITAI}


def test_a_lost_database_comes_back_from_the_disk(library: Hubsync) -> None:
    """References, the hub's words, and everything the user wrote are beside the files."""
    _install(library, "civitai:1005", "hf:sandbox/ohwx-lora")
    lora = library.editing.add(library.library.find("mona_outfits"), ["red hat"])
    lora = library.editing.note(library.editing.weigh(lora, 0.45), "for covers")
    before = {one.name: one for one in library.library.list()}
    for file in library.root.state.glob("library.db*"):
        file.unlink()
    assert _scan(library).added == 2
    after = {one.name: one for one in library.library.list()}
    assert after.keys() == before.keys()
    for name, one in after.items():
        old = before[name]
        assert (one.ref, one.groups, one.weight, one.negative, one.notes) == (
            old.ref, old.groups, old.weight, old.negative, old.notes,
        )  # fmt: skip
        assert (one.family, one.sha256, one.preview) == (old.family, old.sha256, old.preview)


def test_what_a_human_wrote_in_another_tool_wins_over_a_hub(library: Hubsync) -> None:
    """A1111's dialog edits the sidecar; the next scan takes it, and keeps who said it."""
    _install(library, "civitai:1005")
    sidecar = library.library.find("mona_outfits").path.with_suffix(".json")
    content = json.loads(sidecar.read_text("utf-8"))
    content |= {"activation text": "mona, pirate outfit", "preferred weight": 0.65, "notes": "best at night"}
    sidecar.write_text(json.dumps(content), "utf-8")
    assert _counts(_scan(library)) == (0, 1, 0, 0)
    lora = library.library.find("mona_outfits")
    assert (lora.trigger_words, lora.weight, lora.notes) == ((("mona", "pirate outfit"),), 0.65, "best at night")
    assert {word.source for group in lora.groups for word in group.words} == {WordSource.SIDECAR}
    _scan(library, identify=True)
    assert json.loads(sidecar.read_text("utf-8"))["activation text"] == "mona, pirate outfit"


def test_updates_come_beside_the_old_one(library: Hubsync) -> None:
    """Into the old one's folder, of the same family; the library remembers what is outdated, and what was brought."""
    _install(library, "civitai:1003@2103")
    old = library.relocating.move(library.library.find("add_brightness_v1"), "sliders/")
    (checked,) = library.updating.check([old], sink=_nobody, cancel=threading.Event())
    assert (checked.status, str(checked.newer)) == ("outdated", "civitai:1003@2003")
    assert library.library.find(old.name).outdated
    plans = library.updating.plan([checked])
    (result,) = library.updating.run(plans, replacing=False, sink=_nobody, cancel=threading.Event())
    assert result.installed
    assert result.installed.path == old.path.with_name("add_brightness.safetensors")
    assert [lora.outdated for lora in library.library.list()] == [None, False]
    (again, _) = library.updating.check(library.library.list(), sink=_nobody, cancel=threading.Event())
    assert again.status == "current"


def test_an_update_replaces_only_when_asked_and_passes_over_what_is_ignored(library: Hubsync) -> None:
    """The old one goes to the trash, never away; an ignored one is not even asked about, also after a lost database."""
    _install(library, "civitai:1003@2103")
    old = library.library.find("add_brightness_v1")
    library.updating.pin(old, pinned=True)
    for file in library.root.state.glob("library.db*"):
        file.unlink()
    _scan(library)
    old = library.library.find("add_brightness_v1")
    (checked,) = library.updating.check([old], sink=_nobody, cancel=threading.Event())
    assert checked.status == "pinned"
    library.updating.pin(old, pinned=False)
    checks = library.updating.check([library.library.find("add_brightness_v1")], sink=_nobody, cancel=threading.Event())
    library.updating.run(library.updating.plan(checks), replacing=True, sink=_nobody, cancel=threading.Event())
    assert [lora.name for lora in library.library.list()] == ["add_brightness"]
    assert [trashed.name for trashed in library.relocating.trash()] == ["add_brightness_v1"]


def test_a_template_sorts_new_files_into_folders(ground: Playground) -> None:
    """Shown by a dry run first; off unless set."""
    settings = config.load(environ={**ground.environ, "HUBSYNC_INSTALL__FOLDERS": "{family}/{creator}"})
    with open_hubsync(settings) as library:
        _install(library, "civitai:1004")
        assert library.library.find("sks_frame").path == library.root.loras / "sd1/framewright/sks_frame.safetensors"


def test_what_a_download_left_open_is_hashed_by_the_way(library: Hubsync) -> None:
    """Downloads compute what they compare; the other hashes come while later commands wait for a hub."""
    _install(library, "civitai:1004")
    before = library.library.find("sks_frame")
    assert (before.blake3, before.crc32) == (None, None)
    stop = threading.Event()
    stop.set()
    library.hashing.by_the_way(stop)
    assert library.library.find("sks_frame").blake3 is None
    library.hashing.by_the_way(threading.Event())
    after = library.library.find("sks_frame")
    assert after.blake3
    assert after.crc32
    assert (after.sha256, after.autov3, after.ref) == (before.sha256, before.autov3, before.ref)


def test_a_file_nobody_recorded_is_never_written_over(ground: Playground) -> None:
    """Not in a sub-folder either, where a template or an update puts the new one."""
    settings = config.load(environ={**ground.environ, "HUBSYNC_INSTALL__FOLDERS": "{family}"})
    with open_hubsync(settings) as library:
        mine = library.root.loras / "sd1" / "sks_frame.safetensors"
        mine.parent.mkdir(parents=True)
        mine.write_bytes(b"mine")
        _install(library, "civitai:1004")
        assert mine.read_bytes() == b"mine"
        assert library.library.find("civitai:1004").path == mine.with_name("sks_frame-v2004.safetensors")


def test_one_file_looks_as_it_does_in_its_folder(library: Hubsync) -> None:
    """What is noted after a change is what the next scan compares with, companions in any case of letters included."""
    folder = library.root.loras
    path = _copy(library, "sks_frame")
    for name in ("sks_frame.json", "sks_frame.preview.PNG", "sks_frame.v2.json", "sks_frame.CIVITAI.info", "other.txt"):
        (folder / name).write_text("{}", "utf-8")
    (found,) = walk(folder)
    assert found_at(path) == found
    assert stamp_of(path) == found.stamp
    assert [found_at(folder / name) for name in ("sks_frame.json", "gone.safetensors", "bin", ".x.pt")] == [None] * 4
