"""The parts of a search: questions, albums, and turns."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from textual.app import App, ComposeResult
from textual.content import Content

from hubsync.domain import LORA_TYPES, Lora, LoraType, Nsfw, Page, Period, Preview, Query, Sort, Version
from hubsync.errors import Cancelled, RateLimited, Unreachable
from hubsync.families import load_families
from hubsync.refs import CivitaiRef, Source, parse_ref
from hubsync.tui.album import Album
from hubsync.tui.describe import base_name
from hubsync.tui.findings import NO_KEY, down
from hubsync.tui.paging import Paging, Turns
from hubsync.tui.questions import base_choices, chips, fitting, question, reference
from hubsync.tui.widgets.chips import Chips

REF = CivitaiRef(model=1, version=2)
DEFAULTS = {chip.key: chip.default for chip in chips(Nsfw.SOFT)}


def test_the_chips_as_they_are_ask_what_search_asks() -> None:
    """Without a text the most downloaded; with one the hubs' own order; else the contract's defaults."""
    assert question("", DEFAULTS, limit=20) == Query(sort=Sort.DOWNLOADS)
    assert question("a", DEFAULTS, limit=20) == Query(text="a")


def test_every_chip_is_a_field_of_the_question() -> None:
    """Each value goes where the command line's option of that name goes."""
    values = {"source": "hf", "type": "DoRA", "base": "sdxl, ,Pony", "sort": "newest", "period": "week", "nsfw": "all"}
    assert question("", values, limit=5) == Query(
        sources=(Source.HUGGINGFACE,),
        types=(LoraType.DORA,),
        base_models=("sdxl", "Pony"),
        sort=Sort.NEWEST,
        period=Period.WEEK,
        nsfw=Nsfw.X,
        limit=5,
    )
    assert question("", DEFAULTS, limit=5).types == LORA_TYPES


def test_values_go_round() -> None:
    """One step before the first is the last; a value of one's own steps to the chip's first ones."""
    _, _, base, _, period, nsfw = chips(Nsfw.MATURE)
    assert (period.step("all", -1), period.step("day", 1)) == ("day", "all")
    assert base.step("Quasar 2", 1) == "sd1"
    assert nsfw.default == "R"


def test_base_models_are_found_by_name_and_family() -> None:
    """What a name begins like comes first; a text that is no name can be taken as typed."""
    choices = base_choices(load_families())
    values = [choice.value for choice in choices]
    assert values[:2] == ["any", "sd1"]
    assert len(values) == len({value.casefold() for value in values})
    assert [choice.value for choice in fitting(choices, "pony")][:3] == ["Pony", "Pony V7", "sdxl"]
    assert [(choice.value, choice.note) for choice in fitting(choices, "mine")] == [("mine", "as you typed it")]
    assert fitting(choices, "") == list(choices)


@pytest.mark.parametrize("text", ["owner/name", "123", "a dog: oil paint", "12:30"])
def test_words_are_no_reference(text: str) -> None:
    """Only what nobody means as words is looked up."""
    assert reference(text) is None


def test_an_address_is_a_reference() -> None:
    """A page's address, and the short form."""
    assert reference("civitai:1@2") == REF
    assert reference("https://civitai.com/models/1?modelVersionId=2") == parse_ref("civitai:1@2")


def test_an_album_keeps_to_the_ceiling_and_the_open_picture() -> None:
    """Stills first; what is rated higher is not in it; more pictures of the same LoRA leave the same one open."""
    video, still, adult = (
        Preview(url="a.mp4", kind="video", nsfw_level=1),
        Preview(url="b.png"),
        Preview(url="c.png", nsfw_level=8),
    )
    lora = of(video, still, adult)
    album = Album().of(lora, Nsfw.SOFT)
    assert album.caption == "picture 2 of 2"
    assert album.turned(1).caption == "video 1 of 2"
    assert Album().of(lora, Nsfw.X).turned(-1).turned(2).preview == adult
    more = of(Preview(url="new.png"), video, still)
    assert album.of(more, Nsfw.SOFT).caption == "picture 3 of 3"
    assert (Album().turned(1).caption, Album().preview) == ("", None)


def of(*previews: Preview, model: int = 1, downloads: int = 0) -> Lora:
    """A LoRA with those previews."""
    ref = CivitaiRef(model=model, version=2)
    version = Version(ref=ref, name="1", previews=previews)
    return Lora(ref=ref, source=Source.CIVITAI, name="a", versions=(version,), downloads=downloads)


def test_one_answer_for_one_question() -> None:
    """A page that was taken does not answer again, and the next page is asked for once."""
    paging = Paging(Query(), [Source.CIVITAI])
    page = Page(items=(of(),), next="2")
    assert paging.answers(Query(), Source.CIVITAI)
    assert paging.next() is None
    assert len(paging.take(Source.CIVITAI, page)) == 1
    assert not paging.answers(Query(), Source.CIVITAI)
    following = paging.next()
    assert following
    assert paging.answers(following, Source.CIVITAI)
    assert (paging.next(), paging.take(Source.CIVITAI, page)) == (None, [])


def test_each_hub_answers_by_itself() -> None:
    """The first one's rows stand at once, the second's between them; one that failed is said and asked no more."""
    paging = Paging(Query(sort=Sort.DOWNLOADS), Source)
    paging.take(Source.HUGGINGFACE, Page(items=(of(model=2, downloads=5),), next="b"))
    assert ([row.downloads for row in paging.rows], paging.over) == ([5], False)
    paging.take(Source.CIVITAI, Page(items=(of(model=1, downloads=9), of(model=3, downloads=1)), next="a"))
    assert ([row.downloads for row in paging.rows], paging.over) == ([9, 5, 1], True)
    following = paging.next()
    assert following
    assert following.cursors == {Source.HUGGINGFACE: "b", Source.CIVITAI: "a"}
    paging.take(Source.CIVITAI, Unreachable("gone"))
    paging.take(Source.HUGGINGFACE, Page(items=(of(model=4, downloads=99),), next="c"))
    assert [row.downloads for row in paging.rows] == [9, 5, 1, 99]
    assert (following := paging.next())
    assert following.cursors == {Source.HUGGINGFACE: "c"}


def test_rows_stand_in_the_same_order_whoever_answers_first() -> None:
    """Where hubs rank by themselves, their rows take turns, Civitai's first."""
    pages = {
        Source.CIVITAI: Page(items=(of(model=1), of(model=3))),
        Source.HUGGINGFACE: Page(items=(of(model=2), of(model=4))),
    }
    for order in (tuple(pages), tuple(reversed(pages))):
        paging = Paging(Query(sort=Sort.RELEVANCE), Source)
        for source in order:
            paging.take(source, pages[source])
        assert [row.ref for row in paging.rows] == [of(model=number).ref for number in (1, 2, 3, 4)]


def test_hubs_that_are_down_are_said_in_four_lines() -> None:
    """What to do stands there once where it is the same, beside each hub where it is not; F5 only where it helps."""
    gone = Unreachable("hub.example:443 cannot be reached (Temporary failure)", hint="check the network")
    both = down(dict.fromkeys(Source, gone))
    assert len(both.wrap(76)) <= 4
    assert both.plain.count("check the network (F5 asks again)") == 1
    busy = RateLimited("hub.example asks for fewer requests: it is asked again in 30 s", retry_after=30)
    said = down({Source.CIVITAI: gone, Source.HUGGINGFACE: busy}).plain.splitlines()
    assert [line.endswith("(F5 asks again)") for line in said] == [True, False]
    assert "F5 asks now" in down({Source.CIVITAI: Unreachable("a did not answer", retry_after=3)}).plain


@pytest.mark.parametrize(
    ("name", "family", "shown"),
    [
        ("SD 1.5", "sd1", "SD 1.5"),
        ("stable-diffusion-v1-5/stable-diffusion-v1-5", "sd1", "sd1"),
        ("owner/quasar-2", None, "quasar-2"),
        (None, "sdxl", "sdxl"),
        (None, None, ""),
    ],
)
def test_a_base_model_in_a_few_letters(name: str | None, family: str | None, shown: str) -> None:
    """A repository's path says no more than its family, and takes a line."""
    assert base_name(name, family) == shown


def test_the_advice_to_get_a_key_is_short() -> None:
    """A list of 24 lines has no more than two to spare for it."""
    assert len(Content(NO_KEY).wrap(76)) <= 2


def test_only_the_newest_gets_its_turn() -> None:
    """With one turn taken by a hub that hangs, of all that wait only the last question is asked."""
    turns, hangs, begun = Turns(1), threading.Event(), threading.Event()
    asked: list[int] = []

    def slow() -> None:
        begun.set()
        hangs.wait(30)

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(turns.take, turns.ticket(), slow)
        begun.wait(30)
        later = [
            pool.submit(turns.take, turns.ticket(), lambda number=number: asked.append(number)) for number in range(5)
        ]
        for future in later[:-1]:
            with pytest.raises(Cancelled):
                future.result(30)
        assert asked == []
        hangs.set()
        first.result(30)
        later[-1].result(30)
    assert asked == [4]


def test_a_question_that_fails_gives_its_turn_back() -> None:
    """An error is the asker's, not the next one's."""
    turns = Turns(1)

    def fails() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        turns.take(turns.ticket(), fails)
    assert turns.take(turns.ticket(), lambda: 7) == 7


class Line(App[None]):
    """The chips alone."""

    def compose(self) -> ComposeResult:
        """One line of them."""
        yield Chips(chips(Nsfw.SOFT))


@pytest.mark.parametrize("width", [24, 50, 78, 110])
async def test_chips_always_fit_their_line(width: int) -> None:
    """At their longest values the keys go first, and no value is lost in 78 cells; below the line is cut."""
    longest = {
        "source": "civitai",
        "type": "embedding",
        "base": "Illustrious",
        "sort": "downloads",
        "period": "month",
        "nsfw": "PG",
    }
    async with Line().run_test(size=(width, 2)) as pilot:
        line = pilot.app.query_one(Chips)
        for key, value in longest.items():
            line.set(key, value)
        shown = line.render()
        assert (shown.cell_length <= width, line.changed) == (True, len(longest))
        assert ([value for value in longest.values() if value not in shown.plain] == []) == (width >= 78)
        assert ("•nsfw PG" in shown.plain) == (width >= 78)
        assert ("•source civitai" in shown.plain) == (width >= 110)
        line.set("base", "名前" * 20)
        assert line.render().cell_length <= width
        line.reset()
        assert (line.changed, line.values) == (0, DEFAULTS)
