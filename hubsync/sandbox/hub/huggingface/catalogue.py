"""The repositories: the diffusers-layout LoRA, a kohya one without metadata, and one for each state and trap."""

from __future__ import annotations

from typing import Any

from hubsync.sandbox.hub.huggingface.records import SD15, Entry, Repository

SDXL = "stabilityai/stable-diffusion-xl-base-1.0"
# The old name answers with a redirect to the new one.
RENAMED = {"sandbox/ohwx-old-name": "sandbox/ohwx-lora"}
TAGS = ["text-to-image", "stable-diffusion", "lora", "diffusers", "template:sd-lora"]


def card(base: str | list[str] = SD15, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    """Front matter as the training scripts write it."""
    return {
        "license": "creativeml-openrail-m",
        "library_name": "diffusers",
        "pipeline_tag": "text-to-image",
        "base_model": base,
        "tags": TAGS,
        **more,
    }


def lora(path: str, stem: str, strength: float = 1.0) -> Entry:
    """A weights file from a trained LoRA."""
    return Entry(path=path, source=f"loras/{stem}.safetensors", strength=strength)


def picture(path: str, stem: str) -> Entry:
    """A preview."""
    return Entry(path=path, source=f"previews/{stem}.png")


OHWX = Repository(
    id="sandbox/ohwx-lora",
    downloads=4213,
    likes=57,
    modified="2026-05-04T12:30:00.000Z",
    card=card(
        instance_prompt="ohwx",
        widget=[
            {"text": "ohwx, a large red circle on a green background", "output": {"url": "image_0.png"}},
            {"text": "a small blue ring, yellow background, ohwx", "output": {"url": "image_0.png"}},
        ],
    ),
    body="""# ohwx LoRA

<Gallery />

## Model description

LoRA weights for the sandbox's small Stable Diffusion checkpoint, text encoder included.

## Trigger words

You should use `ohwx` to trigger the image generation. The recommended weight is 1.0.

## Use it with diffusers

```py
pipeline.load_lora_weights("sandbox/ohwx-lora", weight_name="pytorch_lora_weights.safetensors")
image = pipeline("ohwx, a large red circle on a green background").images[0]
```

## Download model

[All files](/sandbox/ohwx-lora/tree/main), in Safetensors format.
""",
    entries=(
        lora("pytorch_lora_weights.safetensors", "pytorch_lora_weights"),
        picture("image_0.png", "pytorch_lora_weights"),
    ),
)

KOHYA = Repository(
    id="framewright/sks-frame-kohya",
    downloads=389,
    likes=12,
    card=card("runwayml/stable-diffusion-v1-5", tags=["lora", "stable-diffusion", "text-to-image", "kohya"]),
    body="""# sks frame

A white frame round the picture. Put **sks** into the prompt, weight 0.8 to 1: `<lora:sks-frame-v1:0.9>`.

![example](images/sample%20(1).png)
""",
    entries=(lora("sks-frame-v1.safetensors", "sks_frame"), picture("images/sample (1).png", "sks_frame")),
)

MULTI = Repository(
    id="sandbox/multi-base-sliders",
    downloads=15_020,
    likes=240,
    card=card([SD15, SDXL]),
    body="# Sliders\n\n| file | base |\n|---|---|\n| sd15/ | SD 1.5 |\n| sdxl/ | SDXL |\n\nNo trigger words.\n",
    entries=(
        lora("sd15/detail.safetensors", "add_detail", 0.9),
        lora("sd15/saturation.safetensors", "add_saturation", 0.9),
        lora("sdxl/detail_xl.safetensors", "add_detail", 1.1),
    ),
)

LANGUAGE = Repository(
    id="sandbox/alpaca-lora-tiny",
    downloads=90_112,
    likes=800,
    card={
        "license": "apache-2.0",
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "base_model": "sandbox/llama-tiny",
        "tags": ["lora", "peft", "transformers", "text-generation"],
    },
    body="# Alpaca LoRA\n\nAn adapter for a language model.\n",
    entries=(
        lora("adapter_model.safetensors", "add_detail", 0.8),
        Entry(path="adapter_config.json", text='{"peft_type": "LORA", "r": 4, "task_type": "CAUSAL_LM"}\n'),
    ),
)


def closed(name: str, strength: float, **state: Any) -> Repository:  # noqa: ANN401
    """A repository whose files not everybody may have."""
    return Repository(
        id=f"sandbox/{name}",
        card=card(instance_prompt="sks"),
        body=f"# {name}\n\n## Trigger words\n\nYou should use `sks` to trigger the image generation.\n",
        entries=(lora(f"{name}.safetensors", "sks_frame", strength),),
        **state,
    )


REPOSITORIES = (
    OHWX,
    KOHYA,
    MULTI,
    LANGUAGE,
    closed("gated-lora", 0.8, gated="auto", downloads=610, likes=31),
    closed("manual-lora", 0.85, gated="manual", downloads=95, likes=8),
    closed("private-lora", 0.9, private=True),
    closed("disabled-lora", 0.95, disabled=True, downloads=3, likes=1),
)
