"""Which pictures a render draws, on which checkpoint, with which prompts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hubsync.config import Settings
from hubsync.domain import LoraType, LoraUse, RenderKind
from hubsync.errors import HubsyncError, NotFound, UnknownLora, UnsafeFile, UnsafeName, UsageError, WrongFamily
from hubsync.families import load_families
from hubsync.render import wire
from hubsync.render.fitting import refusal
from hubsync.render.plan import RenderOptions, make_plan
from hubsync.render.rows import PlannedRow
from tests.unit.render.conftest import Plan, installed

BASE, LORA, TRIGGERED = RenderKind


def shown(row: PlannedRow) -> tuple[RenderKind, str, int]:
    """What identifies a row to its reader."""
    return row.kind, row.prompt, row.drawn.seed


def test_a_lora_with_words_gives_three_rows(plan: Plan) -> None:
    """Base, with the LoRA at its suggested weight, and with its words too."""
    made = plan("mona")
    assert [shown(row) for row in made.rows] == [
        (BASE, "a red circle", 1),
        (LORA, "a red circle <lora:mona:0.6>", 1),
        (TRIGGERED, "a red circle, mona, day outfit <lora:mona:0.6>", 1),
    ]
    assert made.rows[2].trigger_words == ("mona", "day outfit")
    assert made.rows[2].uses == (LoraUse(name="mona", weight=0.6),)
    applied = (wire.Applied(lora="mona", te=0.6, unet=0.6),)
    assert [(row.drawn.prompt, row.drawn.loras) for row in made.rows] == [
        ("a red circle", ()),
        ("a red circle", applied),
        ("a red circle, mona, day outfit", applied),
    ]


def test_a_lora_without_words_gives_two_rows(plan: Plan) -> None:
    """At the default weight where nobody suggested one."""
    made = plan("add_detail")
    assert [row.kind for row in made.rows] == [BASE, LORA]
    assert made.rows[1].weight == 0.8


@pytest.mark.parametrize(
    ("wish", "options", "weights"),
    [
        ("mona", {}, [0.6]),
        (("mona", 0.3), {}, [0.3]),
        ("mona", {"weights": (-1.0, 0.5)}, [-1.0, 0.5]),
        (("mona", 0.3), {"weights": (-1.0, 0.5)}, [0.3]),
        ("mona", {"prompt": "a cat <lora:mona:0.2>"}, [0.2]),
    ],
)
def test_weights_in_the_order_of_who_said_them(plan: Plan, wish: Any, options: Any, weights: list[float]) -> None:
    """For this LoRA, in the prompt's own tag, for all, suggested."""
    assert [row.weight for row in plan(wish, **options).rows if row.kind is LORA] == weights


def test_base_rows_are_shared(plan: Plan) -> None:
    """One for each seed, whatever number of LoRAs and weights is measured against it."""
    made = plan("mona", "add_detail", weights=(0.5, 1.0), seeds=(7, 8, 7))
    assert [row.drawn.seed for row in made.rows if row.kind is BASE] == [7, 8]
    assert len(made.rows) == 2 * (1 + 2 * 2 + 2 * 1)
    assert made.subjects == ("mona", "add_detail")


def test_weight_zero_is_the_base_picture_itself(plan: Plan) -> None:
    """Nothing is drawn twice, so it is equal bit for bit."""
    made = plan("add_detail", weights=(-1.0, 0.0, 1.0))
    zero = next(row for row in made.rows if row.weight == 0)
    assert zero.drawn == made.rows[0].drawn
    assert (len(made.rows), len(made.drawn)) == (4, 3)


def test_words_the_user_typed_leave_no_row_without_them(plan: Plan) -> None:
    """The picture with the LoRA is the one with its words; a second would be the same."""
    made = plan("sks_frame", prompt="sks, a red circle")
    assert [shown(row) for row in made.rows] == [
        (BASE, "sks, a red circle", 1),
        (TRIGGERED, "sks, a red circle <lora:sks_frame:1>", 1),
    ]


def test_tags_of_the_prompt_belong_to_every_picture(plan: Plan) -> None:
    """Except those of the LoRAs under test, which the base lacks; two weights of a tag reach the renderer."""
    made = plan("mona", prompt="a cat <lora:ADD_detail:0.5:0.25> <lora:mona:0.2> <hypernet:x:1>")
    detail = wire.Applied(lora="add_detail", te=0.5, unet=0.25)
    assert [row.drawn.loras for row in made.rows] == [
        (detail,),
        (detail, wire.Applied(lora="mona", te=0.2, unet=0.2)),
        (detail, wire.Applied(lora="mona", te=0.2, unet=0.2)),
    ]
    assert {row.drawn.prompt for row in made.rows[:2]} == {"a cat"}
    assert set(made.loras) == {"mona", "add_detail"}
    assert made.rows[0].uses == (LoraUse(name="add_detail", weight=0.25),)


def test_an_embedding_is_drawn_with_its_name(plan: Plan) -> None:
    """Without its name it would be the base; a weight other than 1 goes into brackets."""
    made = plan("blue_ring", ("blue_ring", 0.7))
    assert [shown(row) for row in made.rows] == [
        (BASE, "a red circle", 1),
        (TRIGGERED, "a red circle, blue_ring", 1),
        (TRIGGERED, "a red circle, (blue_ring:0.7)", 1),
    ]
    assert made.rows[2].uses == (LoraUse(name="blue_ring", weight=0.7),)
    assert set(made.embeddings) == {"blue_ring"}


def test_embeddings_a_prompt_calls_are_sent_along(plan: Plan) -> None:
    """By their name in either prompt, in any case; others stay where they are."""
    assert set(plan("add_detail", negative="Blue_Ring").embeddings) == {"blue_ring"}
    assert plan("add_detail").embeddings == {}


def test_loras_are_tested_together_as_one(plan: Plan) -> None:
    """The prompt without any of them, with all their tags, and with all their words; weights that differ are a name."""
    made = plan("sks_frame", ("mona", 0.3), together=True, prompt="a cat, sks <lora:mona:te=0.5:unet=0.3> on blue")
    assert [shown(row) for row in made.rows] == [
        (BASE, "a cat, sks  on blue", 1),
        (LORA, "a cat, sks <lora:mona:te=0.5:unet=0.3> on blue <lora:sks_frame:1>", 1),
        (TRIGGERED, "a cat, sks <lora:mona:te=0.5:unet=0.3> on blue, mona, day outfit <lora:sks_frame:1>", 1),
    ]
    assert made.rows[0].drawn.loras == ()
    assert (made.rows[2].lora, made.rows[2].weight) == ("mona 0.3 + sks_frame 1", 1)
    assert made.rows[2].trigger_words == ("sks", "mona", "day outfit")
    assert made.subjects == ("mona 0.3 + sks_frame 1",)


def test_together_is_swept_by_those_without_a_weight_of_their_own(plan: Plan) -> None:
    """Equal weights are the weight of the whole; groups that are alternatives alone are all in the one picture."""
    swept = plan("mona", "outfits", together=True, weights=(0.5, 1.0))
    assert [(row.lora, row.weight) for row in swept.rows if row.kind is TRIGGERED] == [
        ("mona + outfits", 0.5),
        ("mona + outfits", 1.0),
    ]
    assert swept.rows[2].trigger_words == ("mona", "day outfit", "lily", "day", "lily", "night")
    alone = plan("outfits", together=True)
    assert [row.trigger_words for row in alone.rows if row.kind is TRIGGERED] == [("lily", "day", "lily", "night")]
    fixed = plan(("mona", 0.2), "outfits", together=True, weights=(0.5, 1.0))
    assert fixed.subjects == ("mona 0.2 + outfits 0.5", "mona 0.2 + outfits 1")


def test_an_embedding_is_called_in_every_picture_of_a_whole(plan: Plan) -> None:
    """Its name is what a tag is to others, so it is there without the words too; alone it is called once."""
    made = plan("mona", ("blue_ring", 0.7), together=True)
    assert [shown(row) for row in made.rows] == [
        (BASE, "a red circle", 1),
        (LORA, "a red circle, (blue_ring:0.7) <lora:mona:0.6>", 1),
        (TRIGGERED, "a red circle, mona, day outfit, (blue_ring:0.7) <lora:mona:0.6>", 1),
    ]
    assert {row.lora for row in made.rows[1:]} == {"blue_ring 0.7 + mona 0.6"}
    assert [row.kind for row in plan("blue_ring", "blue_ring", together=True).rows] == [BASE, TRIGGERED]


def test_negative_words_are_in_every_picture_of_a_whole(plan: Plan) -> None:
    """So the base differs in nothing but the LoRAs; a test of each by itself keeps the user's own."""
    made = plan("grim", "mona", together=True, negative="blurry")
    assert {row.drawn.negative for row in made.rows} == {"blurry, sunny"}
    assert {row.drawn.negative for row in plan("grim", "mona", negative="blurry").rows} == {"blurry"}


def test_comments_are_not_drawn(plan: Plan) -> None:
    """As in AUTOMATIC1111, in both prompts."""
    row = plan("add_detail", prompt="a cat # <lora:gone:1>\non blue", negative="bad #very").rows[0]
    assert (row.drawn.prompt, row.drawn.negative) == ("a cat \non blue", "bad \n")


def test_defaults_come_from_the_family(plan: Plan) -> None:
    """Prompt, steps, guidance and sampler; the size is the checkpoint's own."""
    made = plan("add_detail", prompt=None)
    assert made.rows[0].prompt == "a portrait, soft light"
    assert (made.steps, made.cfg, made.sampler, made.size) == (20, 7.0, "DPM++ 2M", None)
    assert (made.family, made.pipeline) == ("sd1", "StableDiffusionPipeline")
    chosen = plan("add_detail", steps=4, cfg=1.0, sampler="", size=(64, 128), batch=False, device="cpu")
    asked = chosen.request(Path("/tmp/x"))
    assert (asked.steps, asked.cfg, asked.sampler, asked.size) == (4, 1.0, "", (64, 128))
    assert (asked.batch, asked.device, asked.loras) == (1, "cpu", {"add_detail": "/library/add_detail.safetensors"})


def test_another_family_than_the_checkpoints_is_refused(plan: Plan, tmp_path: Path) -> None:
    """Both are named, and so is the setting that helps."""
    with pytest.raises(WrongFamily, match=r"flat: made for sdxl, but the checkpoint .*sd1 is sd1") as caught:
        plan("flat", checkpoint=str(tmp_path / "sd1"))
    assert caught.value.hint == "hubsync config set checkpoint.sdxl PATH, or use --checkpoint"
    with pytest.raises(WrongFamily, match="'mona' is sd1, 'flat' is sdxl"):
        plan("mona", "flat")


def test_an_unknown_family_takes_the_checkpoints(plan: Plan) -> None:
    """The count of matched modules decides later whether it fits."""
    assert plan("unknown").family == "sd1"


def test_a_checkpoint_is_needed_and_must_be_one_hubsync_draws_with(plan: Plan) -> None:
    """No checkpoint for the family, and a family without a pipeline."""
    with pytest.raises(HubsyncError, match="no sdxl checkpoint is set"):
        plan("flat")
    with pytest.raises(HubsyncError, match="other checkpoints cannot be rendered yet"):
        plan("unknown", settings=Settings(checkpoint={"other": "/models/other.safetensors"}))


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"size": (100, 64)}, "--size must be multiples of 8"),
        ({"size": (64, 0)}, "--size"),
        ({"steps": 0}, "--steps"),
        ({"weights": (float("nan"),)}, "weights"),
        ({"cfg": float("inf")}, "--cfg"),
        ({"seeds": (-1,)}, "seeds"),
        ({"sampler": "DPM++ 2N"}, "no sampler 'DPM\\+\\+ 2N'"),
        ({"prompt": "a cat <lora:mona:high>"}, "tag of 'mona'"),
    ],
)
def test_what_cannot_be_drawn_is_wrong_use(plan: Plan, options: dict[str, Any], complaint: str) -> None:
    """Said before anything is loaded."""
    with pytest.raises(UsageError, match=complaint):
        plan("add_detail", **options)


def test_a_tag_of_a_lora_that_is_not_there_is_an_error(plan: Plan) -> None:
    """The library's own, by name."""
    with pytest.raises(UnknownLora, match="'gone' is not installed"):
        plan("mona", prompt="a cat <lora:gone:1>")


@pytest.mark.parametrize("network", ["dora", "loha", "lokr", "glora", "ia3", "full", "oft", "boft", None])
def test_every_network_is_drawn(network: str | None) -> None:
    """What adapts a model can be applied to it; a header that tells no network is the renderer's to judge."""
    assert refusal(installed("x", network=network)) is None


@pytest.mark.parametrize(
    ("fields", "kind", "complaint"),
    [
        ({"missing": True}, NotFound, "'x' cannot be rendered: its file is gone"),
        ({"path": Path("/library/x.pt")}, UnsafeFile, "x.pt is not a safetensors file"),
        ({"type": LoraType.CHECKPOINT}, HubsyncError, "it is a checkpoint"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_loading(
    fields: dict[str, Any], kind: type[HubsyncError], complaint: str
) -> None:
    """By name, as far as the library knows."""
    error = refusal(replace(installed("x"), **fields))
    assert type(error) is kind
    assert complaint in error.message


def test_each_group_has_a_row(plan: Plan) -> None:
    """Groups are alternatives, measured against the one picture without words; files are told apart by number."""
    made = plan("outfits", seeds=(1, 2))
    assert [shown(row) for row in made.rows[:4]] == [
        (BASE, "a red circle", 1),
        (LORA, "a red circle <lora:outfits:0.8>", 1),
        (TRIGGERED, "a red circle, lily, day <lora:outfits:0.8>", 1),
        (TRIGGERED, "a red circle, lily, night <lora:outfits:0.8>", 1),
    ]
    assert [(row.group, row.trigger_words) for row in made.rows[2:4]] == [(1, ("lily", "day")), (3, ("lily", "night"))]
    assert len(made.rows) == 8
    assert [row.group for row in plan("mona").rows] == [None, None, None]


def test_a_group_the_prompt_holds_leaves_no_row_without_words(plan: Plan) -> None:
    """Its picture would be the one without words; the other groups have theirs."""
    assert [row.kind for row in plan("outfits", prompt="lily, day").rows] == [BASE, TRIGGERED, TRIGGERED]


def test_of_two_files_with_one_name_the_one_under_test_is_drawn() -> None:
    """The library's own answer to the name is the other one; both at once cannot be told apart."""
    here, there = installed("twin"), replace(installed("twin"), path=Path("/library/b/twin.safetensors"))
    chosen: dict[str, Any] = {"settings": Settings(checkpoint={"sd1": "/models/x"}), "families": load_families()}
    made = make_plan([(there, None)], RenderOptions(prompt="x"), library=lambda _: here, **chosen)
    assert made.loras["twin"].path == there.path
    with pytest.raises(UsageError, match="two files are called 'twin'"):
        make_plan([(here, None), (there, None)], RenderOptions(prompt="x"), library=lambda _: here, **chosen)


def test_rows_of_refused_loras_are_left_out(plan: Plan) -> None:
    """Those under test and those that another's picture needs; with nothing left to test the refusal is the error."""
    error = HubsyncError("it fits nothing here")
    rest = plan("mona", "add_detail", "blue_ring", weights=(0.0, 1.0)).without({"mona": error})
    assert {row.lora for row in rest.rows} == {None, "add_detail", "blue_ring"}
    assert rest.without({}) is rest
    assert {row.lora for row in rest.without({"blue_ring": error}).rows} == {None, "add_detail"}
    for alone, refused in (
        (plan("mona"), "mona"),
        (plan("mona", prompt="x <lora:add_detail:1>"), "add_detail"),
        (plan("mona", negative="blue_ring"), "blue_ring"),
    ):
        with pytest.raises(HubsyncError, match="it fits nothing here"):
            alone.without({refused: error})


def test_loras_of_the_prompt_must_fit_too(plan: Plan) -> None:
    """A tag of another family, or of a file that is gone, is refused as the LoRA under test would be."""
    with pytest.raises(WrongFamily, match="flat: made for sdxl"):
        plan("mona", prompt="x <lora:flat:1>")
    with pytest.raises(NotFound, match="'lost' cannot be rendered: its file is gone"):
        plan("mona", prompt="x <lora:lost:1>")


def test_an_embedding_nobody_may_open_is_told(plan: Plan) -> None:
    """A pickle is never sent to the renderer; a prompt that names it says so."""
    made = plan("add_detail", prompt="a cat, old_ring")
    assert made.embeddings == {}
    (note,) = made.notes
    assert note.startswith("drawn without an embedding the prompt names: 'old_ring' cannot be rendered: old_ring.pt is")
    assert plan("add_detail", prompt="a gold_ring").notes == ()


def test_a_name_no_tag_can_hold_is_refused(plan: Plan) -> None:
    """The tag would be cut short and the base picture drawn in its place."""
    with pytest.raises(UnsafeName, match="'a:b' is a name that no"):
        plan("a:b")


def test_what_the_pictures_will_not_show_is_said(plan: Plan) -> None:
    """Prompts are not composed, and prompt editing needs a pipeline that takes a prompt at every step."""
    assert plan("mona").notes == ()
    assert [note.split(" ")[0] for note in plan("mona", prompt="a cat AND [a:b:0.5]").notes] == ["AND"]
    flux = Settings(checkpoint={"flux1": "/models/flux.safetensors"})
    assert [note.split(" ")[0] for note in plan("unknown", prompt="[a:b:0.5]", settings=flux).notes] == ["prompt"]
