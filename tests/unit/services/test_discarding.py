"""Pictures of tests in the trash and back. The renderer is a script that paints."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from hubsync.domain import Render, RenderKind
from hubsync.errors import NoPermission, NotFound, UnsafeName, UsageError
from hubsync.render.plan import RenderOptions
from hubsync.services.app import Hubsync
from hubsync.services.triggers import Wish
from tests.unit.render_bench import Bench, write_lora

SWEEP = RenderOptions(prompt="a cat", weights=(0.5, 1.0), seeds=(1, 2))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """One LoRA and a checkpoint."""
    bench = Bench(tmp_path / "root")
    write_lora(bench.loras / "plain.safetensors")
    return bench


def draw(hubsync: Hubsync, options: RenderOptions = SWEEP) -> tuple[Render, ...]:
    """Run a test."""
    return hubsync.render.run(
        hubsync.render.plan([Wish(name="plain")], options), sink=id, cancel=threading.Event()
    ).renders


def remove(hubsync: Hubsync, render: Render, *, whole: bool = False) -> None:
    """Remove a picture, or its test."""
    hubsync.discarding.remove(hubsync.discarding.plan(render, whole=whole))


def test_a_whole_test_goes_and_comes_back(bench: Bench) -> None:
    """With its contact sheet and its folder, by the copies' own bytes; the LoRA's preview is a copy and stays."""
    with bench.open() as hubsync:
        older, renders = draw(hubsync, RenderOptions(prompt="a dog")), draw(hubsync)
        folder, preview = renders[0].path.parent, hubsync.library.find("plain").preview
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        remove(hubsync, renders[2], whole=True)
        assert not folder.exists()
        assert hubsync.render.history() == list(older)
        assert hubsync.library.find("plain").renders == 1
        assert preview
        assert preview.exists()
        assert hubsync.discarding.restore() == renders
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        assert [one.render for one in hubsync.render.test(renders[0])] == list(renders)
        with pytest.raises(NotFound, match="no picture is in the trash"):
            hubsync.discarding.restore()


def test_one_picture_comes_back_to_its_place(bench: Bench) -> None:
    """What was removed last comes first; a test keeps its order, its sheet and its other pictures meanwhile."""
    with bench.open() as hubsync:
        renders = draw(hubsync)
        first, second = renders[1], renders[2]
        remove(hubsync, first)
        remove(hubsync, second)
        assert [one.render for one in hubsync.render.test(renders[0])] == [renders[0], *renders[3:]]
        assert not first.path.exists()
        assert (first.path.parent / "sheet.png").exists()
        assert hubsync.discarding.restore() == (second,)
        assert hubsync.discarding.restore() == (first,)
        assert [one.render for one in hubsync.render.test(renders[0])] == list(renders)
        assert first.path.exists()


def test_a_base_stays_while_others_are_measured_against_it(bench: Bench) -> None:
    """Of its own seed; alone it goes."""
    with bench.open() as hubsync:
        renders = draw(hubsync)
        bases = [one for one in renders if one.kind is RenderKind.BASE]
        with pytest.raises(UsageError, match="measured against this one"):
            hubsync.discarding.plan(bases[0], whole=False)
        for one in renders[1:3]:
            remove(hubsync, one)
        remove(hubsync, bases[0])
        assert [one.render for one in hubsync.render.test(bases[1])] == list(renders[3:])


def test_a_folder_of_the_user_s_own_keeps_what_else_is_there(bench: Bench, tmp_path: Path) -> None:
    """Pictures go; sheets, which may be another test's, and the folder stay. A name that is taken stays taken."""
    out = tmp_path / "mine"
    with bench.open() as hubsync:
        (base, _) = draw(hubsync, RenderOptions(prompt="a cat", out=out))
        remove(hubsync, base, whole=True)
        assert [path.name for path in out.iterdir()] == ["sheet.png"]
        base.path.write_bytes(b"another")
        with pytest.raises(UnsafeName, match="is there already"):
            hubsync.discarding.restore()
        base.path.unlink()
        assert len(hubsync.discarding.restore()) == 2


def test_what_is_in_the_trash_moves_with_the_library(bench: Bench, tmp_path: Path) -> None:
    """Also pictures whose files had gone by themselves: their rows are back."""
    with bench.open() as hubsync:
        renders = draw(hubsync)
        renders[1].path.unlink()
        remove(hubsync, renders[0], whole=True)
    moved = shutil.move(bench.root, tmp_path / "elsewhere")
    with Bench(Path(moved)).open() as hubsync:
        back = hubsync.discarding.restore()
        assert [one.path.name for one in back] == [one.path.name for one in renders]
        assert [one.path.exists() for one in back] == [True, False, *[True] * (len(back) - 2)]
        assert all(one.path.is_relative_to(moved) for one in back)


def test_an_emptied_trash_holds_no_pictures(bench: Bench) -> None:
    """Those of LoRAs and those of tests are deleted at once."""
    with bench.open() as hubsync:
        remove(hubsync, draw(hubsync)[0], whole=True)
        hubsync.relocating.remove(hubsync.library.find("plain"))
        assert [one.name for one in hubsync.relocating.trash()] == ["plain"]
        assert hubsync.relocating.empty() == 1
        assert [*hubsync.root.trash.iterdir()] == []


def test_a_removal_that_fails_changes_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half way through, the files are back and the rows are there."""
    with bench.open() as hubsync:
        renders = draw(hubsync)
        rename, moved = Path.rename, list[Path]()

        def stops(path: Path, target: Path) -> Path:
            if path.suffix == ".png" and len(moved) == 2 and hubsync.root.trash in target.parents:
                raise PermissionError(13, "Permission denied")
            moved.append(path)
            return rename(path, target)

        monkeypatch.setattr(Path, "rename", stops)
        with pytest.raises(NoPermission):
            remove(hubsync, renders[0], whole=True)
        assert all(one.path.exists() for one in renders)
        assert hubsync.render.history() == list(renders)
        assert [*hubsync.root.trash.iterdir()] == []
