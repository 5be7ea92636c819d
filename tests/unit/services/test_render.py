"""Test renders of a real library: names, families, groups, failures, previews. The renderer is a script that paints."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from PIL import Image

from hubsync.domain import RenderKind
from hubsync.domain.renders import Finding
from hubsync.errors import HubsyncError, NotFound, UnknownLora, UsageError, WrongFamily
from hubsync.events import Event, Noted
from hubsync.render.plan import RenderOptions, RenderPlan
from hubsync.services.triggers import Wish
from tests.unit.render_bench import Bench, write, write_lora


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An empty library with a checkpoint for SD 1."""
    return Bench(tmp_path)


OPTIONS = RenderOptions(prompt="a cat")


def drawn(plan: RenderPlan) -> list[tuple[str | None, str]]:
    """What each row shows and asks for."""
    return [(row.lora, row.prompt) for row in plan.rows]


def test_a_tag_loads_what_automatic1111_would(bench: Bench) -> None:
    """By the name in the header too; the tag stays as it is typed, and the file is the one sent to the renderer."""
    write_lora(bench.loras / "renamed.safetensors", ss_output_name="original")
    write_lora(bench.loras / "tested.safetensors")
    with bench.open() as hubsync:
        made = hubsync.render.plan([Wish(name="tested")], RenderOptions(prompt="a cat <lora:original:0.5>"))
        assert made.rows[0].prompt == "a cat <lora:original:0.5>"
        assert [use.lora for use in made.rows[1].drawn.loras] == ["renamed", "tested"]
        assert made.loras["renamed"].path == bench.loras / "renamed.safetensors"
        tested = hubsync.render.plan([Wish(name="renamed")], RenderOptions(prompt="a cat <lora:original:0.5>"))
        assert drawn(tested) == [(None, "a cat "), ("renamed", "a cat  <lora:renamed:0.5>")]


def test_an_unknown_name_is_an_error_that_names_it(bench: Bench) -> None:
    """Under test or in a tag; an alias that two files share loads neither."""
    write_lora(bench.loras / "one.safetensors", ss_output_name="last")
    write_lora(bench.loras / "two.safetensors", ss_output_name="last")
    with bench.open() as hubsync:
        with pytest.raises(UnknownLora, match="'gone' is not installed"):
            hubsync.render.plan([Wish(name="gone")], OPTIONS)
        with pytest.raises(UnknownLora, match="the prompt names 'ones', which is not installed; did you mean one"):
            hubsync.render.plan([Wish(name="one")], RenderOptions(prompt="<lora:ones:1>"))
        with pytest.raises(UnknownLora, match="the name inside several files, which loads none of them: one, two"):
            hubsync.render.plan([Wish(name="one")], RenderOptions(prompt="<lora:last:1>"))


def test_of_files_with_one_stem_the_one_named_is_drawn(bench: Bench) -> None:
    """By its path; in a batch of everything the second is left out by name."""
    write_lora(bench.loras / "a" / "twin.safetensors")
    write_lora(bench.loras / "b" / "twin.safetensors")
    with bench.open() as hubsync:
        made = hubsync.render.plan([Wish(name="a/twin")], OPTIONS)
        assert made.loras["twin"].path == bench.loras / "a" / "twin.safetensors"
        (batch,) = hubsync.render.plan_all([], OPTIONS)
        assert batch.subjects == ("twin",)
        (note,) = batch.notes
        assert note.startswith("twin is left out: another file has its name, and this is ")


def test_a_file_that_is_no_lora_is_refused_by_name(bench: Bench) -> None:
    """A file whose bytes are another kind of model now, a damaged one, one that is gone."""
    names = ("control", "cut", "gone", "good")
    for name in names:
        write_lora(bench.loras / f"{name}.safetensors")
    with bench.open() as hubsync:
        write(bench.loras / "control.safetensors", {"control_model.input_blocks.0.0.weight": (4, 4)})
        cut = bench.loras / "cut.safetensors"
        cut.write_bytes(cut.read_bytes()[:-9])
        (bench.loras / "gone.safetensors").unlink()
        with pytest.raises(HubsyncError, match="'control' cannot be rendered: it is a ControlNet") as caught:
            hubsync.render.plan([Wish(name="good"), Wish(name="control")], OPTIONS)
        assert caught.value.code == "failed"
        with pytest.raises(HubsyncError, match="'cut' cannot be rendered: ") as caught:
            hubsync.render.plan([Wish(name="cut")], OPTIONS)
        assert caught.value.code == "not_safetensors"
        with pytest.raises(NotFound, match=r"gone\.safetensors"):
            hubsync.render.plan([Wish(name="gone")], OPTIONS)
        (batch,) = hubsync.render.plan_all([], OPTIONS)
        assert batch.subjects == ("good",)
        assert [note.split(" is left out: ")[0] for note in batch.notes] == ["control", "cut", "gone"]


def test_groups_are_chosen_by_number_or_all(bench: Bench) -> None:
    """The enabled one, those asked for, every one: a picture each."""
    write_lora(bench.loras / "outfits.safetensors")
    told = {"id": 11, "modelId": 10, "trainedWords": ["lily, day", "lily, night"]}
    (bench.loras / "outfits.civitai.info").write_text(json.dumps(told))
    with bench.open() as hubsync:
        for wish, words in (
            ("outfits", [("lily", "day")]),
            ("outfits:0.5:2", [("lily", "night")]),
            ("outfits::2+1", [("lily", "day"), ("lily", "night")]),
            ("outfits::all", [("lily", "day"), ("lily", "night")]),
        ):
            made = hubsync.render.plan([Wish.parse(wish)], OPTIONS)
            assert [row.trigger_words for row in made.rows if row.trigger_words] == words
        with pytest.raises(UsageError, match="no trigger group 3"):
            hubsync.render.plan([Wish.parse("outfits::3")], OPTIONS)


@pytest.fixture
def families(bench: Bench) -> Bench:
    """Three families, two of which have a checkpoint, and a file nobody knows the family of."""
    for name, family in (("a1", "sd1"), ("b1", "sd1"), ("c_xl", "sdxl"), ("d2", "sd2")):
        write_lora(bench.loras / f"{name}.safetensors", family)
    write(
        bench.loras / "mute.safetensors",
        {"lora_unet_mid.lora_down.weight": (4, 7), "lora_unet_mid.lora_up.weight": (7, 4)},
    )
    return bench


def test_each_family_has_a_plan(families: Bench) -> None:
    """On its own checkpoint, in a folder of its own; families without one are left out with a note."""
    with families.open(HUBSYNC_CHECKPOINT__SDXL=str(families.root / "sdxl")) as hubsync:
        first, second = hubsync.render.plan_all([Wish(name="b1", weight=0.25)], OPTIONS)
        assert (first.family, first.subjects) == ("sd1", ("a1", "b1", "mute"))
        assert [row.weight for row in first.rows if row.lora == "b1"] == [0.25]
        assert (second.family, second.subjects, second.checkpoint) == ("sdxl", ("c_xl",), str(families.root / "sdxl"))
        assert first.notes == ("d2 is left out: no sd2 checkpoint is set",)
        assert (first.out.name, second.out.name, first.out.parent) == ("sd1", "sdxl", second.out.parent)
        (alone,) = hubsync.render.plan_all([], RenderOptions(prompt="a cat", checkpoint=str(families.root / "sdxl")))
        assert alone.subjects == ("c_xl", "mute")
        assert "a1 is left out: it is made for sd1" in alone.notes
    with (
        families.open(HUBSYNC_CHECKPOINT__SD1="") as hubsync,
        pytest.raises(HubsyncError, match="no checkpoint is set"),
    ):
        hubsync.render.plan_all([], OPTIONS)


def test_one_family_that_fails_does_not_end_the_others(families: Bench) -> None:
    """Its LoRAs are refused with its error, a LoRA the renderer refuses with its own; all sheets become one."""
    write_lora(families.loras / "odd.safetensors")
    broken = families.root / "broken"
    broken.mkdir()
    with families.open(
        HUBSYNC_CHECKPOINT__SDXL=str(broken), HUBSYNC_CHECKPOINT__SD2=str(families.root / "sdxl")
    ) as hubsync:
        plans = hubsync.render.plan_all([], OPTIONS)
        heard: list[Event] = []
        outcome = hubsync.render.run_all(plans, sink=heard.append, cancel=threading.Event())
    assert {name: error.code for name, error in outcome.refused.items()} == {"odd": "wrong_family", "c_xl": "not_found"}
    shown = [render.loras[0].name for render in outcome.renders if render.loras]
    assert shown == ["a1", "b1", "mute", "d2"]
    assert [(one.lora, one.finding) for one in outcome.verdicts] == [(name, Finding.WORKS) for name in shown]
    assert outcome.sheet == plans[0].out.parent / "sheet.png"
    sheets = [plan.out / "sheet.png" for plan in plans if plan.family != "sdxl"]
    heights = []
    for path in (outcome.sheet, *sheets):
        with Image.open(path) as sheet:
            heights.append(sheet.height)
    assert heights[0] == sum(heights[1:])


def test_a_batch_of_failures_is_an_error(bench: Bench) -> None:
    """The one there is; of several kinds one that tells them all. A single LoRA that is refused is its own error."""
    write_lora(bench.loras / "odd.safetensors")
    write_lora(bench.loras / "xl.safetensors", "sdxl")
    (bench.root / "broken").mkdir()
    environ = {"HUBSYNC_CHECKPOINT__SDXL": str(bench.root / "broken")}
    with bench.open(**environ) as hubsync:
        plans = hubsync.render.plan_all([], OPTIONS)
        with pytest.raises(HubsyncError, match="'odd' fits nothing here; there is no checkpoint") as caught:
            hubsync.render.run_all(plans, sink=id, cancel=threading.Event())
        assert caught.value.code == "failed"
        alone = hubsync.render.plan([Wish(name="odd")], OPTIONS)
        with pytest.raises(WrongFamily, match="'odd' fits nothing here"):
            hubsync.render.run(alone, sink=id, cancel=threading.Event())


def test_the_best_picture_becomes_the_preview(bench: Bench) -> None:
    """With its words, at the weight nearest to its own, where there is none yet or it is forced."""
    write_lora(bench.loras / "worded.safetensors", **{"modelspec.trigger_phrase": "ohwx"})
    preview = bench.loras / "worded.preview.png"
    options = RenderOptions(prompt="a cat", weights=(2.0, 0.7, 0.0, -1.0))
    with bench.open() as hubsync:
        service = hubsync.render
        service.run(service.plan([Wish(name="worded")], options), sink=id, cancel=threading.Event())
        assert colour(preview) == 35 + 100
        assert hubsync.library.find("worded").preview == preview
        again = service.plan([Wish(name="worded", weight=0.2)], OPTIONS)
        service.run(again, sink=id, cancel=threading.Event())
        assert colour(preview) == 35 + 100
        service.run(again, sink=id, cancel=threading.Event(), set_preview=True)
        assert colour(preview) == 10 + 100
        kinds = {render.kind for render in service.history("worded")}
        assert kinds == {RenderKind.LORA, RenderKind.TRIGGERED}


def colour(path: Path) -> int:
    """The red of a picture of one colour."""
    with Image.open(path) as picture:
        pixel = picture.convert("RGB").getpixel((1, 1))
    assert isinstance(pixel, tuple)
    return pixel[0]


def test_what_is_left_out_is_told(families: Bench) -> None:
    """As a note of the first plan's run."""
    with families.open() as hubsync:
        heard: list[Event] = []
        hubsync.render.run_all(hubsync.render.plan_all([], OPTIONS), sink=heard.append, cancel=threading.Event())
    notes = [event.message for event in heard if isinstance(event, Noted)]
    assert "c_xl is left out: no sdxl checkpoint is set" in notes


def probe(bench: Bench, name: str, *words: str) -> list[str]:
    """The words a LoRA reacts to."""
    with bench.open() as hubsync:
        found = hubsync.render.probe(Wish(name=name), OPTIONS, words=words, sink=id, cancel=threading.Event())
    return [one.text for one in found]


def test_words_are_tried_out_and_kept_as_suggestions(bench: Bench) -> None:
    """Those of the header, of the file's name and of the user; what the LoRA does not react to is no hint any more."""
    captions = {"10_photos": {"a cat": 10, "ohwx": 9, "red hat": 8}}
    write_lora(bench.loras / "my_style.safetensors", ss_tag_frequency=json.dumps(captions))
    with bench.open() as hubsync:
        lora = hubsync.library.find("my_style")
        assert [one.text for one in hubsync.library.suggestions(lora)] == ["a cat", "ohwx", "photos", "red hat"]
    assert probe(bench, "my_style", "green") == ["ohwx"]
    with bench.open() as hubsync:
        (kept,) = hubsync.library.suggestions(lora)
        assert (kept.text, kept.score, kept.source) == ("ohwx", 0.9, "render")
        tried = {one.text for one in hubsync.records.suggested(lora.path)}
    assert tried == {"green", "a cat", "ohwx", "photos", "red hat", "my", "style"}


def test_words_tried_again_replace_those_of_before(bench: Bench) -> None:
    """The same word in another spelling is tried once; suggestions follow the file and go with it."""
    write_lora(bench.loras / "x.safetensors")
    probe(bench, "x", "ohwx")
    assert probe(bench, "x", "OHWX hat", "ohwx_hat") == []
    with bench.open() as hubsync:
        assert [one.text for one in hubsync.records.suggested(bench.loras / "x.safetensors")] == ["OHWX hat"]
        hubsync.records.forget(bench.loras / "x.safetensors")
        assert hubsync.records.suggested(bench.loras / "x.safetensors") == []


def test_a_lora_that_is_refused_cannot_be_tried(bench: Bench) -> None:
    """The reason is the renderer's."""
    write_lora(bench.loras / "odd.safetensors")
    with pytest.raises(WrongFamily, match="'odd' fits nothing here"):
        probe(bench, "odd", "ohwx")
