"""A plan run to its end: pictures, numbers, events; the renderer is a script that paints."""

from __future__ import annotations

import itertools
import os
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from filelock import FileLock
from PIL import Image

from hubsync.domain import RenderKind, RenderOutcome
from hubsync.errors import Cancelled, HubsyncError, NoPermission, WrongFamily
from hubsync.events import Advanced, Drawing, Event, Finished, Noted, Pictured, Started
from hubsync.render.plan import RenderPlan
from hubsync.render.process import run
from hubsync.render.resident import Renderer
from tests.unit.render.conftest import COMMAND, PAINTER, Plan

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def execute(
    plan: RenderPlan,
    *,
    command: Sequence[str] = COMMAND,
    cancel: threading.Event | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
    **options: Any,
) -> tuple[RenderOutcome, list[Event]]:
    """Run a plan and keep its events; each look at the clock is a second later."""
    events: list[Event] = []
    options = {"now": lambda: NOW, "clock": itertools.count(0.0).__next__, "sink": events.append, **options}
    with Renderer(command, environment=environment, timeout=60.0) as renderer:
        return run(plan, renderer=renderer, cancel=cancel or threading.Event(), **options), events


def test_pictures_numbers_and_files(plan: Plan) -> None:
    """The LoRA changes a fifth of the scale, its word two fifths more; each number is on the row it belongs to."""
    made = plan("sks_frame", seeds=(3,))
    outcome, _ = execute(made)
    base, lora, triggered = outcome.renders
    assert [render.kind for render in outcome.renders] == list(RenderKind)
    assert (base.effect, base.trigger_effect, lora.trigger_effect) == (None, None, None)
    assert (lora.effect, triggered.effect, triggered.trigger_effect) == pytest.approx((0.2, 0.6, 0.4))
    assert (triggered.trigger_words, triggered.size, triggered.sampler) == (("sks",), (64, 64), "DDIM")
    assert {render.created_at for render in outcome.renders} == {NOW}
    assert (outcome.device, outcome.dtype) == ("cpu", "float32")
    assert outcome.load_seconds > 0
    assert sorted(path.name for path in made.out.iterdir()) == [
        "base.s3.png",
        "sheet.png",
        "sks_frame.w1.s3.png",
        "sks_frame.w1.s3.words.png",
    ]


def test_a_picture_tells_how_to_make_it_again(plan: Plan) -> None:
    """Infotext under the key AUTOMATIC1111 reads, with the hash that repairs a renamed LoRA."""
    outcome, _ = execute(plan("sks_frame", negative="blurry, <b>", steps=8, cfg=3.5, size=(64, 128)))
    with Image.open(outcome.renders[2].path) as picture:
        text = picture.info["parameters"]
    expected = (
        "a red circle, sks <lora:sks_frame:1>\n"
        "Negative prompt: blurry, <b>\n"
        "Steps: 8, Sampler: DDIM, CFG scale: 3.5, Seed: 1, Size: 64x128, Model: sd1, "
        'Lora hashes: "sks_frame: 0123456789ab", Version: hubsync'
    )
    assert text.startswith(expected)


def test_an_embedding_is_in_the_infotext(plan: Plan) -> None:
    """With the first digits of its file's hash, in the picture that calls it alone."""
    outcome, _ = execute(plan("blue_ring"))
    texts = []
    for render in outcome.renders:
        with Image.open(render.path) as picture:
            texts.append(re.findall(r'TI hashes: "(.*?)"', picture.info["parameters"]))
    assert texts == [[], ["blue_ring: ffffffffffff"]]


def test_weight_zero_has_no_effect_at_all(plan: Plan) -> None:
    """It is the base picture, bit for bit, under its own name."""
    outcome, _ = execute(plan("add_detail", weights=(0.0, 1.0)))
    base, zero, full = outcome.renders
    assert zero.effect == 0.0
    assert full.effect == pytest.approx(0.2)
    with Image.open(base.path) as one, Image.open(zero.path) as other:
        assert one.tobytes() == other.tobytes()
    assert zero.path.name == "add_detail.w0.s1.png"


def test_seeds_are_measured_against_their_own_base(plan: Plan) -> None:
    """The difference between seeds is in no number."""
    outcome, _ = execute(plan("add_detail", "sks_frame", seeds=(1, 5, 9)))
    effects = [render.effect for render in outcome.renders if render.kind is RenderKind.LORA]
    assert effects == [pytest.approx(0.2)] * 6


def test_a_second_render_takes_names_of_its_own(plan: Plan) -> None:
    """Nothing is overwritten in a folder that is used again."""
    first, _ = execute(plan("add_detail"))
    second, _ = execute(plan("add_detail"))
    assert [render.path.name for render in second.renders] == ["base.s1-2.png", "add_detail.w0.8.s1-2.png"]
    assert second.sheet == (first.renders[0].path.parent / "sheet-2.png")


def test_events_tell_the_whole_story(plan: Plan) -> None:
    """Start, notes of plan, loading and renderer, each step once, the end."""
    made = plan("sks_frame", prompt="a red AND a blue circle")
    _, events = execute(made)
    assert events[0] == Started(key="render", label="sks_frame", total=3)
    assert [event.message.split()[0] for event in events if isinstance(event, Noted)] == [
        "AND",
        "loading",
        "one",
    ]
    told = [event for event in events if isinstance(event, Advanced)]
    assert [event.done for event in told] == [0, 0, 1, 1, 2, 2, 3]
    assert [event.share for event in told] == pytest.approx([0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])
    assert events[-1] == Finished(key="render", message=f"3 pictures in {made.out}")


def test_a_picture_is_told_as_soon_as_it_is_there(plan: Plan) -> None:
    """Which are drawn together, then each with its file, which is there until the render ends."""
    made, seen = plan("sks_frame"), list[object]()

    def hear(event: Event) -> None:
        if isinstance(event, Pictured):
            seen.append((event.row, event.path.exists()))
        elif isinstance(event, Drawing):
            seen.append(event.rows)

    painter = PAINTER.replace('say("note"', 'say("drawing", rows=[0, 1, 2])\nsay("note"')
    outcome, _ = execute(made, command=(sys.executable, "-c", painter), sink=hear)
    assert seen == [(0, 1, 2), (0, True), (1, True), (2, True)]
    assert sorted(made.out.glob("*.png")) == sorted((outcome.sheet or Path(), *(one.path for one in outcome.renders)))


def test_the_environment_reaches_the_renderer(plan: Plan) -> None:
    """A token from the settings is handed on; calm OpenMP threads are asked for."""
    script = "import os, sys; sys.exit(os.environ['HF_TOKEN'] + ' ' + os.environ['OMP_WAIT_POLICY'])"
    with pytest.raises(HubsyncError, match="hf_x PASSIVE"):
        execute(plan("add_detail"), command=(sys.executable, "-c", script), environment={"HF_TOKEN": "hf_x"})


STEPPING = """
import itertools, json, sys
from PIL import Image
request = json.loads(sys.stdin.readline())
def say(type, **fields):
    print(json.dumps({"type": type, **fields}), flush=True)
say("loaded", device="cpu", dtype="float32", sampler="DDIM", schedule="")
for pictures in (0.5, 1.0, 0.5, 1.0, 1.5, 2.0):
    say("progress", pictures=pictures)
for index, row in enumerate(request["rows"]):
    path = f"{request['folder']}/{index}.png"
    Image.new("RGB", (64, 64)).save(path)
    say("picture", row=index, path=path)
say("done")
"""
"""Draws two pictures at once in four steps; after the second step memory runs out and it begins again."""


def test_what_is_left_is_told_from_the_second_step_on(plan: Plan) -> None:
    """At the pace so far, the steps done twice included; a render never goes back, and ends with nothing left."""
    _, events = execute(plan("add_detail"), command=(sys.executable, "-c", STEPPING))
    told = [(event.share, event.eta) for event in events if isinstance(event, Advanced)]
    assert told == [(0.0, None), (0.25, None), (0.5, 2.0), (0.75, 2.0), (1.0, 0.0)]


def test_progress_is_told_ten_times_a_second_at_most(plan: Plan) -> None:
    """Of steps that take 0.06 seconds some are passed over, the last never."""
    clock = itertools.count(0.0, 0.06).__next__
    _, events = execute(plan("add_detail"), command=(sys.executable, "-c", STEPPING), clock=clock)
    assert [event.share for event in events if isinstance(event, Advanced)] == [0.0, 0.25, 0.5, 1.0]


def test_a_refused_lora_does_not_end_the_others(plan: Plan) -> None:
    """It is left out of the pictures and told with its reason; alone under test it is the error."""
    refusing = PAINTER.replace(
        'say("note", message="one module left out")',
        'say("refused", lora="add_detail", code="wrong_family", message="it fits nothing here", hint="use another")',
    ).replace(
        'request["rows"]):', 'request["rows"]):\n    if any("add" in use["lora"] for use in row["loras"]): continue'
    )
    command = (sys.executable, "-c", refusing)
    outcome, events = execute(plan("add_detail", "sks_frame"), command=command)
    assert [use.name for render in outcome.renders for use in render.loras] == ["sks_frame"] * 2
    error = outcome.refused["add_detail"]
    assert (type(error), error.message, error.hint) == (WrongFamily, "it fits nothing here", "use another")
    assert Noted(key="render", message="left out: it fits nothing here") in events
    with pytest.raises(WrongFamily, match="it fits nothing here"):
        execute(plan("add_detail", out=Path(outcome.renders[0].path.parent)), command=command)


@pytest.mark.parametrize("script", ["import sys; sys.exit(1)", 'print(\'{"type": "failure", "code": "failed"\')'])
def test_a_failure_leaves_nothing_behind(plan: Plan, script: str) -> None:
    """No half a sheet, no scratch folder, not even the folder for the pictures."""
    made = plan("add_detail")
    with pytest.raises(HubsyncError):
        execute(made, command=(sys.executable, "-c", script))
    assert not made.out.exists()


def test_a_failure_spares_a_folder_that_was_there(plan: Plan) -> None:
    """An empty folder of the user's own stays."""
    made = plan("add_detail")
    made.out.mkdir()
    with pytest.raises(HubsyncError):
        execute(made, command=(sys.executable, "-c", ""))
    assert list(made.out.iterdir()) == []


def test_cancel_leaves_nothing_behind(plan: Plan) -> None:
    """Set while the renderer is at work."""
    cancel = threading.Event()
    script = 'print(\'{"type": "note", "message": "here"}\', flush=True); import threading; threading.Event().wait()'
    made = plan("add_detail")
    with pytest.raises(Cancelled):
        execute(
            made,
            command=(sys.executable, "-c", script),
            cancel=cancel,
            sink=lambda event: cancel.set() if event == Noted(key="render", message="here") else None,
        )
    assert not made.out.exists()


def test_what_a_killed_render_left_goes_with_the_next(plan: Plan) -> None:
    """Its unfinished pictures, here and in the folders beside; finished ones and a render that runs are spared."""
    made = plan("sks_frame")
    for name in ("out", "killed", "half", "running"):
        scratch = made.out.parent / name / ".drawing-1"
        scratch.mkdir(parents=True)
        (scratch / "lock").touch()
        (scratch / "0000.png").touch()
    (made.out.parent / "half" / "base.s1.png").touch()
    with FileLock(made.out.parent / "running" / ".drawing-1" / "lock"):
        execute(replace(made, out=made.out.parent / "out"))
        left = sorted(str(path.relative_to(made.out.parent)) for path in made.out.parent.glob("*/.drawing-*"))
    assert left == ["running/.drawing-1"]
    assert not (made.out.parent / "killed").exists()
    assert (made.out.parent / "half" / "base.s1.png").exists()


def test_a_renderer_that_skips_a_picture_is_an_error(plan: Plan) -> None:
    """Done without every row drawn is no outcome."""
    script = 'print(\'{"type": "done"}\')'
    with pytest.raises(HubsyncError, match="0 of 2 pictures"):
        execute(plan("add_detail"), command=(sys.executable, "-c", script))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(plan: Plan, tmp_path: Path) -> None:
    """Before the renderer is started."""
    tmp_path.joinpath("locked").mkdir(mode=0o500)
    with pytest.raises(NoPermission, match="locked"):
        execute(plan("add_detail", out=tmp_path / "locked" / "out"))


def test_a_file_in_the_way_is_named(plan: Plan, tmp_path: Path) -> None:
    """`--out` may name a file."""
    (tmp_path / "file").touch()
    with pytest.raises(NoPermission, match="cannot be written to"):
        execute(plan("add_detail", out=tmp_path / "file"))
