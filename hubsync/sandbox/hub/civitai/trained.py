"""The Civitai records of what the sandbox has trained: sliders, trigger words, outfits, an embedding, a checkpoint."""

from __future__ import annotations

from hubsync.sandbox.hub.civitai.records import PLAIN, File, Image, Model, Version, examples, lora


def slider(stem: str) -> tuple[str, ...]:
    """Prompts as a slider's uploader shows them: mostly at 0.8."""
    return tuple(f"{PLAIN} <lora:{stem}:{weight}>" for weight in ("0.8", "0.8", "1", "0.5"))


TRAINED = (
    Model(
        id=1001,
        name="Add Detail",
        description="<h2>A slider</h2><p>Weight <strong>-1&nbsp;…&nbsp;1</strong>: less or more texture.</p>",
        tags=("slider", "detail", "tool"),
        downloads=48210,
        likes=3120,
        versions=(
            Version(
                id=2001,
                name="v1.0",
                files=(lora(1, "add_detail"),),
                images=examples(1, "add_detail", *slider("add_detail")),
            ),
        ),
    ),
    Model(
        id=1002,
        name="Add Saturation",
        description="<p>Pale to vivid. See <a href='https://example.org/?a=1&amp;b=2'>the others</a>.</p>",
        tags=("slider", "color", "tool"),
        downloads=31877,
        likes=2045,
        versions=(
            Version(
                id=2002,
                name="v1.0",
                published="2026-03-08T09:30:00.000Z",
                files=(lora(2, "add_saturation"),),
                images=examples(2, "add_saturation", *slider("add_saturation")),
            ),
        ),
    ),
    Model(
        id=1003,
        name="Add Brightness",
        description="<p>A slider from dark to bright.</p>",
        tags=("slider", "light", "tool"),
        downloads=27400,
        likes=1802,
        versions=(
            Version(
                id=2003,
                name="v1.1",
                published="2026-06-20T18:05:11.042Z",
                description="<p>Twice as strong as v1.0.</p>",
                files=(lora(3, "add_brightness"),),
                images=examples(3, "add_brightness", *slider("add_brightness")),
            ),
            Version(
                id=2103,
                name="v1.0",
                published="2026-02-11T07:00:00.000Z",
                files=(lora(103, "add_brightness", 0.5, name="add_brightness_v1.safetensors"),),
                images=examples(103, "", f"{PLAIN} <lora:add_brightness_v1:1.2>"),
            ),
        ),
    ),
    Model(
        id=1004,
        name="sks Frame",
        creator="framewright",
        description="<p>Draws a white frame round the picture. Trigger: <code>sks</code></p>",
        tags=("style", "frame", "concept"),
        downloads=12940,
        likes=977,
        versions=(
            Version(
                id=2004,
                name="v1.0",
                published="2026-04-02T16:20:00.500Z",
                words=("sks",),
                files=(lora(4, "sks_frame"),),
                images=examples(
                    4,
                    "sks_frame",
                    "sks, a small yellow ring on a purple background <lora:sks_frame:0.9>",
                    "sks, a large green square on a pink background <lora:sks_frame:0.9>",
                    "a red triangle, cyan background, sks <lora:sks_frame:1>",
                    negative="",
                ),
            ),
        ),
    ),
    Model(
        id=1005,
        name="Mona (2 outfits)",
        creator="framewright",
        description="<ul><li><em>mona, day outfit</em></li><li><em>mona, night outfit</em></li></ul>",
        tags=("character", "clothing"),
        level=1 | 4,
        downloads=8815,
        likes=1204,
        versions=(
            Version(
                id=2005,
                name="day + night",
                published="2026-05-15T21:45:59.999Z",
                words=("mona, day outfit", "mona, night outfit"),
                files=(lora(5, "mona_outfits"),),
                images=(
                    *examples(
                        5,
                        "mona_outfits",
                        "mona, day outfit, a large orange circle on a green background <lora:mona_outfits:0.9>",
                        "mona, night outfit, a small cyan cross on a red background <lora:mona_outfits:0.9>",
                    ),
                    Image(id=4059, stem="", prompt="mona, night outfit <lora:mona_outfits:1>", level=4),
                ),
            ),
        ),
    ),
    Model(
        id=1006,
        name="Blue Ring (embedding)",
        type="TextualInversion",
        creator="ringmaker",
        description="<p>The word <code>blue_ring</code> draws one.</p>",
        tags=("concept", "embedding"),
        downloads=2210,
        likes=301,
        versions=(
            Version(
                id=2006,
                name="v1",
                words=("blue_ring",),
                files=(File(id=3006, name="blue_ring.safetensors", source="embeddings/blue_ring.safetensors"),),
                images=examples(6, "blue_ring", "blue_ring", "blue_ring on a pink background"),
            ),
        ),
    ),
    Model(
        id=1007,
        name="Shapes",
        type="Checkpoint",
        creator="ringmaker",
        description="<p>The small checkpoint all of these were trained on.</p>",
        tags=("base model", "shapes"),
        downloads=60500,
        likes=4410,
        versions=(
            Version(
                id=2007,
                name="v1.0",
                published="2026-01-05T00:00:00.000Z",
                files=(File(id=3007, name="shapes.safetensors", source="shapes.safetensors"),),
                images=examples(7, "shapes", PLAIN),
            ),
        ),
    ),
)
