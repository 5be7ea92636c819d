"""What the prompt screen looks like; see `test_snapshots`."""

from __future__ import annotations

from hubsync.services.triggers import Wish
from hubsync.tui.answers import Listed
from hubsync.tui.screens.composing import PromptComposed
from tests.tui.conftest import Journey, OpenHubsync, SameAs, Start, install

LORAS = ("civitai:1001", "civitai:1002", "civitai:1004", "civitai:1005")


async def go_to_prompt(journey: Journey, text: str = "", *wishes: Wish, negative: str = "") -> None:
    """To the third mode, with a draft."""
    draft = journey.app.session.draft
    draft.text, draft.negative = text, negative
    draft.wish(*wishes)
    await journey.press("escape", "3")
    await journey.sees(PromptComposed)
    await journey.rest()


async def test_an_empty_prompt(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24: the first step."""
    async with start(open_library()) as journey:
        await go_to_prompt(journey)
        same_as(journey, "prompt-empty-80x24")


async def test_a_prompt_at_work(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """80x24: two LoRAs, one of them off, one tag in the text; then the picker over it, and the groups of one."""
    hubsync = open_library()
    install(hubsync, *LORAS)
    async with start(hubsync) as journey:
        wishes = (Wish(name="mona_outfits", weight=0.65), Wish(name="add_detail"))
        text = "a castle by the sea, (golden hour:1.2) <lora:sks_frame:0.5>"
        await go_to_prompt(journey, text, *wishes, negative="ugly")
        journey.app.session.draft.put(Wish(name="add_saturation", weight=-1), on=False)
        await journey.press("right")
        await journey.sees(PromptComposed, times=2)
        await journey.rest()
        same_as(journey, "prompt-80x24")
        await journey.press("l", "m")
        await journey.sees(Listed, times=2)
        await journey.press("down", "space")
        await journey.rest()
        same_as(journey, "prompt-picker-80x24")
        await journey.press("escape", "g", "down")
        await journey.rest()
        same_as(journey, "prompt-groups-80x24")


async def test_a_prompt_with_warnings(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """120x40 in light colours, for ComfyUI: names that lead nowhere, a chunk that is too long, three chunks counted."""
    hubsync = open_library(ui__theme="textual-light")
    install(hubsync, *LORAS)
    async with start(hubsync, size=(120, 40)) as journey:
        words = ", ".join(f"lantern number {index}" for index in range(24))
        loras = (Wish(name="mona_outfits", groups=(1, 2)), Wish(name="gone_for_good"))
        await go_to_prompt(journey, f"a harbour at night BREAK {words} <lora:sks_fram:1>", *loras)
        await journey.press("F")
        await journey.sees(PromptComposed, times=2)
        await journey.rest()
        same_as(journey, "prompt-warnings-light-120x40")


async def test_saved_prompts(open_library: OpenHubsync, start: Start, same_as: SameAs) -> None:
    """120x40: the list, and what the highlighted one holds."""
    hubsync = open_library()
    for name, text in (("castle by the sea", "a castle by the sea"), ("夜の港 🌊", "harbour at night, lanterns")):
        hubsync.triggers.save_prompt(name, text, [Wish(name="sks_frame"), Wish(name="mona_outfits")], off={"sks_frame"})
    async with start(hubsync, size=(120, 40)) as journey:
        await go_to_prompt(journey)
        await journey.press("o")
        await journey.rest()
        await journey.press("j")
        await journey.rest()
        same_as(journey, "prompt-saved-120x40")
