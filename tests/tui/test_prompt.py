"""The prompt screen: LoRAs come and go with exactly their words, and what the draft comes to goes elsewhere."""

from __future__ import annotations

from functools import partial

import pytest
from textual import events
from textual.notifications import Notify

from hubsync.domain import Entry, Installed, Stamp, Statement, WordSource, grouped
from hubsync.prompts.compose import Format
from hubsync.services.app import Hubsync
from hubsync.services.triggers import Wish
from hubsync.tui.answers import Listed, PromptsRead
from hubsync.tui.messages import PromptRequested, RenderPlanned, RenderRequested
from hubsync.tui.screens.composing import PromptComposed
from hubsync.tui.screens.entry import Entry as TextEntry
from hubsync.tui.screens.grouping import GroupsDialog
from hubsync.tui.screens.keeping import PromptSaved
from hubsync.tui.screens.picking import LoraPicker
from hubsync.tui.screens.prompt import PromptScreen, TakenOut
from hubsync.tui.screens.saved import SavedPrompts
from hubsync.tui.typed import TOGETHER
from hubsync.tui.widgets.rows import PAGE
from tests.tui.conftest import Journey, OpenHubsync, Start

OUTFITS = (("mona", "day outfit"), ("mona", "night outfit"))


def put(
    hubsync: Hubsync, name: str, *groups: tuple[str, ...], family: str = "sd1", negative: str | None = None
) -> None:
    """A file of the library with words of its own."""
    path = hubsync.root.loras / f"{name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"weights")
    lora = Installed(name=name, path=path, title=name, family=family)
    words = grouped(groups, WordSource.CIVITAI) if groups else None
    said = Statement(source=WordSource.CIVITAI, groups=words, weight=0.7, negative=negative)
    hubsync.records.save(Entry(lora=lora, stamp=Stamp(size=7, mtime_ns=1), statements=(said,), written={}))


@pytest.fixture
def filled(open_library: OpenHubsync) -> Hubsync:
    """A library with three LoRAs; one has two outfits, one a negative text."""
    hubsync = open_library()
    put(hubsync, "mona", *OUTFITS)
    put(hubsync, "ring", ("sks ring",), negative="blurry")
    put(hubsync, "detail")
    return hubsync


def screen(journey: Journey) -> PromptScreen:
    """The third mode's screen, also while a box lies over it."""
    found = journey.app.screen_stack[0]
    assert isinstance(found, PromptScreen)
    return found


def parts(journey: Journey) -> list[tuple[str, float, bool]]:
    """The list: names, weights, and what is on."""
    return [(part.name, part.weight, part.on) for part in screen(journey).listing.rows]


def _titled(journey: Journey, title: str) -> bool:
    return str(screen(journey).result.border_title) == title


def prompt(journey: Journey) -> str:
    """The prompt composed last."""
    return journey.all(PromptComposed)[-1].drafted.composed.prompt


def told(journey: Journey) -> str:
    """What the lower pane says."""
    return str(screen(journey).result.facts.render())


def said(journey: Journey) -> str:
    """The news given last."""
    return journey.all(Notify)[-1].notification.message


async def go_to_prompt(journey: Journey, text: str = "", *wishes: Wish, negative: str = "") -> None:
    """To the third mode, with a draft."""
    draft = journey.app.session.draft
    draft.text, draft.negative = text, negative
    draft.wish(*wishes)
    await journey.press("escape", "3")
    await journey.sees(PromptComposed)


async def composes(journey: Journey, expected: str) -> None:
    """Wait for a prompt."""
    await journey.until(lambda: prompt(journey) == expected)


async def test_an_empty_prompt_tells_the_first_step(open_library: OpenHubsync, start: Start) -> None:
    """It says what to press; the keys of a LoRA do no harm without one; esc leads out of the text and no further."""
    async with start(open_library()) as journey:
        await go_to_prompt(journey)
        assert "Nothing is in the prompt yet." in told(journey)
        await journey.press("plus", "space", "delete", "w", "g", "J", "enter", "y", "r", "R")
        assert journey.app.screen is screen(journey)
        assert journey.app.clipboard == ""
        assert [*journey.all(RenderRequested), *journey.all(RenderPlanned)] == []
        await journey.press("l")
        await journey.until(lambda: "Nothing is installed yet" in journey.text)
        await journey.press("escape", "slash", "x", "3", "escape")
        assert screen(journey).text.text == "x3"
        assert screen(journey).focused is screen(journey).listing
        await journey.press("escape", "escape")
        assert journey.app.screen is screen(journey)


async def test_a_lora_comes_and_goes_without_a_trace(filled: Hubsync, start: Start) -> None:
    """From inside the text it is picked while typing; taken out, the prompt is the user's own again, to the letter."""
    text = "a castle,\n  (blue ring:1.2) "
    async with start(filled) as journey:
        await go_to_prompt(journey, text, negative="ugly")
        before = journey.all(PromptComposed)[-1].drafted.composed
        await journey.press("slash", "ctrl+l", *"sks", "enter")
        await composes(journey, filled.triggers.compose(text, [Wish(name="ring")]).prompt)
        after = journey.all(PromptComposed)[-1].drafted.composed
        assert ("sks ring" in after.prompt, after.negative_prompt) == (True, "ugly, blurry")
        assert parts(journey) == [("ring", 0.7, True)]
        assert screen(journey).focused is screen(journey).text
        await journey.press("escape", "delete")
        await composes(journey, before.prompt)
        assert journey.all(PromptComposed)[-1].drafted.composed == before
        assert (screen(journey).text.text, screen(journey).negative.text) == (text, "ugly")


async def test_several_are_picked_at_once(filled: Hubsync, start: Start) -> None:
    """Space selects in the picker's list; the last one is highlighted then; one that is there comes once."""
    async with start(filled) as journey:
        await go_to_prompt(journey, "a", Wish(name="detail", weight=0.4))
        await journey.press("l")
        await journey.sees(Listed)
        await journey.press("down", "space", "space", "enter")
        await composes(journey, "a, mona, day outfit <lora:detail:0.4> <lora:mona:0.7>")
        assert parts(journey) == [("detail", 0.4, True), ("mona", 0.7, True)]
        await journey.until(lambda: (row := screen(journey).listing.row) and row.name == "mona")


async def test_the_picker_reads_pages(filled: Hubsync, start: Start) -> None:
    """A hundred rows at a time; a filter that fits none says so; enter waits for the list to follow the last letter."""
    loras = [
        Installed(name=f"style {at:03}", path=filled.root.loras / f"style {at:03}.safetensors", title="a style")
        for at in range(PAGE + 50)
    ]
    filled.records.save_all([Entry(lora=one, stamp=Stamp(size=7, mtime_ns=1), written={}) for one in loras])
    async with start(filled) as journey:
        await go_to_prompt(journey)
        await journey.press("l")
        await journey.until(lambda: isinstance(journey.app.screen, LoraPicker))
        picker = journey.app.screen
        assert isinstance(picker, LoraPicker)
        await journey.until(lambda: len(picker.listing.rows) == PAGE)
        await journey.press("down", "G")
        await journey.until(lambda: len(picker.listing.rows) == PAGE + 53)
        await journey.press("slash", *"nothing")
        await journey.until(lambda: "Nothing installed fits “nothing”." in journey.text)
        box = picker.query_one("Input")
        await journey.press(*["backspace"] * len("nothing"), *"149", "enter")
        await composes(journey, "<lora:style 149:0.8>")
        assert not box.is_attached


async def test_weights_by_keys(filled: Hubsync, start: Start) -> None:
    """Small steps and large ones, or a number typed, with a comma too; what is no number is said to be none."""
    async with start(filled) as journey:
        await go_to_prompt(journey, "a", Wish(name="detail"))
        await journey.press("plus", "right", "minus", "shift+right", "left", "underscore")
        await composes(journey, "a <lora:detail:0.7>")
        await journey.press("shift+left")
        await composes(journey, "a <lora:detail:0.5>")
        await journey.press("w")
        await journey.until(lambda: isinstance(journey.app.screen, TextEntry))
        await journey.press("x", "enter")
        assert "! a weight is a number" in journey.text
        await journey.press("backspace", *"-0,25", "enter")
        await composes(journey, "a <lora:detail:-0.25>")


async def test_off_and_on_again(filled: Hubsync, start: Start) -> None:
    """A LoRA switched off leaves the prompt with its words and keeps its weight; those on change places."""
    async with start(filled) as journey:
        await go_to_prompt(journey, "a", Wish(name="ring", weight=0.3), Wish(name="detail"))
        await journey.press("space")
        await composes(journey, "a <lora:detail:0.7>")
        assert parts(journey)[0] == ("ring", 0.3, False)
        assert "○ ring" in journey.text
        assert screen(journey).listing.border_subtitle == "ring: off · 1 of 2"
        await journey.press("space", "J")
        await composes(journey, "a, sks ring <lora:detail:0.7> <lora:ring:0.3>")
        await journey.press("J", "K", "K")
        await composes(journey, "a, sks ring <lora:ring:0.3> <lora:detail:0.7>")


async def test_groups_and_words_for_one_prompt(filled: Hubsync, start: Start) -> None:
    """Another group, a single word, none at all: in this prompt only; esc changes nothing."""
    async with start(filled) as journey:
        await go_to_prompt(journey, "a", Wish(name="mona"))
        await journey.press("g")
        await journey.until(lambda: isinstance(journey.app.screen, GroupsDialog))
        await journey.press("space", "escape")
        assert prompt(journey) == "a, mona, day outfit <lora:mona:0.7>"
        await journey.press("enter", "space", "j", "j", "j", "space", "enter")
        await composes(journey, "a, mona, night outfit <lora:mona:0.7>")
        assert journey.app.session.draft.wishes == [Wish(name="mona", groups=(2,))]
        await journey.press("g", "G", "space", "enter")
        await composes(journey, "a, mona <lora:mona:0.7>")
        await journey.press("g", "j", "j", "j", "space", "enter")
        await composes(journey, "a <lora:mona:0.7>")
        assert screen(journey).listing.rows[0].wish == Wish(name="mona", words=())
        await journey.press("g", "space", "enter")
        await composes(journey, "a, mona, day outfit <lora:mona:0.7>")
        assert journey.app.session.draft.wishes == [Wish(name="mona")]
    assert [group.enabled for group in filled.library.find("mona").groups] == [True, False]


async def test_a_tag_in_the_text_is_a_row_too(filled: Hubsync, start: Start) -> None:
    """Its weight is changed in the text; taken out, its words go with it, and ctrl+z brings them back."""
    text = "a, sks ring <lora:ring:te=0.5:unet=0.9>"
    async with start(filled) as journey:
        await go_to_prompt(journey, text)
        assert parts(journey) == [("ring", 0.9, True)]
        assert screen(journey).listing.border_subtitle == "ring: its tag is in your text · 1 of 1"
        await journey.press("minus")
        await composes(journey, "a, sks ring <lora:ring:te=0.5:unet=0.85>")
        assert screen(journey).text.text == prompt(journey)
        await journey.press("delete")
        await journey.sees(TakenOut)
        await composes(journey, "a")
        assert (screen(journey).text.text, parts(journey)) == ("a", [])
        await journey.press("slash", "ctrl+z", "ctrl+z")
        await composes(journey, text)
        await journey.press("escape", "space")
        await composes(journey, "a")
        assert parts(journey) == [("ring", 0.9, False)]
        await journey.press("space")
        await composes(journey, "a, sks ring <lora:ring:0.9>")


async def test_every_format_is_written_and_copied(filled: Hubsync, start: Start) -> None:
    """F goes round; what is copied is exactly what the command prints, the last letter included."""
    wishes, text = [Wish(name="ring")], r"a \(b\) [c]"
    async with start(filled) as journey:
        await go_to_prompt(journey, text, *wishes)
        for form in (*Format, Format.A1111):
            expected = filled.triggers.compose(text, wishes, format=form)
            await composes(journey, expected.prompt)
            assert f"Prompt for {form.value}" in str(screen(journey).result.border_title)
            await journey.press("y")
            assert journey.app.clipboard == expected.prompt
            await journey.press("Y")
            assert journey.app.clipboard == expected.negative_prompt == "blurry"
            assert said(journey) == f"The negative prompt is copied, for {form.value}."
            await journey.press("F")


async def test_a_reader_without_tags_is_told_what_to_load(filled: Hubsync, start: Start) -> None:
    """Names and weights stand below the prompt, the text encoder's too where it is another, and are not copied."""
    async with start(filled) as journey:
        await go_to_prompt(journey, "a <lora:detail:0.5:0.25>", Wish(name="ring"))
        await journey.press("F")
        for form, said in (
            (Format.COMFYUI, "i to be loaded in LoraLoader: detail 0.25 (clip 0.5), ring 0.7"),
            (Format.SWARMUI, ""),
            (Format.PLAIN, "i to be loaded beside the prompt: detail 0.25 (clip 0.5), ring 0.7"),
        ):
            title = f"Prompt for {form.value} · F another"
            await journey.until(partial(_titled, journey, title))
            assert said in told(journey)
            assert ("to be loaded" in told(journey)) == bool(said)
            await journey.press("y", "F")
            assert "load" not in journey.app.clipboard


async def test_tokens_are_counted_by_chunks(filled: Hubsync, start: Start) -> None:
    """Each chunk of 75 has its number, a BREAK begins another, and one that is too long is a warning."""
    async with start(filled) as journey:
        await go_to_prompt(journey, "red hat, " * 22 + "red, hat")
        assert screen(journey).result.border_subtitle == "~69/75 tokens"
        draft = journey.app.session.draft
        for text, expected in (
            ("red hat, " * 29, "~75 + 12/150 tokens"),
            ("a BREAK red hat", "~1 + 2/150 tokens"),
            ("a BREAK " + "red hat, " * 29, "! 1 warning · ~1 + 75 + 12/225 tokens"),
        ):
            screen(journey).rewrite(text)
            await journey.sees(PromptComposed, times=len(journey.all(PromptComposed)) + 1)
            assert (draft.text, screen(journey).result.border_subtitle) == (text, expected)
        assert "AUTOMATIC1111 cuts it after 75" in told(journey).replace("\n", " ")


async def test_warnings_stand_below_the_prompt(filled: Hubsync, start: Start) -> None:
    """A name nobody knows, families that do not mix, a file that is gone, a LoRA that was removed: each with a sign."""
    put(filled, "newer", family="sdxl")
    filled.library.find("detail").path.unlink()
    async with start(filled, size=(160, 40)) as journey:
        loras = [Wish(name=name) for name in ("newer", "detail", "vanished")]
        await go_to_prompt(journey, "a <lora:rinq:1> <lora:ring:1>", *loras)
        for part in (
            "! the prompt names 'rinq', which is not installed; did you mean ring",
            "! the prompt names 'vanished', which is not installed",
            "! no checkpoint fits all LoRAs of this prompt",
            "! the file of 'detail' is gone",
        ):
            assert part in told(journey)
        assert "! 4 warnings" in str(screen(journey).result.border_subtitle)
        assert "vanished" not in prompt(journey)
        found = {part.name: part for part in screen(journey).listing.rows}
        assert [*found] == ["newer", "detail", "vanished", "rinq", "ring"]
        assert found["vanished"].lora is None
        await journey.press("G", "k", "space", "delete")
        await composes(journey, "a, sks ring <lora:ring:1> <lora:newer:0.7> <lora:detail:0.7>")


async def test_a_group_that_is_gone_is_left_out(filled: Hubsync, start: Start) -> None:
    """A wish for a group that the LoRA has no longer is one for its usual words."""
    async with start(filled) as journey:
        await go_to_prompt(journey, "a", Wish(name="mona", groups=(7,)))
        assert prompt(journey) == "a, mona, day outfit <lora:mona:0.7>"


async def test_the_newest_text_wins(filled: Hubsync, start: Start) -> None:
    """However fast it is typed, the prompt ends with the last letter; others put LoRAs in meanwhile."""
    async with start(filled) as journey:
        await go_to_prompt(journey)
        for length in range(40):
            screen(journey).rewrite("castle " * length)
        await journey.until(lambda: journey.all(PromptComposed)[-1].text == "castle " * 39)
        assert len(journey.all(PromptComposed)) < 40
        await journey.press("2")
        journey.app.post_message(PromptRequested([Wish(name="ring", weight=0.2)]))
        await journey.until(lambda: prompt(journey).endswith("sks ring <lora:ring:0.2>"))


async def test_a_render_gets_the_prompt(filled: Hubsync, start: Start) -> None:
    """r draws the user's texts with all LoRAs that are on, as one; R hands them to the form; tags do for both."""
    ring, detail = Wish(name="ring", groups=(1,)), Wish(name="detail")
    async with start(filled) as journey:
        await go_to_prompt(journey, "a castle", ring, detail, negative="ugly")
        await journey.press("j", "space", "r")
        asked = await journey.sees(RenderRequested)
        assert asked.options
        assert (asked.wishes, asked.options.prompt, asked.options.negative) == ([ring], "a castle", "ugly")
        assert asked.options.together
        screen(journey).rewrite("a <lora:mona:0.3>")
        await journey.press("r")
        asked = await journey.sees(RenderRequested, times=2)
        assert asked.wishes == [ring, Wish(name="mona", weight=0.3)]
        journey.app.session.draft.drop("ring")
        journey.app.session.draft.drop("detail")
        screen(journey).rewrite("a <lora:detail:0.3>")
        await journey.press("R")
        planned = await journey.sees(RenderPlanned)
        assert (planned.wishes, planned.prompt) == ([Wish(name="detail", weight=0.3)], "a <lora:detail:0.3>")
        typed = journey.app.session.test.typed
        assert (typed["negative"], typed["together"]) == (planned.negative, TOGETHER) == ("ugly", TOGETHER)
        assert journey.app.current_mode == "renders"


async def test_a_prompt_is_saved_and_recalled(filled: Hubsync, start: Start) -> None:
    """Its first words are offered; a name that is taken asks twice; recalled, every part is as it was."""
    async with start(filled) as journey:
        await go_to_prompt(journey, "a castle, by the sea, at night", Wish(name="ring", weight=0.4), negative="ugly")
        draft = journey.app.session.draft
        draft.put(Wish(name="mona", words=((1, "mona"),)), on=False)
        await journey.press("ctrl+s")
        await journey.until(lambda: isinstance(journey.app.screen, TextEntry))
        await journey.press("enter")
        assert (await journey.sees(PromptSaved)).name == "a castle, by the sea"
        screen(journey).rewrite("other", negative="")
        draft.drop("ring")
        draft.drop("mona")
        await journey.press("ctrl+s", *"a castle, by the sea", "enter")
        await journey.until(lambda: "enter once more replaces it" in journey.text)
        await journey.press("escape", "ctrl+s", "enter")
        await journey.sees(PromptSaved, times=2)
        with filled.records.database.writing() as database:
            database.execute("DELETE FROM loras WHERE name = 'mona'")
        await journey.press("o")
        await journey.until(lambda: isinstance(journey.app.screen, SavedPrompts))
        await journey.press("slash", *"castle", "enter")
        await composes(journey, "a castle, by the sea, at night, sks ring <lora:ring:0.4>")
        assert (draft.negative, draft.off, draft.wishes[1].words) == ("ugly", {"mona"}, ((1, "mona"),))
        assert screen(journey).text.text == draft.text
        await journey.until(lambda: said(journey) == "No longer installed: mona")


async def test_what_was_being_written_is_there_again(filled: Hubsync, start: Start) -> None:
    """Texts, LoRAs, weights, which are off, kept at once; what is sent from elsewhere joins it; it is no saved one."""
    async with start(filled) as journey:
        await go_to_prompt(journey, "a castle", Wish(name="ring", weight=0.4), negative="ugly")
        await journey.press("space")
        await journey.until(lambda: (kept := filled.triggers.draft()) and kept.off)
        kept = filled.triggers.draft()
        assert kept
        assert (kept.text, kept.negative, kept.wishes) == ("a castle", "ugly", (Wish(name="ring", weight=0.4),))
        screen(journey).rewrite("a castle, at night")
    async with start(filled) as journey:
        await journey.press("escape")
        journey.app.post_message(PromptRequested([Wish(name="detail")]))
        await journey.until(lambda: journey.app.current_mode == "prompt")
        await journey.until(lambda: parts(journey) == [("ring", 0.4, False), ("detail", 0.7, True)])
        assert (screen(journey).text.text, screen(journey).negative.text) == ("a castle, at night", "ugly")
        journey.app.session.draft.drop("ring")
        await journey.press("2")
        await journey.until(lambda: (kept := filled.triggers.draft()) and kept.wishes == (Wish(name="detail"),))
    assert filled.triggers.saved_prompts() == []


async def test_a_new_prompt_is_begun(filled: Hubsync, start: Start) -> None:
    """Once confirmed nothing of the old one is left, for the next run neither; an empty one asks nothing."""
    async with start(filled) as journey:
        await go_to_prompt(journey, "a castle", Wish(name="ring"), negative="ugly")
        await journey.press("N", "escape")
        assert parts(journey) == [("ring", 0.7, True)]
        await journey.press("N", "enter")
        await composes(journey, "")
        assert (screen(journey).text.text, screen(journey).negative.text, parts(journey)) == ("", "", [])
        await journey.press("N")
        assert journey.app.screen is screen(journey)
    kept = filled.triggers.draft()
    assert kept is None or (kept.text, kept.negative, kept.wishes) == ("", "", ())


async def test_saved_prompts_are_removed_after_a_second_key(filled: Hubsync, start: Start) -> None:
    """The first delete asks, another row lets it be; the newest comes first."""
    for name in ("one", "two"):
        filled.triggers.save_prompt(name, f"text of {name}", [Wish(name="ring")])
    async with start(filled) as journey:
        await go_to_prompt(journey)
        await journey.press("o")
        await journey.until(lambda: isinstance(journey.app.screen, SavedPrompts))
        await journey.press("delete")
        assert "delete again removes “one”" in journey.text
        await journey.press("j", "k", "delete")
        assert len(filled.triggers.saved_prompts()) == 2
        await journey.press("delete")
        await journey.sees(PromptsRead, times=2)
        assert [one.name for one in filled.triggers.saved_prompts()] == ["two"]
        await journey.press("enter")
        await journey.until(lambda: screen(journey).text.text == "text of two")


async def test_what_is_pasted_keeps_its_tags(filled: Hubsync, start: Start) -> None:
    """A prompt goes in as it is; an infotext is parted, and its settings are left out with a word on it."""
    async with start(filled) as journey:
        await go_to_prompt(journey)
        await journey.press("slash")
        journey.app.post_message(events.Paste("a (hat:1.2), (sea:1.1), (sky:1.3) <lora:ring:0.5>"))
        await composes(journey, "a (hat:1.2), (sea:1.1), (sky:1.3), sks ring <lora:ring:0.5>")
        screen(journey).rewrite("")
        infotext = (
            "a cat <lora:ring:0.6>\r\nNegative prompt: bad,\r\nworse\r\nSteps: 20, Sampler: Euler a, Seed: 1, Size: 8x8"
        )
        journey.app.post_message(events.Paste(infotext))
        await composes(journey, "a cat, sks ring <lora:ring:0.6>")
        assert (screen(journey).text.text, screen(journey).negative.text) == ("a cat <lora:ring:0.6>", "bad,\nworse")
        assert "Its settings are left out: Steps: 20, Sampler" in said(journey)
        assert [part.name for part in screen(journey).listing.rows] == ["ring"]
