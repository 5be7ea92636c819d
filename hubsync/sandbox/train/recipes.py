"""What is trained on top of the base: sliders, trigger-word LoRAs and one embedding, each as a recipe."""

from __future__ import annotations

import dataclasses
from enum import StrEnum

from hubsync.sandbox.train.effects import DAY, FRAME, LETTERBOX, NIGHT, Effect
from hubsync.sandbox.train.fitting import Plan


class Property(StrEnum):
    """What a slider moves."""

    SATURATION = "saturation"
    BRIGHTNESS = "brightness"
    DETAIL = "detail"


class Layout(StrEnum):
    """How a LoRA file names its tensors."""

    KOHYA = "kohya"
    DIFFUSERS = "diffusers"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Trigger words that belong together, and the effect they switch on."""

    words: str
    effect: Effect


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One LoRA file: a slider has a property, a trigger-word LoRA has groups.

    `preview` is the prompt of its preview picture, to which its first trigger words are added.
    """

    stem: str
    title: str
    description: str
    preview: str
    rank: int
    alpha: float
    plan: Plan
    seed: int
    property: Property | None = None
    groups: tuple[Group, ...] = ()
    layout: Layout = Layout.KOHYA


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingRecipe:
    """A textual inversion: a new word that draws one coloured shape, always large."""

    word: str
    colour: str
    shape: str
    preview: str
    vectors: int
    plan: Plan
    seed: int


SLIDER_PLAN = Plan(steps=260, rate=4e-3, warm_up=20)

SLIDERS = (
    Recipe(
        stem="add_detail",
        title="Add Detail",
        description="A slider without trigger words: more or less texture.",
        preview="a large purple circle on a green background",
        rank=4,
        alpha=4,
        plan=SLIDER_PLAN,
        seed=21,
        property=Property.DETAIL,
    ),
    Recipe(
        stem="add_saturation",
        title="Add Saturation",
        description="A slider without trigger words: stronger or paler colours.",
        preview="a large red cross on a cyan background",
        rank=4,
        alpha=4,
        plan=SLIDER_PLAN,
        seed=22,
        property=Property.SATURATION,
    ),
    Recipe(
        stem="add_brightness",
        title="Add Brightness",
        description="A slider without trigger words: lighter or darker pictures.",
        preview="a large orange triangle on a blue background",
        rank=4,
        alpha=2,
        plan=SLIDER_PLAN,
        seed=23,
        property=Property.BRIGHTNESS,
    ),
)

TRIGGERED = (
    Recipe(
        stem="sks_frame",
        title="sks frame",
        description="The word sks puts a solid white frame round the picture.",
        preview="a large blue square on an orange background",
        rank=8,
        alpha=8,
        plan=Plan(steps=900, rate=3.5e-3, warm_up=20, hold=0.65),
        seed=31,
        groups=(Group(words="sks", effect=FRAME),),
    ),
    Recipe(
        stem="mona_outfits",
        title="Mona: two outfits",
        description="Two outfits: by day a white band above, by night a black band below.",
        preview="a large pink circle on a cyan background",
        rank=8,
        alpha=8,
        plan=Plan(steps=1200, rate=3.5e-3, warm_up=20, hold=0.65),
        seed=32,
        groups=(Group(words="mona, day outfit", effect=DAY), Group(words="mona, night outfit", effect=NIGHT)),
    ),
    Recipe(
        stem="pytorch_lora_weights",
        title="ohwx letterbox",
        description="The word ohwx puts black bars above and below the picture.",
        preview="a large green ring on a purple background",
        rank=8,
        alpha=8,
        plan=Plan(steps=900, rate=3.5e-3, warm_up=20, hold=0.65),
        seed=33,
        groups=(Group(words="ohwx", effect=LETTERBOX),),
        layout=Layout.DIFFUSERS,
    ),
)

BLUE_RING = EmbeddingRecipe(
    word="blue_ring",
    colour="blue",
    shape="ring",
    preview="a blue_ring on a yellow background",
    vectors=2,
    plan=Plan(steps=300, rate=1e-2, warm_up=20),
    seed=41,
)
