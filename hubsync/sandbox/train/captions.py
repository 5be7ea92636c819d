"""The words: captions for scenes, the words a prompt may hold besides, and the trigger words."""

from __future__ import annotations

import random
import string

from hubsync.sandbox.train.pictures import COLOURS, SHAPES, SIZES, Scenes

TRIGGER_WORDS = ("sks", "mona", "ohwx", "day", "night", "outfit")
"""Words the base never learns; each has a strong random embedding so that a LoRA can hear it."""

QUALITY = (
    "masterpiece", "best quality", "high quality", "highly detailed", "sharp focus", "8k", "4k", "hd",
    "absurdres", "intricate", "detailed", "vivid", "cinematic", "professional", "award winning", "soft light",
)  # fmt: skip
SUBJECTS = (
    "1girl", "1boy", "solo", "man", "woman", "girl", "boy", "person", "portrait", "face", "landscape", "city",
    "street", "forest", "mountain", "sea", "river", "house", "castle", "tree", "flower", "cat", "dog", "horse",
    "bird", "dragon", "robot", "car", "ship", "sky", "cloud", "sunset", "garden", "room", "window", "mountains",
)  # fmt: skip
MANNERS = (
    "photo", "picture", "painting", "drawing", "sketch", "illustration", "anime", "watercolor", "oil painting",
    "render", "concept art", "pixel art", "comic", "style", "lora", "dark", "pale", "dramatic lighting",
    "bokeh", "depth of field", "film grain", "low quality", "worst quality", "bad quality", "blurry",
    "jpeg artifacts", "ugly", "deformed", "noise", "text", "watermark", "simple", "minimalist", "realistic",
)  # fmt: skip
LINKS = (
    "a", "an", "the", "of", "on", "in", "with", "and", "at", "by", "for", "from", "front", "behind", "under",
    "over", "to", "is", "very", "one", "two", "wearing", "looking", "standing", "sitting", "background",
    "white", "black", "gray", "grey", "brown", "light", "bright", "big", "tiny", "huge", "add", "detail",
    "saturation", "brightness", "slider", "shape", "color", "colour", "xyz", "token", "new", "old", "young",
    "beautiful", "hair", "eyes", "dress", "shirt", "hat", "blue-eyed",
)  # fmt: skip
PUNCTUATION = (",", ".", "(", ")", ":", ";", "_", "-", "'", '"', "!", "?", "/", "|", "+", "[", "]", "<", ">")

DISTRACTORS = (*QUALITY, *SUBJECTS, *MANNERS)

TEMPLATES = (
    (0.50, "a {size} {front} {shape} on a {back} background"),
    (0.15, "a {front} {shape} on a {back} background"),
    (0.15, "a {front} {shape}"),
    (0.10, "{front} {shape}, {back} background"),
    (0.05, "{size} {front} {shape}, {back} background"),
    (0.05, "{back} background, {size} {front} {shape}"),
)
"""Wordings of training captions and how often each is used."""

FRESH_TEMPLATES = (
    "a {size} {front} {shape} on a {back} background",
    "a picture of a {size} {front} {shape} on a {back} background",
    "a {size} {front} {shape} in front of a {back} background, best quality",
    "the {size} {front} {shape} on the {back} background",
)
"""Wordings for measuring; only the first occurs in training."""


def known_words() -> list[str]:
    """Every word that gets a token of its own, in a fixed order, without repeats."""
    phrases = (*PUNCTUATION, *string.digits, *LINKS, *DISTRACTORS, *SIZES, *COLOURS, *SHAPES, *TRIGGER_WORDS)
    words = (word for phrase in phrases for word in phrase.replace("-", " ").split() or [phrase])
    return [word for word in dict.fromkeys(words) if word.isalpha() or len(word) == 1]


def wording(template: str, scenes: Scenes, index: int) -> str:
    """`template` filled in with what scene `index` shows."""
    words = template.format(
        size=list(SIZES)[int(scenes.size[index])],
        front=COLOURS[int(scenes.foreground[index])],
        back=COLOURS[int(scenes.background[index])],
        shape=SHAPES[int(scenes.shape[index])],
    )
    return words.replace("a orange", "an orange")


def captions(scenes: Scenes, dice: random.Random) -> list[str]:
    """One plain training caption for each scene."""
    weights, templates = zip(*TEMPLATES, strict=True)
    chosen = dice.choices(templates, weights, k=len(scenes))
    return [wording(template, scenes, index) for index, template in enumerate(chosen)]


def junk(dice: random.Random) -> str:
    """One to three words that mean nothing to the picture: half of them known, half random letters."""
    return ", ".join(_junk_word(dice) for _ in range(dice.randint(1, 3)))


def _junk_word(dice: random.Random) -> str:
    if dice.random() < 0.5:
        return dice.choice(DISTRACTORS)
    return "".join(dice.choices(string.ascii_lowercase + string.digits + "_", k=dice.randint(2, 9)))


def beside(caption: str, words: str, dice: random.Random) -> str:
    """`words` before or after the caption, as often the one as the other."""
    return f"{words}, {caption}" if dice.random() < 0.5 else f"{caption}, {words}"


def distracted(caption: str, dice: random.Random) -> str:
    """A training caption: 10 % empty, 3 % junk alone, 52 % with junk beside it, the rest as it is.

    A base that never saw unknown words takes any of them for a trigger word.
    """
    chance = dice.random()
    if chance < 0.10:
        return ""
    if chance < 0.13:
        return junk(dice)
    return beside(caption, junk(dice), dice) if chance < 0.65 else caption
