"""Tests drawn earlier: pages of them, what they say, how they are drawn again. The renderer is a script that paints."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from hubsync.domain import LoraUse, Render, RenderKind
from hubsync.domain.renders import Finding
from hubsync.errors import NotFound, UsageError
from hubsync.render.plan import RenderOptions
from hubsync.services.app import Hubsync
from hubsync.services.triggers import Wish
from tests.unit.render_bench import Bench, write_lora

OPTIONS = RenderOptions(prompt="a cat", weights=(0.5, 1.0), seeds=(1, 2))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Three LoRAs, one with two groups of words, and a checkpoint."""
    bench = Bench(tmp_path)
    for name in ("outfits", "plain", "other_100%"):
        write_lora(bench.loras / f"{name}.safetensors")
    told = {"id": 11, "modelId": 10, "trainedWords": ["ohwx, day", "ohwx, night"]}
    (bench.loras / "outfits.civitai.info").write_text(json.dumps(told))
    return bench


def draw(hubsync: Hubsync, *wishes: str, options: RenderOptions = OPTIONS) -> tuple[Render, ...]:
    """Run a test."""
    plan = hubsync.render.plan([Wish.parse(wish) for wish in wishes], options)
    return hubsync.render.run(plan, sink=id, cancel=threading.Event()).renders


def test_a_page_is_judged_by_whole_tests(bench: Bench) -> None:
    """A page that ends within a test says the same of its pictures as one that holds all of it; pages add up."""
    with bench.open() as hubsync:
        renders = draw(hubsync, "outfits", "plain")
        draw(hubsync, "plain")
        whole = hubsync.render.page(limit=100)
        assert whole.total == len(whole.pictures) == len(renders) + 6
        pages = [hubsync.render.page(limit=4, offset=offset) for offset in range(0, whole.total, 4)]
        assert [one for page in pages for one in page.pictures] == list(whole.pictures)
        said = {one.verdict.finding for one in whole.pictures if one.verdict and one.verdict.lora == "outfits"}
        assert said == {Finding.NEEDS_WORDS}
        assert [one.subject for one in whole.pictures if one.render.kind is RenderKind.BASE] == [None] * 4


def test_a_filter_takes_signs_for_themselves(bench: Bench) -> None:
    """Part of a name or a prompt, in any case; `_` and `%` are no wildcards."""
    with bench.open() as hubsync:
        draw(hubsync, "other_100%", options=RenderOptions(prompt="a dog"))
        draw(hubsync, "plain", options=RenderOptions(prompt="a cat"))
        counts = {
            text: hubsync.render.page(text, limit=9).total for text in ("0%", "r_1", "PLAIN", "a dog", "a%d", "_")
        }
        assert counts == {"0%": 1, "r_1": 1, "PLAIN": 1, "a dog": 2, "a%d": 0, "_": 1}


def test_what_was_drawn_with_the_user_s_own_lora_is_about_the_other(bench: Bench) -> None:
    """A tag of the prompt is in every picture, base included, and is not what the test is about."""
    with bench.open() as hubsync:
        base, *_ = draw(hubsync, "plain", options=RenderOptions(prompt="a cat <lora:outfits:0.3>"))
        assert base.loras == (LoraUse(name="outfits", weight=0.3),)
        subjects = [one.subject.name if one.subject else None for one in hubsync.render.test(base)]
        assert subjects == [None, "plain"]
        wishes, options = hubsync.render.again(base)
        assert ([wish.name for wish in wishes], options.prompt) == (["plain"], "a cat <lora:outfits:0.3>")


def test_a_test_is_drawn_again_as_it_was(bench: Bench) -> None:
    """LoRAs, their groups of words, weights, seeds, prompt and numbers: the plan has the same pictures."""
    with bench.open() as hubsync:
        for wishes, options in (
            (("outfits::2", "plain"), OPTIONS),
            (("outfits::all",), OPTIONS),
            (("outfits:0.5", "plain:0.25"), RenderOptions(prompt="a cat", negative="fog", steps=3, cfg=2.0)),
        ):
            first = draw(hubsync, *wishes, options=options)
            plan = hubsync.render.plan(*hubsync.render.again(first[-1]))
            assert [row.prompt for row in plan.rows] == [render.prompt for render in first]
            assert [row.drawn.seed for row in plan.rows] == [render.seed for render in first]
            assert (plan.steps, plan.cfg, plan.size) == (first[0].steps, first[0].cfg, first[0].size)
            assert plan.rows[0].drawn.negative == options.negative


def test_loras_tested_together_are_one_subject(bench: Bench) -> None:
    """Their pictures say so themselves: judged as one, drawn again as one, and the preview of neither."""
    with bench.open() as hubsync:
        for wishes, weights in (
            (("outfits:0.5", "plain:0.25"), ()),
            (("outfits:0.5", "plain"), (0.25, 0.5)),
            (("outfits", "plain"), (0.5, 1.0)),
        ):
            options = RenderOptions(prompt="a cat", weights=weights, seeds=(1, 2), together=True)
            first = draw(hubsync, *wishes, options=options)
            plan = hubsync.render.plan(*hubsync.render.again(first[-1]))
            assert [row.prompt for row in plan.rows] == [render.prompt for render in first]
            pictures = hubsync.render.test(first[0])
            assert [one.subject and one.subject.name for one in pictures] == [row.lora for row in plan.rows]
            assert [one.weight for one in pictures[1:3]] == [0.5 if weights[1:] == (1.0,) else None] * 2
            assert {len(one.tested) for one in pictures} == {0, 2}
            assert {one.verdict.lora for one in pictures if one.verdict} == set(plan.subjects)
            assert not any(one.verdict and "probe" in one.verdict.sentence for one in pictures)
            with pytest.raises(UsageError, match="with several LoRAs"):
                hubsync.render.set_preview(first[-1])
        assert hubsync.library.find("plain").preview is None
        first = draw(hubsync, "outfits::all", options=RenderOptions(prompt="a cat", together=True))
        plan = hubsync.render.plan(*hubsync.render.again(first[-1]))
        assert [row.prompt for row in plan.rows] == [render.prompt for render in first]
        assert first[-1].trigger_words == ("ohwx", "day", "ohwx", "night")


def test_a_schedule_type_is_asked_for_again(bench: Bench) -> None:
    """It is part of the sampler's name; a checkpoint's own sampler that has no name is left to the checkpoint."""
    with bench.open() as hubsync:
        renders = draw(hubsync, "plain")
        for sampler, asked in (("Euler Karras", "Euler Karras"), ("FancyScheduler", None)):
            hubsync.render.renders.save(replace(one, sampler=sampler) for one in renders)
            _, options = hubsync.render.again(renders[0])
            assert options.sampler == asked


def test_a_picture_becomes_the_preview(bench: Bench) -> None:
    """Of the LoRA it shows, even where that has one; a base is nobody's."""
    with bench.open() as hubsync:
        base, lora, *_ = draw(hubsync, "plain")
        preview = hubsync.library.find("plain").preview
        assert preview is not None
        assert hubsync.render.set_preview(lora) == "plain"
        with Image.open(preview) as shown, Image.open(lora.path) as drawn:
            assert shown.getpixel((0, 0)) == drawn.getpixel((0, 0))
        with pytest.raises(UsageError, match="without a LoRA"):
            hubsync.render.set_preview(base)
        lora.path.unlink()
        with pytest.raises(NotFound, match="the picture is gone"):
            hubsync.render.set_preview(lora)


def test_sheet_and_infotext_are_found_while_they_are_there(bench: Bench) -> None:
    """Both lie beside the picture; files that are gone are ordinary errors."""
    with bench.open() as hubsync:
        _, lora, *_ = draw(hubsync, "plain")
        sheet = hubsync.render.sheet(lora)
        assert sheet == lora.path.parent / "sheet.png"
        assert "Seed: 1" in hubsync.render.infotext(lora)
        sheet.unlink()
        lora.path.unlink()
        with pytest.raises(NotFound, match="contact sheet"):
            hubsync.render.sheet(lora)
        with pytest.raises(NotFound, match="cannot be read"):
            hubsync.render.infotext(lora)


def test_a_picture_nobody_recorded_is_not_found(bench: Bench) -> None:
    """Its row is gone: an ordinary error."""
    with bench.open() as hubsync:
        render, *_ = draw(hubsync, "plain")
        with hubsync.records.database.writing() as database:
            database.execute("DELETE FROM renders")
        with pytest.raises(NotFound, match="nothing is known"):
            hubsync.render.test(render)
        assert hubsync.render.page(limit=9).pictures == ()
