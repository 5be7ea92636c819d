"""The form of a test: what it offers, what is wrong with what was typed, and how it starts."""

from __future__ import annotations

import pytest
from textual.widgets import Button, Input, Select, TextArea

from hubsync.render.plan import RenderOptions
from hubsync.services.app import Hubsync
from hubsync.services.triggers import Wish
from hubsync.tui.drafts import Trial
from hubsync.tui.messages import RenderEnded, RenderPlanned, RenderRequested
from hubsync.tui.screens.comparison import ComparisonScreen
from hubsync.tui.screens.renders import HistoryRead
from hubsync.tui.screens.trial import TrialChecked, TrialScreen
from hubsync.tui.typed import TOGETHER, fill, read
from hubsync.tui.widgets.fields import Field
from tests.tui.conftest import Journey, OpenHubsync, Start, install

LORAS = ("civitai:1001", "civitai:1004", "civitai:1005")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for a pause in typing."""
    monkeypatch.setattr("hubsync.tui.screens.trial.PAUSE_SECONDS", 0.001)


@pytest.fixture
def filled(open_library: OpenHubsync) -> Hubsync:
    """A library with three LoRAs."""
    hubsync = open_library()
    install(hubsync, *LORAS)
    return hubsync


async def open_form(journey: Journey) -> TrialScreen:
    """From the search box to the form."""
    await journey.press("escape", "4")
    await journey.sees(HistoryRead)
    await journey.press("n")
    assert isinstance(journey.app.screen, TrialScreen)
    screen = journey.app.screen
    await journey.until(lambda: screen.picker.listing.rows)
    return screen


def field(screen: TrialScreen, name: str) -> Field:
    """A field by name."""
    return screen.query_one(f"#field-{name}", Field)


async def test_a_test_with_the_keyboard_alone(filled: Hubsync, start: Start) -> None:
    """Filter, select, type weights and seeds, start from the last field: the comparison comes up."""
    async with start(filled) as journey:
        screen = await open_form(journey)
        await journey.press("slash", *"sks")
        await journey.until(lambda: [row.name for row in screen.picker.listing.rows] == ["sks_frame"])
        await journey.press("enter", "space", "tab", *"0.5,1", "enter", *"1 2")
        await journey.until(lambda: "Draws 10 pictures on checkpoint (sd1)." in journey.text)
        assert "● sks_frame" in journey.text
        field(screen, "checkpoint").enter()
        await journey.press("enter", "enter")
        asked = await journey.sees(RenderRequested)
        assert asked.options
        assert ([wish.name for wish in asked.wishes], asked.options.weights, asked.options.seeds) == (
            ["sks_frame"],
            (0.5, 1.0),
            (1, 2),
        )
        assert len((await journey.sees(RenderEnded)).outcome.renders) == 10
        await journey.until(lambda: isinstance(journey.app.screen, ComparisonScreen))


async def test_every_field_says_its_default(filled: Hubsync, start: Start) -> None:
    """The family's own as soon as a LoRA tells the family; a filled field keeps what is typed."""
    async with start(filled) as journey:
        screen = await open_form(journey)
        assert field(screen, "steps").query_one(Input).placeholder == "the family's own"
        field(screen, "cfg").value = "5"
        await journey.press("space")
        await journey.until(lambda: field(screen, "steps").query_one(Input).placeholder == "8")
        said = {name: field(screen, name).query_one(Input).placeholder for name in ("weights", "seeds", "checkpoint")}
        assert said == {"weights": "its own: 0.8", "seeds": "1", "checkpoint": "checkpoint"}
        assert field(screen, "prompt").query_one(TextArea).placeholder == "a large blue ring on a yellow background"
        assert field(screen, "sampler").query_one(Select).prompt == "DPM++ 2M"
        assert field(screen, "cfg").value == "5"


async def test_errors_stand_beside_their_fields(filled: Hubsync, start: Start) -> None:
    """Each field tells what it wants before anything starts; the start leads into the first of them."""
    async with start(filled, size=(120, 40)) as journey:
        screen = await open_form(journey)
        await journey.press("space")
        wrong = {
            "weights": "1,x",
            "seeds": "-3",
            "steps": "0",
            "cfg": "much",
            "size": "64x65",
            "checkpoint": "/no/where",
        }
        for name, text in wrong.items():
            field(screen, name).value = text
        await journey.until(
            lambda: journey.all(TrialChecked) and len(journey.all(TrialChecked)[-1].errors) == len(wrong)
        )
        await journey.press("ctrl+r")
        await journey.until(lambda: isinstance(screen.focused, Input) and screen.focused.value == "1,x")
        for said in (
            "weights are numbers",
            "seeds are whole numbers",
            "1 to 500",
            "guidance is",
            "512x768",
            "no such file",
        ):
            assert said in journey.text
        assert journey.all(RenderRequested) == []
        for name in wrong:
            field(screen, name).value = ""
        await journey.until(lambda: "Draws 2 pictures" in journey.text)


async def test_what_does_not_fit_is_told_at_the_loras(open_library: OpenHubsync, start: Start, filled: Hubsync) -> None:
    """A LoRA that went away, and one whose words are asked for by a number it has not; no checkpoint for the family."""
    async with start(filled) as journey:
        screen = await open_form(journey)
        journey.app.session.test.take([Wish(name="gone")])
        screen.fill()
        await journey.until(lambda: "! 'gone' is not installed" in journey.text)
        await journey.press("ctrl+r")
        await journey.until(lambda: screen.focused is screen.picker.listing)
        assert journey.app.screen is screen
    async with start(open_library(checkpoint__sd1="")) as journey:
        await open_form(journey)
        await journey.press("space")
        await journey.until(lambda: "! no sd1 checkpoint is set to render with" in journey.text)
        assert "checkpoint.sd1" in journey.text


async def test_what_was_typed_stays(filled: Hubsync, start: Start) -> None:
    """esc leaves without forgetting; LoRAs sent from elsewhere take the place of the others; ctrl+l begins anew."""
    async with start(filled) as journey:
        screen = await open_form(journey)
        await journey.press("space")
        field(screen, "seeds").value = "7"
        field(screen, "prompt").value = "a cat"
        field(screen, "sampler").value = "Heun"
        await journey.pilot.pause()
        await journey.press("escape", "1")
        assert journey.app.screen is journey.discover
        journey.app.post_message(RenderPlanned([Wish(name="sks_frame", weight=0.4)]))
        await journey.until(lambda: isinstance(journey.app.screen, TrialScreen))
        assert isinstance(journey.app.screen, TrialScreen)
        screen = journey.app.screen
        await journey.until(lambda: "sks_frame 0.4" in journey.text)
        typed = {name: field(screen, name).value for name in ("seeds", "prompt", "sampler")}
        assert typed == {"seeds": "7", "prompt": "a cat", "sampler": "Heun"}
        journey.app.post_message(RenderPlanned([Wish(name="add_detail")], prompt="a dog", negative="fog"))
        await journey.until(lambda: field(screen, "prompt").value == "a dog")
        assert field(screen, "negative").value == "fog"
        assert journey.app.screen is screen
        screen.picker.listing.focus()
        await journey.press("ctrl+l")
        await journey.until(lambda: "no LoRA selected" in journey.text)
        assert [one.value for one in screen.query(Field)] == [""] * 10


async def test_loras_are_tested_together(filled: Hubsync, start: Start) -> None:
    """Space selects and goes on to the next; as one they have two pictures beside the base, however many they are."""
    async with start(filled) as journey:
        screen = await open_form(journey)
        await journey.press("space", "space")
        await journey.until(lambda: "Draws 4 pictures" in journey.text)
        assert [wish.name for wish in journey.app.session.test.wishes] == ["add_detail", "mona_outfits"]
        field(screen, "together").value = TOGETHER
        await journey.until(lambda: "Draws 3 pictures" in journey.text)
        screen.picker.listing.focus()
        await journey.press("ctrl+r")
        asked = await journey.sees(RenderRequested)
        assert asked.options
        assert asked.options.together
        outcome = (await journey.sees(RenderEnded)).outcome
        assert [verdict.lora for verdict in outcome.verdicts] == ["add_detail 0.8 + mona_outfits 0.9"]
        await journey.until(lambda: isinstance(journey.app.screen, ComparisonScreen))
        assert "add_detail 0.8 + mona_outfits 0.9  seed 1" in journey.text
        assert not journey.app.screen.check_action("preview", ())
        assert [wish.weight for wish in filled.render.again(outcome.renders[-1])[0]] == [0.8, 0.9]


async def test_a_schedule_type_stays(filled: Hubsync, start: Start) -> None:
    """A sampler with one joins the list, which has none, stands in the field, and is asked for."""
    async with start(filled) as journey:
        fill(journey.app.session.test, [Wish(name="sks_frame")], RenderOptions(sampler="DPM++ 2M SGM Uniform"))
        screen = await open_form(journey)
        assert field(screen, "sampler").query_one(Select).value == "DPM++ 2M SGM Uniform"
        await journey.press("ctrl+r")
        asked = await journey.sees(RenderRequested)
        assert asked.options
        assert asked.options.sampler == "DPM++ 2M SGM Uniform"


async def test_the_button_asks_for_a_lora(filled: Hubsync, start: Start) -> None:
    """With nothing selected the start leads to the list."""
    async with start(filled) as journey:
        screen = await open_form(journey)
        screen.query_one("#start", Button).focus()
        await journey.press("enter")
        await journey.until(lambda: screen.focused is screen.picker.listing)
        assert "Select what is to be tested." in journey.text
        assert journey.all(RenderRequested) == []


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("weights", "-1, -.5 0,1", (-1.0, -0.5, 0.0, 1.0)),
        ("seeds", "3,1", (3, 1)),
        ("steps", "25", 25),
        ("cfg", "4.5", 4.5),
        ("size", "512 × 768", (512, 768)),  # noqa: RUF001  (the sign for sizes)
        ("sampler", "euler karras", "euler karras"),
        ("checkpoint", "owner/name", "owner/name"),
        ("weights", "nan", None),
        ("seeds", "1.5", None),
        ("seeds", str(1 << 63), None),
        ("steps", "501", None),
        ("cfg", "inf", None),
        ("size", "0x64", None),
        ("size", "512", None),
        ("sampler", "Restart", None),
        ("checkpoint", "gone.safetensors", None),
    ],
)
def test_texts_are_read_or_refused(name: str, text: str, value: object) -> None:
    """What a field takes becomes an option; what it does not take is told, and the default stands."""
    _, options, errors = read(Trial(typed={name: text}))
    assert (name in errors) == (value is None)
    assert getattr(options, name) == (getattr(RenderOptions(), name) if value is None else value)


def test_weights_in_the_form_are_those_of_all_loras() -> None:
    """Weights that came with LoRAs give way to typed ones, and nothing is tested twice."""
    test = Trial(wishes=[Wish(name="a", weight=0.3), Wish(name="a", weight=0.6), Wish(name="b", groups=(2,))])
    assert read(test)[0] == test.wishes
    test.typed["weights"] = "1"
    assert read(test)[0] == [Wish(name="a"), Wish(name="b", groups=(2,))]


def test_an_earlier_test_fills_the_form_and_is_read_back() -> None:
    """Nothing is lost on the way."""
    options = RenderOptions(
        prompt="a cat",
        negative="fog",
        weights=(-0.5, 1.0),
        seeds=(1, 2),
        steps=9,
        cfg=3.5,
        size=(64, 128),
        sampler="Euler Karras",
    )
    test = Trial()
    fill(test, [Wish(name="a")], options)
    assert read(test) == ([Wish(name="a")], options, {})
