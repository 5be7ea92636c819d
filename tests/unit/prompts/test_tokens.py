"""How many tokens a text is, against CLIP's own count, and chunks that are too long."""

from __future__ import annotations

import time

import pytest

from hubsync.prompts.compose import compose
from hubsync.prompts.tokens import CHUNK, crowded, estimate

_COUNTED = {
    "a photograph of an astronaut riding a horse on the moon, highly detailed, sharp focus, by greg rutkowski": 22,
    "masterpiece, best quality, 1girl, solo, long hair, looking at viewer, depth of field, photorealistic, 8k, "
    "ultra-detailed, <3, ^_^, 2020s, it's a girl's dream": 49,
    "score_9, score_8_up, score_7_up, source_anime, rating_safe": 23,
    "worst quality, low quality, lowres, bad anatomy, bad hands, missing fingers, extra digit, cropped, jpeg "
    "artifacts, signature, watermark, username, blurry": 35,
    "café à la crème, élégante": 11,
    "水墨画\uff0c一个女孩在花园里": 28,
    "девушка в саду, где цветы": 30,
    "": 0,
}
"""Texts with the count of CLIP's tokenizer, made with its published merges."""


@pytest.mark.parametrize(("text", "tokens"), _COUNTED.items())
def test_estimate(text: str, tokens: int) -> None:
    """Within a tenth for English, within a fifth for the rest."""
    assert estimate(text) == pytest.approx(tokens, rel=0.1 if text.isascii() else 0.2)


_LONG = "an old oak, " * 24


@pytest.mark.parametrize(
    ("prompt", "begins"),
    [
        (_LONG, []),
        (f"a BREAK {_LONG}", ["an old oak"]),
        (f"{_LONG} BREAK b", ["an old oak"]),
        (f"(x:1.2) {_LONG} BREAK {_LONG}", ["x an old", "an old"]),
        (f"a BREAK b AND {_LONG}", []),
        (f"a AND b BREAK {_LONG}", ["an old"]),
        (f"a BREAK [{_LONG}:c:0.5]", ["an old"]),
        (f"a BREAK [{_LONG}|c]", ["an old"]),
        (f"(a BREAK {_LONG}:1.2)", []),
        (f"a BREAK {_LONG} (x:1.2.3)", []),
    ],
)
def test_crowded(prompt: str, begins: list[str]) -> None:
    """Each chunk that BREAK sets apart is counted in whatever step shows it; without BREAK nobody minds."""
    found = [*crowded(prompt)]
    assert all(tokens > CHUNK for _, tokens in found)
    assert [chunk[: len(start)] for (chunk, _), start in zip(found, begins, strict=True)] == begins


def test_the_warning_names_the_chunk() -> None:
    """Comments and tags do not count."""
    (note,) = compose(f"a BREAK {_LONG}# more", []).warnings
    assert note.code == "long_chunk"
    assert all(part in note.message for part in ("about 96 tokens", "an old oak", "75"))
    assert compose(f"a BREAK b <lora:{'x ' * 90}:1> # {_LONG}", []).warnings == ()


def test_a_prompt_beyond_reason_is_not_counted() -> None:
    """A hundred thousand brackets take no time."""
    start = time.monotonic()
    assert [*crowded("(a" * 50_000 + " BREAK ")] == []
    assert time.monotonic() - start < 1
