"""The library: its pages, what it is narrowed to, and what is done with what is chosen."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest
from textual.widgets import Input

from hubsync.domain import Entry, Facets, Installed, ListFilter, RenderKind, Stamp
from hubsync.sandbox.hub import Fault, FaultKind
from hubsync.sandbox.playground import DATA, Playground
from hubsync.services.app import Hubsync
from hubsync.tui.answers import Listed, LoraKnown, UpdatesFound
from hubsync.tui.jobs import JobState
from hubsync.tui.messages import ChoreEnded, JobAdvanced, PromptRequested, RenderEnded, RenderPlanned
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.screens.editing import Editor
from hubsync.tui.screens.facets import FacetDialog, FacetsRead, every
from hubsync.tui.screens.help import Keys
from hubsync.tui.screens.tending import TextComposed
from hubsync.tui.screens.trash import Trash, TrashRead
from hubsync.tui.screens.updates import Updates
from hubsync.tui.widgets.keyline import KeyLine
from hubsync.tui.widgets.rows import PAGE
from tests.tui.conftest import NOW, RENDERER, Journey, OpenHubsync, Start, install

LORAS = ("civitai:1001", "civitai:1002", "civitai:1004")


@pytest.fixture
def filled(open_library: OpenHubsync) -> Hubsync:
    """A library with three LoRAs."""
    hubsync = open_library()
    install(hubsync, *LORAS)
    return hubsync


def many(hubsync: Hubsync, count: int) -> None:
    """So many LoRAs whose files are gone, every tenth for another family, each newer and larger than those before."""
    folder = hubsync.root.loras
    loras = (
        Installed(
            name=f"style {index:05}",
            path=folder / f"style {index:05}.safetensors",
            title="a style",
            family="sdxl" if index % 10 == 0 else "sd1",
            tags=("wide" if index % 2 else "宽",),
            size=index,
            installed_at=NOW + timedelta(seconds=index),
        )
        for index in range(count)
    )
    stamp = Stamp(size=0, mtime_ns=0)
    hubsync.records.save_all([Entry(lora=lora, stamp=stamp, written={}) for lora in loras])


def names(journey: Journey) -> list[str]:
    """The rows."""
    return [row.name for row in journey.library.listing.rows]


def told(journey: Journey) -> list[str]:
    """What the box says."""
    screen = journey.app.screen
    return [fact.value.plain for fact in screen.facts.facts] if isinstance(screen, Dialog) else [""]


async def go_to_library(journey: Journey) -> None:
    """From the search box to the second mode."""
    await journey.press("escape", "2")
    await journey.sees(Listed)
    await journey.pilot.pause()


async def test_an_empty_library_scans_what_lies_there(
    open_library: OpenHubsync, ground: Playground, start: Start
) -> None:
    """It says what to press, other keys do no harm, and S brings in the files that lie in its folders."""
    folder = ground.root / "models" / "Lora"
    folder.mkdir(parents=True)
    async with start(open_library()) as journey:
        await go_to_library(journey)
        await journey.press("r", "p", "enter", "e", "delete", "m", "v", "I", "y", "space", "R")
        assert journey.app.screen is journey.library
        assert "Nothing is installed yet." in journey.text
        assert journey.app.jobs.all == ()
        shutil.copyfile(DATA / "loras" / "sks_frame.safetensors", folder / "mine.safetensors")
        await journey.press("S")
        await journey.until(lambda: names(journey) == ["mine"])
        assert "Scanned: 1 new, 1 recognised" in journey.text


async def test_a_library_that_cannot_be_read_says_what_to_do(open_library: OpenHubsync, start: Start) -> None:
    """A damaged database is a page with the next step, and once it is away the library is read as before."""
    hubsync = open_library()
    hubsync.root.database.parent.mkdir(parents=True)
    hubsync.root.database.write_bytes(b"no database" * 100)
    async with start(hubsync, size=(120, 40)) as journey:
        await journey.press("escape", "2")
        await journey.until(lambda: "The library cannot be read." in journey.text)
        assert "is damaged" in journey.text
        assert "Your files are untouched" in journey.text
        hubsync.root.database.unlink()
        await journey.press("1", "2")
        await journey.until(lambda: "Nothing is installed yet." in journey.text)


async def test_pages_are_read_as_they_are_scrolled_to(open_library: OpenHubsync, start: Start) -> None:
    """The subtitle knows all of them, the list holds what was scrolled to, and being read again changes neither."""
    hubsync = open_library()
    many(hubsync, 3 * PAGE + 50)
    async with start(hubsync) as journey:
        await go_to_library(journey)
        listing = journey.library.listing
        await journey.until(lambda: listing.border_subtitle == "350 installed")
        assert len(listing.rows) == PAGE
        await journey.press("G")
        await journey.until(lambda: len(listing.rows) == 2 * PAGE)
        assert listing.highlighted == PAGE - 1
        await journey.press("1", "2")
        await journey.sees(Listed, times=3)
        assert (len(listing.rows), listing.highlighted) == (2 * PAGE, PAGE - 1)
        for _ in range(2):
            await journey.press("G")
            await journey.pilot.pause(0.1)
        await journey.press("G")
        await journey.until(lambda: len(listing.rows) == 3 * PAGE + 50)
        assert names(journey) == [f"style {index:05}" for index in range(3 * PAGE + 50)]
        assert [len(message.rows) for message in journey.all(Listed)] == [PAGE, PAGE, 2 * PAGE, PAGE, 50]


async def test_the_filter_narrows_while_typing(filled: Hubsync, start: Start) -> None:
    """A word of the LoRA finds it too; esc leads back to all of them, and no further."""
    async with start(filled) as journey:
        await go_to_library(journey)
        assert names(journey) == ["add_detail", "add_saturation", "sks_frame"]
        await journey.press("slash", *"sks")
        await journey.until(lambda: names(journey) == ["sks_frame"])
        journey.library.box.value = "nothing"
        await journey.until(lambda: "Nothing installed fits “nothing”." in journey.text)
        await journey.press("escape", "escape")
        await journey.until(lambda: len(names(journey)) == len(LORAS))
        await journey.press("escape", "escape")
        assert journey.app.screen is journey.library
        assert len(names(journey)) == len(LORAS)


async def test_order_and_facets_narrow_together(open_library: OpenHubsync, start: Start) -> None:
    """s takes the next order, f offers families, tags and marks with their numbers, esc takes one away at a time."""
    hubsync = open_library()
    many(hubsync, 40)
    async with start(hubsync) as journey:
        await go_to_library(journey)
        await journey.press("s")
        await journey.until(lambda: names(journey)[0] == "style 00039")
        assert "Installed · newest first" in journey.text
        await journey.press("f")
        await journey.sees(FacetsRead)
        await journey.pilot.pause()
        lines = [line.strip("│ ").split() for line in journey.text.split("\n")]
        assert ["!", "missing", "mark", "40"] in [line[-4:] for line in lines]
        assert ["sdxl", "family", "4"] in [line[-3:] for line in lines]
        await journey.press("space", "slash", *"xl", "enter")
        await journey.until(lambda: names(journey) == [f"style {index:05}" for index in (30, 20, 10, 0)])
        assert "[family: sdxl]  [! missing]" in journey.text
        assert journey.library.listing.border_subtitle == "4 fit"
        journey.library.box.value = "00030"
        await journey.until(lambda: names(journey) == ["style 00030"])
        await journey.press("escape")
        await journey.until(lambda: len(names(journey)) == 4)
        await journey.press("escape")
        await journey.until(lambda: "[! missing]" not in journey.text)
        assert "[family: sdxl]" in journey.text
        await journey.press("escape")
        await journey.until(lambda: len(names(journey)) == 40)


async def test_what_another_program_installs_appears(filled: Hubsync, start: Start) -> None:
    """The library is read again whenever its screen comes up, and the highlight stays."""
    async with start(filled) as journey:
        await go_to_library(journey)
        await journey.press("j", "1")
        install(filled, "civitai:1003")
        await journey.press("2")
        await journey.until(lambda: len(names(journey)) == len(LORAS) + 1)
        assert journey.library.listing.row
        assert journey.library.listing.row.name == "add_saturation"


async def test_marks_are_told_in_words_too(filled: Hubsync, start: Start) -> None:
    """A file that is gone, words that nobody said, a preview that is not there."""
    gone = filled.library.find("add_detail")
    gone.path.unlink()
    async with start(filled, size=(120, 40)) as journey:
        await go_to_library(journey)
        await journey.sees(LoraKnown)
        assert "!?" in journey.text
        assert "! its file is missing" in journey.text
        assert "? no trigger words: e adds some" in journey.text
        assert "add_detail.preview.png" in journey.text
        await journey.press("G")
        await journey.until(lambda: "● sks  Civitai" in journey.text)
        pages = [fact.value.plain for fact in journey.library.detail.facts.facts if fact.label == "Page"]
        assert [page.partition("/models/")[2] for page in pages] == ["1004?modelVersionId=2004"]


async def test_actions_are_for_all_that_is_selected(filled: Hubsync, start: Start) -> None:
    """Into the prompt, into the form of a test, onto the clipboard; the subtitle counts, esc selects nothing."""
    async with start(filled) as journey:
        await go_to_library(journey)
        await journey.press("space", "j", "space")
        assert journey.library.listing.border_subtitle == "2 selected · 3 installed"
        await journey.press("y")
        await journey.sees(TextComposed)
        await journey.until(lambda: journey.app.clipboard)
        assert journey.app.clipboard.startswith("sks <lora:add_detail:0.8>")
        assert "<lora:sks_frame:0.9>" in journey.app.clipboard
        library = journey.library
        library.action_prompt()
        library.action_plan()
        wanted = ["add_detail", "sks_frame"]
        assert [wish.name for wish in (await journey.sees(PromptRequested)).wishes] == wanted
        assert [wish.name for wish in (await journey.sees(RenderPlanned)).wishes] == wanted
        await journey.until(lambda: journey.app.current_mode == "renders")
        await journey.press("2", "escape")
        assert journey.library.listing.border_subtitle == "3 installed"
        assert journey.app.screen is library


async def test_what_is_removed_comes_back(filled: Hubsync, start: Start) -> None:
    """Nothing goes before it is confirmed; the highlight stays in its place; u brings all of it back."""
    async with start(filled) as journey:
        await go_to_library(journey)
        await journey.press("j", "delete")
        assert "add_saturation.safetensors" in journey.text
        await journey.press("escape", "delete", "enter")
        await journey.until(lambda: names(journey) == ["add_detail", "sks_frame"])
        assert journey.library.listing.highlighted == 1
        assert "u brings back what was removed last" in journey.text
        await journey.press("u")
        await journey.until(lambda: len(names(journey)) == len(LORAS))
        assert filled.library.find("add_saturation").path.exists()


async def test_loras_are_renamed_and_moved(filled: Hubsync, start: Start) -> None:
    """One gets another name and keeps the highlight, several another folder; what cannot be stays in the box."""
    async with start(filled) as journey:
        await go_to_library(journey)
        await journey.press("m", *"sks_frame", "enter")
        await journey.until(lambda: "is called sks_frame already" in " ".join(told(journey)))
        box = journey.app.screen.query_one(Input)
        assert box.value == "sks_frame"
        box.value = "/etc/x"
        await journey.press("enter")
        await journey.until(lambda: told(journey)[0].startswith("! /etc is outside the library"))
        box.value = "zeta"
        await journey.press("enter")
        await journey.until(lambda: names(journey) == ["add_saturation", "sks_frame", "zeta"])
        assert journey.library.listing.row
        assert journey.library.listing.row.name == "zeta"
        await journey.press("g", "space", "space", "m", *"tools", "enter")
        assert "end it with a slash" in journey.text
        await journey.press("slash", "enter")
        await journey.sees(ChoreEnded, times=2)
        await journey.until(lambda: filled.library.find("add_saturation").path.parent.name == "tools")
        assert filled.library.find("sks_frame").path.parent.name == "tools"
        assert journey.library.listing.marked == 0


async def test_newer_versions_are_found_and_installed(open_library: OpenHubsync, start: Start) -> None:
    """U checks all of them, says what would come, and puts the old version into the trash if told so."""
    hubsync = open_library()
    install(hubsync, "civitai:1003@2103")
    old = hubsync.library.list()[0]
    async with start(hubsync) as journey:
        await go_to_library(journey)
        await journey.press("U")
        await journey.sees(UpdatesFound)
        await journey.until(lambda: isinstance(journey.app.screen, Updates))
        assert "enter installs beside the old" in journey.text
        await journey.press("t")
        await journey.until(lambda: names(journey) == ["add_brightness"])
        assert not old.path.exists()
        await journey.until(lambda: "1 of 1 updated" in journey.text)
        assert [trashed.name for trashed in hubsync.relocating.trash()] == [old.name]


async def test_rot_is_found_and_files_are_recognised(filled: Hubsync, ground: Playground, start: Start) -> None:
    """v hashes a file again and says when its bytes are others; I asks Civitai about a file that came by hand."""
    path = ground.root / "models" / "Lora" / "add_detail.safetensors"
    shutil.copyfile(DATA / "loras" / "mona_outfits.safetensors", path.with_name("mine.safetensors"))
    with path.open("r+b") as file:
        file.seek(-5, 2)
        file.write(b"x")
    hubsync = filled
    hubsync.scanning.scan([path.with_name("mine.safetensors")], identify=False, sink=lambda _: _, cancel=Event())
    async with start(hubsync) as journey:
        await go_to_library(journey)
        await journey.press("v")
        await journey.until(lambda: "Verified: 1 changed: add_detail" in journey.text)
        assert journey.app.jobs.all[0].state is JobState.FAILED
        await journey.press("j", "j", "I")
        await journey.until(lambda: "Civitai knows mine: " in journey.text)
        assert str(hubsync.library.find("mine").ref).startswith("civitai:1005")


async def test_a_hub_that_cannot_be_asked_is_no_answer(
    open_library: OpenHubsync, ground: Playground, start: Start
) -> None:
    """I says that Civitai does not answer, not that it does not know the file; then how many of several it knows."""
    hubsync = open_library(network__retries="0")
    install(hubsync, "civitai:1001", "hf:framewright/sks-frame-kohya")
    shutil.copyfile(DATA / "loras" / "mona_outfits.safetensors", hubsync.root.loras / "mine.safetensors")
    hubsync.scanning.scan(identify=False, sink=lambda _: _, cancel=Event())
    async with start(hubsync, size=(120, 40)) as journey:
        await go_to_library(journey)
        ground.hub.switch(Fault(kind=FaultKind.STATUS, path="/api/*", status=503))
        await journey.press("j", "I")
        await journey.until(lambda: "Not all was identified" in " ".join(journey.text.split()))
        ground.hub.switch()
        await journey.press("g", "space", "space", "space", "I")
        await journey.until(lambda: "Civitai knows 2 of 3; from Hugging Face: 1" in journey.text)


async def test_a_lora_that_goes_behind_the_pages_read_keeps_the_highlight(
    open_library: OpenHubsync, start: Start
) -> None:
    """Renamed so that it comes after all others, which are read then."""
    hubsync = open_library()
    install(hubsync, "civitai:1001")
    many(hubsync, 2 * PAGE)
    async with start(hubsync) as journey:
        await go_to_library(journey)
        await journey.press("m", *"zeta", "enter")
        await journey.until(lambda: journey.library.listing.row and journey.library.listing.row.name == "zeta")
        await journey.until(lambda: len(names(journey)) == 2 * PAGE + 1)
        assert journey.library.listing.highlighted == 2 * PAGE


async def test_what_an_update_trashed_comes_back_too(open_library: OpenHubsync, start: Start) -> None:
    """u takes the newest of the trash whatever put it there; what cannot come back leaves the rest of it to T."""
    hubsync = open_library()
    install(hubsync, *LORAS)
    later = replace(hubsync.relocating, now=lambda: NOW + timedelta(minutes=1))
    async with start(hubsync) as journey:
        await go_to_library(journey)
        await journey.press("delete", "enter")
        await journey.until(lambda: len(names(journey)) == len(LORAS) - 1)
        later.remove(hubsync.library.find("sks_frame"))
        await journey.press("u")
        await journey.until(lambda: hubsync.library.count(ListFilter(text="sks_frame")))
        install(hubsync, "civitai:1001")
        await journey.press("u")
        await journey.until(lambda: "T shows what is in the trash" in " ".join(journey.text.split()))
        hubsync.relocating.remove(hubsync.library.find("add_detail"))
        later.remove(hubsync.library.find("add_saturation"))
        await journey.press("T")
        await journey.sees(TrashRead)
        trash = journey.app.screen
        assert isinstance(trash, Trash)
        await journey.until(lambda: trash.listing.rows)
        assert [one.trashed.name for one in trash.listing.rows] == ["add_saturation", "add_detail", "add_detail"]
        assert "add_saturation.safetensors" in journey.text
        await journey.press("space", "space", "enter")
        await journey.until(lambda: names(journey) == ["add_detail", "add_saturation", "sks_frame"])
        assert len(hubsync.relocating.trash()) == 1


async def test_what_cannot_come_back_does_not_keep_the_others(filled: Hubsync, start: Start) -> None:
    """Of three that were removed together two come back, and it is said why the third does not."""
    async with start(filled) as journey:
        await go_to_library(journey)
        await journey.press("space", "space", "space", "delete", "enter")
        await journey.until(lambda: not names(journey))
        install(filled, "civitai:1004")
        await journey.press("u")
        await journey.until(lambda: len(names(journey)) == len(LORAS))
        assert [trashed.name for trashed in filled.relocating.trash()] == ["sks_frame"]
        assert "is called sks_frame already" in " ".join(journey.text.split())


async def test_enter_shows_the_facets_that_were_chosen(filled: Hubsync, start: Start) -> None:
    """Space chooses and goes on, enter shows; esc leaves the list as it was; only what some LoRA has is offered."""
    many(filled, 1)
    async with start(filled) as journey:
        await go_to_library(journey)
        await journey.press("f")
        await journey.sees(FacetsRead)
        dialog = journey.app.screen
        assert isinstance(dialog, FacetDialog)
        await journey.until(lambda: dialog.listing.rows)
        assert "↑ outdated" not in [facet.name for facet in dialog.listing.rows]
        await journey.press("space")
        assert dialog.listing.highlighted == 1
        await journey.press("enter")
        await journey.until(lambda: "[! missing]" in journey.text)
        await journey.press("f")
        await journey.sees(FacetsRead, times=2)
        await journey.press("space", "escape")
        assert "[! missing]" in journey.text
        await journey.press("f")
        await journey.sees(FacetsRead, times=3)
        await journey.press("G", "enter")
        await journey.until(lambda: "[! missing]" in journey.text and "[tag: " in journey.text)


def test_tags_that_programs_set_are_not_offered() -> None:
    """Hugging Face's `license:…` and the like narrow nothing anybody looks for."""
    tags = {"style": 3, "base_model:adapter:x/y": 2, "license:mit": 2, "region:us": 2, "re:zero": 0}
    offered = [*every(Facets(families={}, tags=tags, missing=0, outdated=0, no_words=1, no_preview=0))]
    assert [facet.name for facet in offered] == ["? no words", "style", "re:zero"]


async def test_a_weight_is_given_to_all_that_is_selected(filled: Hubsync, start: Start) -> None:
    """What no tool takes is refused in place; e edits one of those selected wherever the highlight is."""
    async with start(filled) as journey:
        await go_to_library(journey)
        await journey.press("space", "space", "w", *"-55", "enter")
        assert told(journey)[0].startswith("! -55 is no weight")
        journey.app.screen.query_one(Input).value = "0.5"
        await journey.press("enter")
        await journey.until(lambda: [row.weight for row in journey.library.listing.rows][:2] == [0.5, 0.5])
        await journey.press("e")
        editor = journey.app.screen
        assert isinstance(editor, Editor)
        assert editor.lora.name == "add_detail"


async def test_keys_are_offered_where_they_do_something(filled: Hubsync, start: Start) -> None:
    """A list without a row offers no way to edit or test one; under a box the line of keys is empty."""
    async with start(filled) as journey:
        await go_to_library(journey)
        line = journey.library.query_one(KeyLine)
        assert {"Words", "Test render"} <= {active.binding.description for active in line.shown()}
        await journey.press("f")
        assert line.render().plain == ""
        await journey.press("escape")
        journey.library.box.value = "nothing"
        await journey.until(lambda: not names(journey))
        assert {active.binding.description for active in line.shown()} == {"Search", "Filter", "Help"}


async def test_a_box_tells_its_own_keys(filled: Hubsync, start: Start) -> None:
    """? and f1 list what works in it, f1 also where one types; the key that opened the list closes it."""
    async with start(filled, size=(100, 40)) as journey:
        await go_to_library(journey)
        await journey.press("f", "question_mark")
        assert isinstance(journey.app.screen, Keys)
        assert "Narrow by this, or no longer" in journey.text
        assert "Every key that works in this box" in journey.text
        assert "Test render" not in journey.text
        await journey.press("question_mark", "slash", "question_mark")
        assert journey.app.screen.query_one(Input).value == "?"
        await journey.press("f1")
        assert isinstance(journey.app.screen, Keys)
        await journey.press("f1", "escape")
        assert journey.library.is_current


async def test_a_render_in_another_mode_does_not_interrupt(filled: Hubsync, start: Start) -> None:
    """Pictures come up by themselves only in the library; elsewhere a line says where they are."""
    async with start(filled) as journey:
        await go_to_library(journey)
        await journey.press("r", "1")
        ended = await journey.sees(RenderEnded)
        await journey.until(lambda: journey.app.jobs.all[0].state is JobState.DONE)
        assert journey.app.screen is journey.discover
        assert "add_detail is rendered: 2 pictures" in journey.text
        assert [render.kind for render in ended.outcome.renders] == [RenderKind.BASE, RenderKind.LORA]


@pytest.mark.usefixtures("filled")
async def test_a_render_is_stopped(open_library: OpenHubsync, start: Start) -> None:
    """x ends the renderer; nothing is recorded."""
    hubsync = open_library(renderer=(*RENDERER, "slow"))
    async with start(hubsync) as journey:
        await go_to_library(journey)
        await journey.press("G", "r")
        await journey.until(lambda: any(job.done for job in journey.app.jobs.all))
        await journey.until(lambda: "1 of 3 pictures" in journey.text)
        await journey.press("x")
        await journey.until(lambda: journey.app.jobs.all[0].state is JobState.CANCELLED)
        assert "Rendering sks_frame: stopped" in journey.text
    assert hubsync.render.history() == []


@pytest.mark.usefixtures("filled")
async def test_renders_take_turns(open_library: OpenHubsync, start: Start) -> None:
    """A second render waits for the first, so that a device holds one checkpoint; a waiting one can be stopped too."""
    async with start(open_library(renderer=(*RENDERER, "slow"))) as journey:
        await go_to_library(journey)
        await journey.press("r")
        await journey.until(lambda: any(job.done for job in journey.app.jobs.all))
        await journey.press("j", "r")
        await journey.until(lambda: len(journey.app.jobs.running()) == 2)
        await journey.until(lambda: "getting ready" in journey.text)
        await journey.press("x")
        await journey.until(lambda: journey.app.jobs.all[1].state is JobState.CANCELLED)
        assert journey.app.jobs.all[0].running
        await journey.press("x")
        await journey.until(lambda: not journey.app.jobs.running())


@pytest.mark.usefixtures("filled")
async def test_without_a_renderer_the_next_step_is_said(open_library: OpenHubsync, start: Start) -> None:
    """A machine without torch gets one line with what to install."""
    async with start(open_library(renderer=("no-such-interpreter",))) as journey:
        await go_to_library(journey)
        await journey.press("r")
        await journey.until(lambda: [job.state for job in journey.app.jobs.all] == [JobState.FAILED])
        assert "pip install" in journey.text
        assert not journey.all(JobAdvanced) or not journey.all(RenderEnded)
